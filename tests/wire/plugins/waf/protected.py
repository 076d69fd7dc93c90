"""A route with the firewall and rules written for a test."""

import contextlib
import json

from tests.kit import compiled_rules
from tests.kit.proxy import config, serving

RULES = r"""
SecRequestBodyLimit 1000
SecRequestBodyLimitAction Reject
SecResponseBodyAccess On
SecResponseBodyLimit 2000
SecResponseBodyLimitAction ProcessPartial
SecResponseBodyMimeType text/plain text/html
SecRule ARGS "@contains attack" "id:1,phase:2,deny,log,severity:CRITICAL,\
    msg:'An attack in %{MATCHED_VAR_NAME}',tag:'attack-test'"
SecRule REQUEST_URI "@contains /redirected" "id:2,phase:1,redirect:https://www.example.com/,log"
SecRule REQUEST_URI "@contains /dropped" "id:3,phase:1,drop,log"
SecRule REQUEST_URI "@contains /teapot" "id:4,phase:1,deny,status:418,log"
SecRule RESPONSE_HEADERS:X-Secret "@rx ." "id:5,phase:3,deny,log"
SecRule RESPONSE_BODY "@contains ora-00933" "id:6,phase:4,deny,log,t:lowercase"
SecRule REQUEST_HEADERS:X-Noted "@rx ." "id:7,phase:1,pass,log,logdata:'%{MATCHED_VAR}'"
SecRule REQUEST_URI "@contains /switched-off" "id:8,phase:1,pass,nolog,ctl:ruleEngine=Off"
SecRule REQUEST_URI "@contains /no-body" "id:9,phase:1,pass,nolog,ctl:requestBodyAccess=Off"
SecRule REQUEST_HEADERS:Cookie|ARGS:password "@contains attack" \
    "id:10,phase:1,pass,log,msg:'Found',logdata:'%{MATCHED_VAR}'"
SecRule REQUEST_BODY "@contains raw-attack" "id:11,phase:2,deny,log"
"""


def rule_file(folder, text=RULES, name="rules.conf"):
    """Write `name` with `text` in `folder`."""
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(text)
    return name


class Protected:
    """A serving proxy whose route has the firewall, and what its logs say."""

    def __init__(self, proxy, folder):
        self.proxy = proxy
        self._folder = folder

    def client(self):
        return self.proxy.client()

    async def ask(self, data, method="GET"):
        async with self.proxy.client() as client:
            return await client.ask(data, method)

    def audit(self):
        """The records of the audit log."""
        return [json.loads(line) for line in self.audit_lines()]

    def audit_lines(self):
        """The lines of the audit log."""
        return self.flushed_audit_log().read_text().splitlines()

    def flushed_audit_log(self):
        """The file of the audit log, after all that belongs in it is written."""
        self.proxy.worker.log_files.flush()
        return self._folder / "audit.log"


@contextlib.asynccontextmanager
async def protecting(folder, member, *, rules=RULES, top=(), route=(), **options):
    """Serve `member` behind the firewall with `rules` and `options`."""
    named = options.pop("files", None) or [rule_file(folder, rules)]
    waf = {"rules": named, "audit_log": "audit.log", **options}
    mapping = config(
        member.address,
        route={"plugins": [{"waf": waf}], **dict(route)},
        state={"path": str(folder / "state")},
        **dict(top),
    )
    with compiled_rules.sharing(folder / "state"):
        async with serving(folder, mapping) as proxy:
            yield Protected(proxy, folder)
