"""libmodsecurity 3 in process: its verdict on a request under given rules. `available()` is False without it."""

import importlib.util
from functools import cache

from tests.kit.web_request import Verdict

SETTINGS = """
SecRuleEngine On
SecRequestBodyAccess On
SecRequestBodyLimit 13107200
SecRequestBodyNoFilesLimit 1310720
SecRequestBodyJsonDepthLimit 512
SecResponseBodyAccess On
SecResponseBodyMimeType text/plain text/html text/xml application/json
SecResponseBodyLimit 524288
SecRule REQUEST_HEADERS:Content-Type "@rx (?i)^(?:application/(?:soap\\+)?|text/)xml" \
    "id:200000,phase:1,t:none,pass,nolog,ctl:requestBodyProcessor=XML"
SecRule REQUEST_HEADERS:Content-Type "@rx (?i)^application/(?:[a-z0-9.-]+\\+)?json" \
    "id:200001,phase:1,t:none,pass,nolog,ctl:requestBodyProcessor=JSON"
"""
"""The engine's settings and the choice of body processors, as the recommended configuration has them."""


def available():
    return importlib.util.find_spec("libmodsecurity") is not None


@cache
def _engine():
    from libmodsecurity import ModSecurity

    engine = ModSecurity()
    engine.set_log_callback(lambda line: None)
    return engine


class Oracle:
    """Rules loaded by libmodsecurity: `settings` is text before the files, such as a SecAction with the levels."""

    def __init__(self, files, settings=""):
        from libmodsecurity import RulesSet

        self._rules = RulesSet()
        self._checked(self._rules.load(SETTINGS + settings))
        for file in files:
            self._checked(self._rules.load_from_uri(str(file)))

    def _checked(self, loaded):
        if loaded < 0:
            raise ValueError(self._rules.get_parser_error())

    def judge(self, request, response=None):
        """Return the verdict on `request`, and on `response` if the request passes."""
        from libmodsecurity import Transaction

        transaction = Transaction(_engine(), self._rules)
        blocked = any(transaction.intervention() is not None for _ in _phases(transaction, request, response))
        transaction.process_logging()
        ids = frozenset(message.rule_id for message in transaction.get_rule_messages())
        return Verdict(ids, blocked)


def _phases(transaction, request, response):
    transaction.process_connection("203.0.113.7", 40000, "192.0.2.1", 80)
    transaction.process_uri(request.target, request.method, request.protocol)
    for name, value in request.headers:
        transaction.add_request_header(name, value)
    yield transaction.process_request_headers()
    if request.body:
        transaction.append_request_body(request.body)
    yield transaction.process_request_body()
    if response is not None:
        for name, value in response.headers:
            transaction.add_response_header(name, value)
        yield transaction.process_response_headers(response.status, "HTTP/1.1")
        transaction.append_response_body(response.body)
        yield transaction.process_response_body()
