"""Static files as responses: opening, keeping open, reading, sending."""
