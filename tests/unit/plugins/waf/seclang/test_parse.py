from __future__ import annotations

from pathlib import Path

import pytest
from adc_plugins.waf.seclang.model import Action, Marker, OperatorCall, Program, Rule, SecLangError, Target
from adc_plugins.waf.seclang.parse import load, parse


def program(text: str) -> Program:
    return parse([("f.conf", text)])


def rules(text: str) -> list[Rule]:
    return [item for item in program(text).items if isinstance(item, Rule)]


def rule(text: str) -> Rule:
    (found,) = rules(text)
    return found


def names(found: Rule) -> list[str]:
    return [action.name for action in found.actions]


def test_rule_is_read_with_its_place() -> None:
    found = rule(
        '\nSecRule ARGS "@contains a b" \\\n  "id:7,phase:1,deny,status:404,t:none,t:lowercase,tag:x"'
    )
    assert (str(found.place), found.id, found.phase) == ("f.conf:2", 7, 1)
    assert found.targets == (Target("ARGS"),)
    assert found.operator == OperatorCall("contains", "a b")
    assert found.actions == (Action("deny"), Action("status", "404"), Action("tag", "x"))
    assert found.transformations == ("lowercase",)
    assert found.tags == ("x",)


def test_action_has_neither_targets_nor_operator() -> None:
    found = rule('SecAction "id:1,pass"')
    assert (found.targets, found.operator, found.phase) == ((), None, 2)


@pytest.mark.parametrize(
    ("text", "operator"),
    [
        ("a b", OperatorCall("rx", "a b")),
        ("!a", OperatorCall("rx", "a", negated=True)),
        ("@EQ 0", OperatorCall("eq", "0")),
        ("!@eq 0", OperatorCall("eq", "0", negated=True)),
        ("! @eq 0", OperatorCall("eq", "0", negated=True)),
        ("@rx  a ", OperatorCall("rx", " a ")),
        ("@eq  1", OperatorCall("eq", "1")),
        ("@rx\ta", OperatorCall("rx", "a")),
        ("@detectSQLi", OperatorCall("detectsqli", "")),
        ("^@", OperatorCall("rx", "^@")),
    ],
)
def test_operator_is_read(text: str, operator: OperatorCall) -> None:
    assert rule(f'SecRule ARGS "{text}" "id:1"').operator == operator


def test_chain_links_the_rules_that_follow() -> None:
    found = rule(
        'SecRule ARGS "a" "id:1,phase:1,deny,chain"\n'
        'SecRule TX "b" "t:lowercase,chain,setvar:tx.a=1"\n'
        'SecRule ARGS_NAMES "c"'
    )
    assert found.chain
    assert found.chain.chain
    assert found.chain.chain.chain is None
    assert (found.chain.id, found.chain.phase, names(found.chain)) == (0, 1, ["setvar"])
    assert found.chain.transformations == ("lowercase",)


def test_marker_keeps_its_position() -> None:
    items = program('SecAction "id:1,skipAfter:END"\nSecMarker "END"\nSecAction "id:2"').items
    assert [item.name if isinstance(item, Marker) else item.id for item in items] == [1, "END", 2]


class TestDefaults:
    def test_later_rules_of_the_phase_inherit(self) -> None:
        before, other, after = rules(
            'SecAction "id:1"\n'
            'SecDefaultAction "phase:2,log,auditlog,deny,status:403,t:lowercase"\n'
            'SecAction "id:2,phase:1"\nSecAction "id:3,nolog"'
        )
        assert names(before) == ["pass"]
        assert names(other) == ["pass"]
        assert names(after) == ["auditlog", "deny", "status", "nolog"]
        assert after.transformations == ("lowercase",)

    def test_none_clears_inherited_transformations(self) -> None:
        assert rule('SecDefaultAction "pass,t:trim"\nSecAction "id:1,t:none"').transformations == ()

    def test_own_disruptive_action_replaces_the_default(self) -> None:
        assert names(rule('SecDefaultAction "phase:2,deny"\nSecAction "id:1,pass"')) == ["pass"]

    def test_block_stands_for_the_default(self) -> None:
        text = 'SecDefaultAction "phase:2,redirect:http://a.example/"\nSecAction "id:1,block"'
        assert rule(text).actions == (Action("redirect", "http://a.example/"),)

    def test_block_without_default_passes(self) -> None:
        assert names(rule('SecAction "id:1,block"')) == ["pass"]

    def test_severity_is_inherited(self) -> None:
        assert rule('SecDefaultAction "pass,severity:2"\nSecAction "id:1"').last("severity") == "2"


