"""Parts of a worker that outlive reloads: listeners, state, caches, the other nodes, and their metrics."""
