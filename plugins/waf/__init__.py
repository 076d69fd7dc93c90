"""A web application firewall: rules in SecLang or Python over requests and responses."""
