"""Responses of text/html checked as the parser of the WHATWG standard sees them."""
