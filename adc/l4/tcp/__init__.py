"""TCP flows between clients and the members of a pool."""