class TestChanges:
    TEXT = (
        "SecRule ARGS|TX \"a\" \"id:10,deny,msg:'SQL injection',tag:'attack-sqli',chain\"\n"
        'SecRule ARGS "b"\n'
        "SecRule ARGS \"a\" \"id:20,deny,msg:'XSS',tag:'attack-xss'\"\n"
        "SecAction \"id:30,pass,tag:'other'\"\n"
    )

    def ids(self, change: str) -> list[int]:
        return [found.id for found in rules(self.TEXT + change)]

    @pytest.mark.parametrize(
        ("change", "left"),
        [
            ("SecRuleRemoveById 10", [20, 30]),
            ("SecRuleRemoveById 10 30", [20]),
            ('SecRuleRemoveById "10,20"', [30]),
            ("SecRuleRemoveById 15-30", [10]),
            ("SecRuleRemoveById 1-9 20", [10, 30]),
            ("SecRuleRemoveByTag ^attack-", [30]),
            ('SecRuleRemoveByTag "sqli|other"', [20]),
            ('SecRuleRemoveByMsg "^SQL"', [20, 30]),
        ],
    )
    def test_removed_rules_are_left_out(self, change: str, left: list[int]) -> None:
        assert self.ids(change) == left

    def test_removal_before_the_rule_removes_it_too(self) -> None:
        assert [found.id for found in rules("SecRuleRemoveById 20\n" + self.TEXT)] == [10, 30]

    @pytest.mark.parametrize(
        "change",
        [
            'SecRuleUpdateTargetById 20 "!ARGS:a"',
            'SecRuleUpdateTargetById 15-25 "!ARGS:a"',
            'SecRuleUpdateTargetById 5,20 "!ARGS:a"',
            'SecRuleUpdateTargetByTag xss "!ARGS:a"',
            'SecRuleUpdateTargetByMsg ^XSS "!ARGS:a"',
        ],
    )
    def test_target_is_added(self, change: str) -> None:
        found = rules(self.TEXT + change)
        assert found[1].targets == (Target("ARGS"), Target("ARGS", "a", excluded=True))
        assert found[0].targets == (Target("ARGS"), Target("TX"))

    def test_target_is_replaced(self) -> None:
        found = rules(self.TEXT + 'SecRuleUpdateTargetById 10 "REQUEST_URI" "TX"')
        assert found[0].targets == (Target("ARGS"), Target("REQUEST_URI"))

    def test_offset_names_a_chained_rule(self) -> None:
        found = rules(self.TEXT + 'SecRuleUpdateTargetById 10:1 "!ARGS:a"')
        assert found[0].targets == (Target("ARGS"), Target("TX"))
        assert found[0].chain
        assert found[0].chain.targets == (Target("ARGS"), Target("ARGS", "a", excluded=True))

    def test_offset_beyond_the_chain_is_an_error(self) -> None:
        with pytest.raises(SecLangError, match=r"f.conf:5: rule 10 at f.conf:1 has no chained rule 2"):
            rules(self.TEXT + 'SecRuleUpdateTargetById 10:2 "!ARGS:a"')

    def test_actions_are_replaced_or_added(self) -> None:
        found = rules(self.TEXT + "SecRuleUpdateActionById 20 \"pass,status:404,tag:more,msg:'new'\"")
        assert names(found[1]) == ["tag", "pass", "status", "tag", "msg"]
        assert (found[1].id, found[1].last("msg"), found[1].tags) == (20, "new", ("attack-xss", "more"))

    def test_updated_rule_may_block_as_its_default_says(self) -> None:
        text = 'SecDefaultAction "phase:2,drop"\nSecAction "id:1,pass"\nSecRuleUpdateActionById 1 block'
        assert names(rule(text)) == ["drop"]

    def test_id_may_not_be_changed(self) -> None:
        with pytest.raises(SecLangError, match="may not change the id"):
            rules(self.TEXT + 'SecRuleUpdateActionById 20 "id:21"')

    def test_change_that_concerns_no_rule_is_a_warning(self) -> None:
        warnings = program(self.TEXT + 'SecRuleRemoveById 99\nSecRuleUpdateTargetByTag none "!ARGS"').warnings
        assert [str(warning) for warning in warnings] == [
            "f.conf:5: SecRuleRemoveById 99 concerns no rule",
            "f.conf:6: SecRuleUpdateTargetByTag none concerns no rule",
        ]


