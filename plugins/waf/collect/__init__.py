"""Request and response as the variables that rules name."""
