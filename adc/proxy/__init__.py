"""The path of one request.

`exchange` is one request of a client and its response; `request_side` is its first half. `pipeline` is a compiled
route: `stages` change the request or the response, `plugins` runs the route's plugins, `caching` looks in a store,
`upstream` forwards to a member. `context` and `service` are shared by all exchanges of a listener. `phases` is the
table of timeouts, `states` the table of states, `gate` is backpressure.
"""
