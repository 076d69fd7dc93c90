"""What an operator asks a running node."""
