"""What every listener and every outgoing connection needs, whatever protocol they carry."""
