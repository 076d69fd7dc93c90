"""Pins of clients to members: decisions only, no I/O and no clock. `now` is wall-clock seconds throughout."""
