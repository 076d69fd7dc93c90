"""What libmodsecurity 3 has in its variables for a request: the oracle for collections and flags."""

from __future__ import annotations

SETTINGS = """
SecRuleEngine DetectionOnly
SecRequestBodyAccess On
SecRequestBodyLimit 13107200
SecRequestBodyNoFilesLimit 1310720
"""
_EVERY = "@unconditionalMatch"
_SEPARATOR = "~#~"


class Values:
    """The variables `names` after phase 2, with the body read by `processor` if one is given."""

    def __init__(self, names, processor=""):
        from libmodsecurity import ModSecurity, RulesSet

        self._names = names
        self._engine = ModSecurity()
        self._engine.set_log_callback(lambda *_: None)
        self._rules = RulesSet()
        if self._rules.load(SETTINGS + _processor_rule(processor) + _collecting_rules(names)) < 0:
            raise ValueError(self._rules.get_parser_error())

    def of(self, target="/", headers=(), body=b""):
        """Return for each name the list of `key|value` (only the value for variables of one value)."""
        from libmodsecurity import Transaction

        transaction = Transaction(self._engine, self._rules)
        transaction.process_connection("203.0.113.7", 4000, "192.0.2.1", 80)
        transaction.process_uri(target, "POST", "1.1")
        for name, value in headers:
            transaction.add_request_header(name, value)
        transaction.process_request_headers()
        if body:
            transaction.append_request_body(body)
        transaction.process_request_body()
        found = {message.rule_id: message.data for message in transaction.get_rule_messages()}
        transaction.process_logging()
        return {name: _split(found.get(index + 1, ""), name) for index, name in enumerate(self._names)}


def _processor_rule(processor):
    if not processor:
        return ""
    return f'SecAction "id:900000,phase:1,pass,nolog,ctl:requestBodyProcessor={processor}"\n'


def _collecting_rules(names):
    text = ""
    for index, name in enumerate(names):
        collect = f"setvar:'tx.v{index}=%{{tx.v{index}}}{_SEPARATOR}%{{MATCHED_VAR_NAME}}|%{{MATCHED_VAR}}'"
        text += f'SecRule {name} "{_EVERY}" "id:{index + 910000},phase:2,pass,nolog,t:none,{collect}"\n'
        show = f"msg:'x',logdata:'%{{tx.v{index}}}'"
        text += f'SecRule &{name} "@gt 0" "id:{index + 1},phase:2,pass,log,t:none,{show}"\n'
    return text


def _split(data, name):
    items = data.split(_SEPARATOR)[1:]
    return [item.removeprefix(f"{name}:").removeprefix(f"{name}|") for item in items]
