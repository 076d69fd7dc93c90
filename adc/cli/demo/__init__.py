"""`adc demo`: sample applications, and a configuration that shows what can be done in front of them."""
