"""The session table: every flow below HTTP, its state and its time left. No sockets."""
