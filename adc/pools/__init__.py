"""Pools: members, balancers, health, ejection, breaker, retries and queue. No I/O, no clock."""
