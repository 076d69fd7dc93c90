"""HTTP/1.1 (RFC 9112): the downstream connection, the member connection and their heads."""
