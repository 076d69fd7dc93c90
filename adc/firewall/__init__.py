"""The stateful firewall: rules for new flows, decided without I/O."""
