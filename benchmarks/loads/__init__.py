"""What is done to a running peer, one load a file."""
