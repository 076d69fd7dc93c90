"""Balancers, one a file."""
