"""Access by the address of the client."""
