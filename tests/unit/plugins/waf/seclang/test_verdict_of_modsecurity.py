"""Rule files that ModSecurity loads are loaded, and those that it refuses are refused."""

from __future__ import annotations

import pytest
from adc_plugins.waf.seclang.model import SecLangError
from adc_plugins.waf.seclang.parse import parse

libmodsecurity = pytest.importorskip("libmodsecurity", reason="libmodsecurity is not installed")

SAME = [
    'SecRule ARGS "a" "id:1,deny"',
    'secrule args "a" "ID:1,Deny"',
    'SecRule ARGS "a" "id:\'1\',msg:a b c,severity:2"',
    "SecRule ARGS \"a\" \"id:1,msg:'a, b',tag:'it\\'s'\"",
    'SecRule ARGS "a" "id:1, phase:1 , deny"',
    'SecRule ARGS "a" "id:1,,deny"',
    'SecRule ARGS "a" "id:1,deny,"',
    'SecRule ARGS "a" "id:1,severity:FOO"',
    'SecRule ARGS "a" "id:1,phase:6"',
    'SecRule ARGS "a" "id:1,phase:request"',
    'SecRule ARGS "a" "id:1,phase:logging"',
    'SecRule ARGS "a" "id:abc"',
    'SecRule ARGS "a" "id:0"',
    'SecRule ARGS "a" "phase:1"',
    'SecRule ARGS "a" "id:1,t:foo"',
    'SecRule ARGS "a" "id:1,t:none,t:urlDecodeUni,t:lowercase"',
    'SecRule ARGS "a" "id:1,foo"',
    'SecRule ARGS "a" "id:1,ctl:foo=1"',
    'SecRule ARGS "a" "id:1,ctl:ruleEngine=Off"',
    'SecRule ARGS "a" "id:1,ctl:ruleEngine=Maybe"',
    'SecRule ARGS "a" "id:1,ctl:ruleRemoveTargetById=5;ARGS:b"',
    'SecRule ARGS "a" "id:1,setvar:foo"',
    'SecRule ARGS "a" "id:1,setvar:tx.a"',
    'SecRule ARGS "a" "id:1,setvar:!tx.a"',
    'SecRule ARGS "a" "id:1,setvar:\'tx.a=+%{tx.b}\'"',
    'SecRule ARGS "a" "id:1,initcol:ip=%{REMOTE_ADDR}"',
    'SecRule ARGS "a" "id:1,expirevar:ip.a=60"',
    'SecRule ARGS "a" "id:1,skipAfter:nowhere"',
    'SecRule ARGS "a" "id:1,skip:1"',
    'SecRule ARGS "a" "id:1,allow:phase"',
    'SecRule ARGS "a" "id:1,allow:foo"',
    'SecRule ARGS "a" "id:1,deny:403"',
    'SecRule ARGS "a" "id:1,deny,status:44"',
    'SecRule ARGS "a" "id:1,deny,status:999999"',
    'SecRule ARGS "a" "id:1,redirect:http://a.example/"',
    'SecRule ARGS "a" "id:1" "b"',
    'SecRule ARGS "a" "id:1"\nSecRule ARGS "a" "id:1"',
    'SecRule ARGS "a" "id:1,chain"\nSecRule ARGS "b"',
    'SecRule ARGS "a" "id:1,chain"\nSecRule ARGS "b" "deny"',
    'SecRule ARGS "a" "id:1,chain"\nSecRule ARGS "b" "msg:b,logdata:c,setvar:tx.a=1"',
    'SecRule ARG "a" "id:1"',
    'SecRule REQUEST_URI:foo "a" "id:1"',
    'SecRule !ARGS:foo "a" "id:1"',
    'SecRule ARGS|!ARGS:foo|&ARGS:/^b/ "a" "id:1"',
    'SecRule ARGS,ARGS_NAMES "a" "id:1"',
    'SecRule "ARGS|ARGS_NAMES" "a" "id:1"',
    'SecRule XML:/*|XML://@*|XML:/a/b "a" "id:1"',
    'SecRule TX:a.b "@eq 1" "id:1"',
    'SecRule ARGS "!@rx a" "id:1"',
    'SecRule ARGS "! @rx a" "id:1"',
    'SecRule ARGS "" "id:1"',
    'SecRule ARGS "@eq" "id:1"',
    'SecRule ARGS "@unconditionalMatch" "id:1"',
    'SecRule ARGS "@detectSQLi" "id:1"',
    'SecRule ARGS "a\\"b" "id:1"',
    'SecRule ARGS "a\\\n  b" "id:1"',
    'SecAction "id:1,pass" # a comment',
    '# a comment \\\nSecAction "id:1"',
    "# a comment \\\nSecFoo x",
    '#SecAction \\\n  "id:1,\\\n  pass"\nSecAction "id:1"',
    'SecDefaultAction "phase:1,log,pass"',
    'SecDefaultAction "phase:1,pass,severity:2"',
    'SecDefaultAction "phase:1,log"',
    'SecDefaultAction "phase:1,pass,id:1"',
    "SecRuleRemoveById 1 2 3-5",
    "SecRuleRemoveById abc",
    'SecRuleRemoveByTag "a.*"',
    'SecRuleRemoveByMsg "a b"',
    'SecRuleUpdateTargetById 5 "!ARGS:foo"',
    'SecRuleUpdateTargetByTag foo "!ARGS:x"',
    'SecRuleUpdateTargetByMsg foo "!ARGS:x"',
    'SecRuleUpdateActionById 5 "pass"',
    "SecRequestBodyLimit 13107200",
    "SecRequestBodyLimit 12x",
    "SecRequestBodyAccess maybe",
    "SecRequestBodyLimitAction ProcessPartial",
    "SecRuleEngine DetectionOnly",
    "SecRuleEngine Blah",
    "SecResponseBodyMimeType text/plain text/html",
    "SecArgumentSeparator &",
    "SecCollectionTimeout 600",
    'SecComponentSignature "a/1"',
    "SecFoo bar",
    'SecMarker "END"',
]
STRICTER = [
    ('SecRule ARGS "a" "id:1,chain"', "no rule follows"),
    ('SecRule ARGS "@foo bar" "id:1"', "unknown operator"),
    ('SecRule ARGS "a" "id:1,chain"\nSecMarker x', "no rule follows"),
]
"""Mistakes that ModSecurity loads, and which then do not what they say."""

