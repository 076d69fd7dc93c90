"""A challenge for browsers, which costs robots more than it is worth."""
