"""The shared response cache: policy without I/O (RFC 9111), keys, and the stores behind it."""
