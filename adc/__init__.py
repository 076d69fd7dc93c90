"""adc: a programmable application delivery controller."""

from adc.compilation import use_source_if_asked

__version__ = "0.1.0"

use_source_if_asked()
