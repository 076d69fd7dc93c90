"""Validation of JSON: strict parsing within limits, JSON Schema."""
