"""adc: a programmable application delivery controller."""

__version__ = "0.1.0"
