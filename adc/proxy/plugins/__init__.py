"""An exchange among the plugins of its route."""
