"""The supervisor: sockets, worker processes, reload, upgrade, signals, active health checks."""
