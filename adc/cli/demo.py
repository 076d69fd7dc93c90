"""`adc demo`: sample applications behind a full configuration."""


def demo() -> None:
    """Demo."""
