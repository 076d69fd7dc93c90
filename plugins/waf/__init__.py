"""A web application firewall: rules in SecLang or Python over requests and responses.

For files of rules in Python: `from adc_plugins.waf import Example, Exchange, Item, rule`.
"""

from adc_plugins.waf.code.examples import Example
from adc_plugins.waf.code.exchange import Exchange, Item
from adc_plugins.waf.code.rule import rule

__all__ = ["Example", "Exchange", "Item", "rule"]
