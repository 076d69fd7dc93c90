"""TCP and UDP: flows that are balanced without a look at what they carry, except for a server name or connection id."""