class TestSettings:
    def test_settings_are_read(self) -> None:
        settings = program(
            "SecRuleEngine DetectionOnly\nSecRequestBodyAccess Off\nSecRequestBodyLimit 13107200\n"
            "SecRequestBodyNoFilesLimit 100\nSecRequestBodyLimitAction ProcessPartial\nSecRequestBodyJsonDepthLimit 9\n"
            "SecResponseBodyAccess Off\nSecResponseBodyLimit 10\nSecResponseBodyLimitAction Reject\n"
            "SecArgumentsLimit 5\nSecArgumentSeparator ;\nSecCollectionTimeout 60\n"
            'SecComponentSignature "a/1"\nSecComponentSignature b\nsecparsexmlintoargs OnlyArgs'
        ).settings
        assert settings.engine == "detectiononly"
        assert not settings.request_body_access
        assert (settings.request_body_limit, settings.request_body_no_files_limit) == (13_107_200, 100)
        assert settings.request_body_limit_action == "processpartial"
        assert settings.request_body_json_depth == 9
        assert not settings.response_body_access
        assert (settings.response_body_limit, settings.response_body_limit_action) == (10, "reject")
        assert (settings.arguments_limit, settings.argument_separator, settings.collection_timeout) == (
            5,
            ";",
            60,
        )
        assert settings.component_signatures == ("a/1", "b")
        assert settings.parse_xml_into_args == "onlyargs"

    @pytest.mark.parametrize(
        ("text", "types"),
        [
            ("", ("text/plain", "text/html", "text/xml")),
            ("SecResponseBodyMimeType Application/JSON", ("application/json",)),
            ("SecResponseBodyMimeType a/b\nSecResponseBodyMimeType a/b c/d", ("a/b", "c/d")),
            ("SecResponseBodyMimeTypesClear", ()),
        ],
    )
    def test_content_types_are_replaced_then_added(self, text: str, types: tuple[str, ...]) -> None:
        assert program(text).settings.response_body_mime_types == types

    def test_directives_without_meaning_here_are_accepted(self) -> None:
        text = "SecAuditEngine RelevantOnly\nSecUnicodeMapFile unicode.mapping 20127\nSecTmpDir /tmp/"
        assert program(text) == program("")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("SecRul ARGS a", 'unknown directive "SecRul"; did you mean "SecRule"?'),
        ("SecRule ARGS", "expected 2 or 3 arguments, found 1"),
        ('SecRule ARGS "a" "id:1" "b"', "expected 2 or 3 arguments, found 4"),
        ('SecRule ARGS "@contain a" "id:1"', 'unknown operator "@contain"; did you mean "@contains"?'),
        ('SecRule ARGS "@rx" "id:1"', "@rx needs an argument"),
        ('SecRule ARGS "@ a" "id:1"', "unknown operator"),
        ('SecRule ARGS "" "id:1"', "the operator is empty"),
        ('SecRule ARGS "a"', "the rule has no id"),
        ('SecRule ARGS "a" "id:1,chain"', "no rule follows it"),
        ('SecRule ARGS "a" "id:1,chain"\nSecMarker a', "no rule follows it"),
        ('SecRule ARGS "a" "id:1,chain"\nSecRule ARGS "b" "deny"', "only the first rule of a chain"),
        ('SecAction "id:1"\nSecAction "id:1"', "the id 1 is already used at f.conf:1"),
        ('SecDefaultAction "phase:1,log"', "needs a disruptive action"),
        ('SecDefaultAction "phase:1,pass,id:1"', 'may not contain "id"'),
        ("SecRuleEngine Maybe", 'On or Off or DetectionOnly, found "Maybe"'),
        ("SecRequestBodyLimit 12x", "whole number"),
        ("SecRequestBodyLimit", "needs one value, found 0"),
        ("SecArgumentSeparator ab", "one character"),
        ("SecTmpDir", "needs a value"),
        ("SecRuleScript a.lua", "write the rule in Python"),
        ("SecRuleRemoveById x", "neither an id nor a range"),
        ("SecRuleRemoveById", "needs ids of rules"),
        ("SecRuleRemoveByTag (", "not a regular expression"),
        ("SecRuleUpdateTargetById 1", "needs 2 or 3 arguments"),
        ("Include a.conf", "not possible here"),
        ("SecMarker", "needs one argument"),
        ("<Location />", "unknown directive"),
    ],
)
def test_wrong_directive_is_an_error_with_its_place(text: str, problem: str) -> None:
    with pytest.raises(SecLangError) as caught:
        program(text)
    assert str(caught.value).startswith("f.conf:")
    assert problem in str(caught.value)


def test_status_of_no_response_becomes_403_with_a_warning() -> None:
    found = program('SecAction "id:1,deny,status:44"\nSecAction "id:2,deny,status:404"')
    assert [item.last("status") for item in found.items if isinstance(item, Rule)] == ["403", "404"]
    assert [str(warning) for warning in found.warnings] == [
        "f.conf:1: status:44 of rule 1 is no status; 403 is sent instead"
    ]


