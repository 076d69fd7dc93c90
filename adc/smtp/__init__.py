"""Mail: the SMTP server towards clients, the routing of recipients, and conversations with members."""
