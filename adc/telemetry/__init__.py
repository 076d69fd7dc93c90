"""Access log, error log, metrics and trace identifiers."""
