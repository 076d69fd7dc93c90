"""HTML in the fields of requests, sanitised or refused."""
