"""Content codings: which one a response gets, encoders, decoders (RFC 9110 sections 8.4 and 12.5.3)."""
