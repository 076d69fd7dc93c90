"""Resizes images and converts them to formats that the client accepts."""
