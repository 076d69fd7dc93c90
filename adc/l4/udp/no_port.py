"""The failure to find a port for a session."""


class NoPort(OSError):
    """All ports of the source addresses are in use."""
