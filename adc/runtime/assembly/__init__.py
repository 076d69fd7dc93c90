"""From the configuration model to objects: matchers, routes, pools, persistence, TLS contexts and the `Runtime`."""
