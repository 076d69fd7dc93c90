"""The firewall's own engine in process: its verdict on a request under given rules."""

from adc_plugins.waf.engine import Ruleset

from tests.kit import compiled_rules
from tests.kit.waf import facts
from tests.kit.web_request import Verdict, WebRequest, WebResponse


class Engine:
    """Rules loaded by the firewall: `settings` is text before the files, such as a SecAction with the levels."""

    def __init__(self, files, settings=""):
        sources = [(str(file), file.read_text("utf-8", "surrogateescape")) for file in files]
        self._rules = Ruleset.load([("settings.conf", settings), *sources], cache=compiled_rules.FOLDER)

    def judge(self, request: WebRequest, response: WebResponse | None = None) -> Verdict:
        """Return the verdict on `request`, and on `response` if the request passes."""
        transaction = self._rules.transaction(
            facts(
                request.method.encode(),
                request.target.encode(),
                _encoded(request.headers),
                f"HTTP/{request.protocol}".encode(),
            )
        )
        blocked = transaction.request_head() or transaction.request_body(request.body, False)
        if response is not None and not blocked:
            blocked = transaction.response_head(response.status, b"HTTP/1.1", _encoded(response.headers))
            blocked = blocked or transaction.response_body(response.body, False)
        transaction.logging()
        return Verdict(frozenset(match.rule_id for match in transaction.matches), blocked is not None)


def _encoded(headers):
    return tuple((name.encode(), value.encode()) for name, value in headers)
