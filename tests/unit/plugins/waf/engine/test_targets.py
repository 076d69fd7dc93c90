"""Targets of rules that cannot be used."""

import pytest
from adc_plugins.waf.seclang.model import SecLangError

from tests.kit.waf import rules


@pytest.mark.parametrize(
    "text",
    [
        'SecRule ARGS:/(/ "a" "id:1,phase:1,pass"',
        'SecRule ARGS|!ARGS:/(/ "a" "id:1,phase:1,pass"',
        'SecAction "id:1,phase:1,pass,ctl:ruleRemoveTargetById=1;ARGS:/(/"',
    ],
)
def test_malformed_expression_of_keys_is_an_error_with_its_place(text):
    with pytest.raises(SecLangError, match=r"test.conf:1: ARGS:/\(/: "):
        rules(text)
