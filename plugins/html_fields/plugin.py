"""The plugin `html_fields`."""

from __future__ import annotations

import re
from collections.abc import Callable

from adc.plugin import Context, Host, Plugin, Response

from .fields import Sanitise, Selection, TooMuch, Unreadable, known_charset
from .json_fields import rewrite_json
from .multipart import rewrite_multipart
from .options import HtmlFieldsOptions
from .sanitiser import Sanitiser
from .urlencoded import rewrite_query, rewrite_urlencoded

_URLENCODED = b"application/x-www-form-urlencoded"
_MULTIPART = b"multipart/form-data"
_CHARSET = re.compile(rb"charset=\"?([A-Za-z0-9_:.-]+)", re.IGNORECASE)
_JSON = re.compile(rb"application/(?:[a-z0-9.-]+\+)?json")
_MOST_NAMED = 5


class HtmlFields(Plugin[HtmlFieldsOptions]):
    """Sanitises HTML in fields of forms and JSON, or refuses requests with HTML that is not allowed."""

    def __init__(self, options: HtmlFieldsOptions) -> None:
        super().__init__(options)
        unknown = sorted(options.attributes.keys() - set(options.tags) - {"*"})
        if unknown and "attributes" in options.model_fields_set:
            raise ValueError(f"attributes of {unknown[0]!r}, which is not among the tags")
        attributes = {tag: set(names) for tag, names in options.attributes.items() if tag not in unknown}
        self._sanitiser = Sanitiser(set(options.tags), attributes, set(options.url_schemes))
        self._selection = Selection(options.fields)
        self.request_body_limit = options.max_size

    async def start(self, host: Host) -> None:
        self._found = host.counter("fields", "Fields with HTML that is not allowed.")
        self._rejected = host.counter("rejected", "Requests rejected.")

    def request_head(self, context: Context) -> Response | None:
        """Check the query if the options say so. Leave bodies alone that are no forms and no JSON."""
        content_type = context.request.headers.get(b"content-type") or b""
        kind = content_type.partition(b";")[0].strip(b" \t").lower()
        if kind in (_URLENCODED, _MULTIPART) or _JSON.fullmatch(kind):
            context.state["kind"] = kind
            context.state["content_type"] = content_type
        else:
            context.skip_request_body()
        return self._check_query(context) if self.options.query and context.request.query else None

    def _check_query(self, context: Context) -> Response | None:
        query = context.request.query.encode("latin-1", "replace")
        made = self._checked(context, lambda sanitise: rewrite_query(query, self.options.charset, sanitise))
        if isinstance(made, Response):
            return made
        if made is not None:
            context.set_query(made.decode("ascii"))
        return None

    def request_body(self, context: Context, data: bytes, end: bool) -> bytes | Response | None:
        """Check the fields of a form."""
        return self._checked(context, lambda sanitise: self._rewritten(context, data, sanitise))

    def _checked(
        self, context: Context, rewrite: Callable[[Sanitise], bytes | None]
    ) -> bytes | Response | None:
        """Return what replaces what `rewrite` checks: None if it stays."""
        found: list[str] = []
        try:
            made = rewrite(self._sanitising(found))
        except Unreadable as error:
            return self._refuse(context, 400, str(error))
        except TooMuch as error:
            return self._refuse(context, 413, str(error))
        if not found:
            return None
        self._found.add(len(found))
        named = ", ".join(f"{name!r:.60}" for name in found[:_MOST_NAMED])
        if self.options.on_html == "reject":
            return self._refuse(context, 400, f"HTML that is not allowed in {named}")
        context.warn("HTML that is not allowed in fields", fields=named, path=context.request.path)
        return made if self.options.on_html == "sanitize" else None

    def _rewritten(self, context: Context, data: bytes, sanitise: Sanitise) -> bytes | None:
        kind, content_type = context.state["kind"], context.state["content_type"]
        coding = (context.request.headers.get(b"content-encoding") or b"identity").strip().lower()
        if coding != b"identity":
            raise Unreadable("the content is coded")
        if kind == _URLENCODED:
            return rewrite_urlencoded(data, self._charset(content_type), sanitise)
        if kind == _MULTIPART:
            return rewrite_multipart(data, content_type, self._charset(content_type), sanitise)
        return rewrite_json(data, sanitise)

    def _sanitising(self, found: list[str]) -> Sanitise:
        size = 0

        def sanitise(name: str, value: str) -> str | None:
            nonlocal size
            if not self._selection.covers(name) or not self._sanitiser.has_markup(value):
                return None
            size += len(value)
            if size > self.options.max_html:
                raise TooMuch(f"the fields have more than {self.options.max_html} bytes of HTML")
            made = self._sanitiser.sanitised(value)
            if made is not None:
                found.append(name)
            return made

        return sanitise

    def _charset(self, content_type: bytes) -> str:
        declared = _CHARSET.search(content_type)
        return known_charset(declared[1].decode()) if declared else self.options.charset

    def _refuse(self, context: Context, status: int, reason: str) -> Response | None:
        if self.options.on_html == "report":
            context.warn("fields not checked", reason=reason, path=context.request.path)
            return None
        self._rejected.add()
        context.warn("request rejected", reason=reason, path=context.request.path)
        return Response(status, error_page=True)
