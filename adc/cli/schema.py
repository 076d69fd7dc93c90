"""`adc schema`: the JSON Schema of configuration files, for editors."""

from __future__ import annotations

from adc.cli.output import print_json


def schema() -> None:
    """Print the JSON Schema of the configuration."""
    from adc.config import json_schema

    print_json(json_schema())
