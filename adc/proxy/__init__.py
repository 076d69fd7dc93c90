"""The way of one request, a stage a file.

`exchange` (one request and its response) -> `forward` (what the member is sent) -> `attempt` (one try at a member)
-> `deliver` (the response to the client). `actions` answers without a member, `replies` makes error pages,
`service` is what all exchanges of a listener share.
"""
