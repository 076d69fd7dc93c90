"""From the configuration model to what serves: the compiled runtime, and the worker that swaps it."""
