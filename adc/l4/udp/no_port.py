"""The failure to open a socket for a session for lack of ports or descriptors."""


class NoPort(OSError):
    """All ports of the source addresses, or all descriptors, are in use."""
