"""What the service says about itself: access log, error log, metrics and trace identifiers."""
