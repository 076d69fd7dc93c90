"""Networks of namespaces on this machine, and packet captures inside them: what the session laboratory runs on."""
