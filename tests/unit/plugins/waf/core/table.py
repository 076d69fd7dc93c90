"""All cases of the bundled rules by rule, and the files they come from."""

from pathlib import Path

from tests.kit.web_request import WebRequest, WebResponse
from tests.unit.plugins.waf.core.code_cases import CODE, SSRF
from tests.unit.plugins.waf.core.injection_cases import RESPONSES, SQLI, XSS
from tests.unit.plugins.waf.core.protocol_cases import PROTOCOL, SCANNERS
from tests.unit.plugins.waf.core.system_cases import COMMANDS
from tests.unit.plugins.waf.core.system_cases import FILES as FILE_CASES

CASES = {**PROTOCOL, **SCANNERS, **FILE_CASES, **COMMANDS, **CODE, **SSRF, **XSS, **SQLI, **RESPONSES}
FILES = sorted((Path(__file__).parents[5] / "plugins" / "waf" / "rules" / "core").glob("*.conf"))
LEVEL_4 = (
    'SecAction "id:1,phase:1,pass,nolog,setvar:tx.detection_paranoia_level=4,'
    "setvar:'tx.allowed_methods=GET HEAD POST PUT PATCH DELETE OPTIONS PROPFIND'\"\n"
)


def exchange(case: WebRequest | WebResponse) -> tuple[WebRequest, WebResponse | None]:
    """The request and the response that a case stands for."""
    return (case, None) if isinstance(case, WebRequest) else (WebRequest(), case)