RECOMMENDED = r"""
SecRuleEngine DetectionOnly
SecRequestBodyAccess On
SecRule REQUEST_HEADERS:Content-Type "^(?:application(?:/soap\+|/)|text/)xml" \
     "id:'300000',phase:1,t:none,t:lowercase,pass,nolog,ctl:requestBodyProcessor=XML"
SecRequestBodyInMemoryLimit 131072
SecRule REQBODY_ERROR "!@eq 0" \
"id:'300001', phase:2,t:none,log,deny,status:400,msg:'Not parsed.',logdata:'%{reqbody_error_msg}',severity:2"
SecRule MULTIPART_STRICT_ERROR "!@eq 0" \
"id:'300002',phase:2,t:none,log,deny,status:44,msg:'Multipart body \
not strict: \
PE %{REQBODY_PROCESSOR_ERROR}, \
IH %{MULTIPART_FILE_LIMIT_EXCEEDED}'"
SecPcreMatchLimit 1000
SecPcreMatchLimitRecursion 1000
SecRule TX:/^MSC_/ "!@streq 0" \
        "id:'300004',phase:2,t:none,deny,msg:'Internal error: %{MATCHED_VAR_NAME}'"
SecTmpDir /tmp/
SecDataDir /tmp/
#SecUploadKeepFiles RelevantOnly
SecAuditEngine RelevantOnly
SecAuditLogRelevantStatus "^(?:5|4(?!04))"
SecAuditLogParts ABIJDEFHZ
SecAuditLogType Serial
SecAuditLog /var/log/modsec_audit.log
SecArgumentSeparator &
SecCookieFormat 0
SecUnicodeMapFile unicode.mapping 20127
SecStatusEngine On
"""


def test_directives_of_the_recommended_configuration_are_read() -> None:
    found = program(RECOMMENDED)
    assert [item.id for item in found.items if isinstance(item, Rule)] == [300_000, 300_001, 300_002, 300_004]
    third = found.items[2]
    assert isinstance(third, Rule)
    assert third.last("msg") == (
        "Multipart body not strict: PE %{REQBODY_PROCESSOR_ERROR}, IH %{MULTIPART_FILE_LIMIT_EXCEEDED}"
    )
    assert found.settings.engine == "detectiononly"


def test_skip_to_a_missing_marker_is_a_warning() -> None:
    found = program(
        'SecMarker END\nSecAction "id:1,skipAfter:END"\nSecAction "id:2,skipAfter:3"\nSecAction "id:3"'
    )
    assert [str(warning) for warning in found.warnings] == [
        'f.conf:2: no SecMarker "END" follows rule 1, so it skips all later rules of its phase'
    ]


class TestInclude:
    def test_relative_pattern_reads_sorted_files_in_place(self, tmp_path: Path) -> None:
        (tmp_path / "d").mkdir()
        (tmp_path / "d" / "b.conf").write_text('SecAction "id:2"')
        (tmp_path / "d" / "a.conf").write_text('SecAction "id:1"')
        main = tmp_path / "main.conf"
        main.write_text('SecAction "id:9"\nInclude d/*.conf\nSecAction "id:3"')
        assert [item.id for item in load([main]).items if isinstance(item, Rule)] == [9, 1, 2, 3]

    def test_missing_file_is_an_error(self, tmp_path: Path) -> None:
        main = tmp_path / "main.conf"
        main.write_text("\nInclude a.conf")
        with pytest.raises(SecLangError, match=r'main.conf:2: cannot include "a.conf": No such file'):
            load([main])

    def test_files_that_include_each_other_are_an_error(self, tmp_path: Path) -> None:
        main = tmp_path / "main.conf"
        main.write_text("Include main.conf")
        with pytest.raises(SecLangError, match="more than 20 deep"):
            load([main])

    def test_bytes_that_are_not_utf8_are_kept(self, tmp_path: Path) -> None:
        main = tmp_path / "main.conf"
        main.write_bytes(b'SecRule ARGS "@contains \xff\xc3\xa9" "id:1"')
        (found,) = load([main]).items
        assert isinstance(found, Rule)
        assert found.operator
        assert found.operator.argument.encode("utf-8", "surrogateescape") == b"\xff\xc3\xa9"


def test_chain_ends_with_its_file() -> None:
    with pytest.raises(SecLangError, match=r"a\.conf:1: rule 1 has the action chain, and no rule follows it"):
        parse([("a.conf", 'SecRule ARGS "a" "id:1,chain"'), ("b.conf", 'SecAction "id:2,phase:1,pass"')])
