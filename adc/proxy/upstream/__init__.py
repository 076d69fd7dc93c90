"""The request to a member: which member, how it is tried, and what a failed attempt means."""
