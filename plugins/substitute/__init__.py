"""Texts of responses replaced by others while they stream."""
