"""The operator's tools: `adc waf why`, `exclude`, `replay` and `test`."""
