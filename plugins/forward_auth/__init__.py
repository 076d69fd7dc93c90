"""Authentication by another service."""
