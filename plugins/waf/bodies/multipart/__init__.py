"""`multipart/form-data`, strictly: what another reader may read differently sets a flag or an error."""
