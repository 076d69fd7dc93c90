"""Plugins that parse structured content: XML, JSON, OpenAPI messages, and XSLT of XML."""
