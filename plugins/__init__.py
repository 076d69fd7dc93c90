"""Bundled plugins, installed as `adc_plugins`: each uses `adc.plugin` and nothing else of the project."""
