"""UDP: datagrams of a client address make a session, which has a connected socket to its member."""
