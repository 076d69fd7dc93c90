"""HTTP messages and fields: plain values and functions, no I/O (RFC 9110)."""
