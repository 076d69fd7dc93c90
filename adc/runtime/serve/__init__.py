"""What a worker serves with over reloads: listeners, state, caches, the other nodes, and their metrics."""
