"""Validation of XML: encoding, limits, SOAP envelopes, schemas."""
