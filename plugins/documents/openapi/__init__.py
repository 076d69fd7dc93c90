"""Validation of requests and responses against an OpenAPI document."""
