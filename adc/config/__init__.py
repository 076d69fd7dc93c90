"""YAML to a checked, immutable configuration, with every error and its place at once."""

from adc.config.errors import ConfigErrors, Mark, Problem
from adc.config.load import Loaded, load
from adc.config.model.config import Config
from adc.config.schema import json_schema

__all__ = ["Config", "ConfigErrors", "Loaded", "Mark", "Problem", "json_schema", "load"]
