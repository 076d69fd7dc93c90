"""Rules in Python: `@rule(...)` above a function that looks at an exchange."""
