"""YAML to a checked, immutable configuration, with every error and its place at once."""

from adc.config.errors import ConfigErrors, Mark, Problem
from adc.config.load import Loaded, load
from adc.config.model.config import Config

__all__ = ["Config", "ConfigErrors", "Loaded", "Mark", "Problem", "load"]
