"""Codecs: bytes <-> messages. Every codec offers the streams and connections of `adc.codecs.interface`."""