MORE_LENIENT = [
    'SecRule ARGS:/a|b/ "a" "id:1"',
    "SecRule ARGS '@rx a' 'id:1'",
    'SecRuleRemoveById "1,2"',
    'SecRuleUpdateTargetById 5 "!ARGS:foo" "ARGS"',
    'SecDefaultAction "phase:1,pass"\nSecDefaultAction "phase:1,deny"',
]
"""What version 2 of ModSecurity loads and version 3 does not."""


def refusal(text: str) -> str:
    """Return why `text` is refused, nothing if it is loaded."""
    try:
        parse([("f.conf", text)])
    except SecLangError as error:
        return str(error)
    return ""


def loaded_by_modsecurity(text: str) -> bool:
    try:
        return bool(libmodsecurity.RulesSet().load(text + "\n") >= 0)
    except Exception:
        return False


@pytest.mark.parametrize("text", SAME)
def test_file_is_loaded_if_modsecurity_loads_it(text: str) -> None:
    assert (refusal(text) == "") is loaded_by_modsecurity(text), refusal(text)


@pytest.mark.parametrize(("text", "problem"), STRICTER)
def test_mistake_that_modsecurity_loads_is_refused(text: str, problem: str) -> None:
    assert loaded_by_modsecurity(text)
    assert problem in refusal(text)


@pytest.mark.parametrize("text", MORE_LENIENT)
def test_file_of_version_2_is_loaded(text: str) -> None:
    assert not loaded_by_modsecurity(text)
    assert refusal(text) == ""
