"""The admin server: JSON API, metrics and pages of one node, on aiohttp.web."""
