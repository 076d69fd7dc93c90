"""adc: a programmable application delivery controller."""

from adc.launch import forget_current_folder

forget_current_folder()

from adc.compilation import use_source_if_asked  # noqa: E402

__version__ = "0.1.0"

use_source_if_asked()
