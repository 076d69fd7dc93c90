"""HTML changed while it streams: elements by selector, links, CSP nonces."""
