"""Verbs that ask a running node, one module each: `add` puts the verb on the command."""
