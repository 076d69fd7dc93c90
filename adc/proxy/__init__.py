"""The way of one request.

`exchange` is one request of a client and its response; `request_side` is its first half. `pipeline` is a compiled
route: `stages` change the request or the response, `plugins` runs those of the route, `caching` looks in a store,
`upstream` asks a member. `context` and `service` are what all exchanges of a listener share. `phases` is the table of
timeouts, `states` that of the states, `gate` is backpressure.
"""
