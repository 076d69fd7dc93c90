"""What pins a client to a member: decisions only, no I/O and no clock. `now` is wall-clock seconds
throughout."""
