"""The plugin `html_rewrite`."""

from __future__ import annotations

import re
import secrets

from webencodings import Encoding, lookup

from adc.plugin import Context, Host, Plugin, ResponseHead, may_transform

from .document import Document, Edits
from .link_places import LinkEdits
from .nonce import NonceEdits, has_nonce, with_nonce
from .options import HtmlRewriteOptions, Rule
from .program import Change, Program
from .rewriter import Rewriter
from .selectors import parse_selectors
from .tags import escaped_text
from .urls import Links, read_moves

_CHARSET = re.compile(rb"charset[\t ]*=[\t ]*\"?([A-Za-z0-9_:.-]+)", re.IGNORECASE)
_UNLIKE_ASCII = frozenset(("utf-16le", "utf-16be", "iso-2022-jp", "iso-2022-kr", "hz-gb-2312"))
"""Encodings in which a byte of ASCII may stand for something else."""
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
_POLICIES = (b"content-security-policy", b"content-security-policy-report-only")


class HtmlRewrite(Plugin[HtmlRewriteOptions]):
    """Changes HTML while it streams: elements by CSS selectors, links, a nonce, a banner. All other bytes stay."""

    transforms = True

    def __init__(self, options: HtmlRewriteOptions) -> None:
        super().__init__(options)
        if options.csp_policy and not options.csp_nonce:
            raise ValueError("csp_policy needs csp_nonce: true")
        rules = [(parse_selectors(rule.select), _change(rule)) for rule in options.rules]
        if options.banner:
            rules.append((parse_selectors("body"), Change(prepend=options.banner)))
        self._program = Program(rules)
        self._moves = read_moves(options.links.move)
        self._links = bool(options.links.move) or options.links.absolute

    async def start(self, host: Host) -> None:
        self._rewritten = host.counter("rewritten", "Documents rewritten.")

    def response_head(self, context: Context) -> None:
        """Choose the responses to change, and put the nonce into their policy."""
        response = context.response
        assert response is not None
        headers = response.headers
        content_type = headers.get(b"content-type") or b""
        if response.status == 304:
            if self.options.csp_nonce:
                headers.remove(*_POLICIES)  # the client's stored response has a nonce of its own in them
            return
        encoding = _encoding(content_type)
        readable = encoding is None or encoding.name not in _UNLIKE_ASCII
        if not (readable and self.options.content_types.covers(content_type) and may_transform(headers)):
            context.skip_response_body()
            return
        nonce = self._add_nonce(response)
        context.state["document"] = self._document(context, encoding, nonce)

    def response_body(self, context: Context, data: bytes, end: bool) -> bytes | None:
        """Rewrite the next chunk."""
        rewriter = context.state.get("rewriter")
        if rewriter is None:
            if "passes" in context.state or "document" not in context.state:
                return None
            data = context.state.pop("beginning", b"") + data
            if len(data) < 2 and not end:
                context.state["beginning"] = data
                return b""
            if data.startswith(_UTF16_MARKS):
                context.state["passes"] = True
                return data
            rewriter = context.state["rewriter"] = Rewriter(self._program, context.state["document"])
            self._rewritten.add()
        made: bytes = rewriter.feed(data, end)
        return made

    def _document(self, context: Context, encoding: Encoding | None, nonce: str) -> Document:
        edits: list[Edits] = []
        links = None
        if self._links:
            request = context.request
            url = f"{request.scheme}://{request.authority}{request.path}"
            links = LinkEdits(Links(self._moves, url, self.options.links.absolute))
            edits.append(links)
        if nonce:
            edits.append(NonceEdits(nonce))
        return Document(
            edits,
            encoding,
            nonce,
            links.style if links else None,
            links.style_sheet if links else None,
        )

    def _add_nonce(self, response: ResponseHead) -> str:
        """Add a new nonce to the policies of a response; return it, "" if the response gets none."""
        if not self.options.csp_nonce:
            return ""
        headers = response.headers
        policies = [(name, value) for name in _POLICIES for value in headers.get_all(name)]
        if not policies and self.options.csp_policy:
            policies = [(_POLICIES[0], self.options.csp_policy.encode())]
        if not policies or any(has_nonce(value.decode("latin-1")) for _, value in policies):
            return ""
        nonce = secrets.token_urlsafe(18)
        headers.remove(*_POLICIES)
        for name, value in policies:
            headers.add(_spelled(name), with_nonce(value.decode("latin-1"), nonce).encode("latin-1"))
        return nonce


def _spelled(name: bytes) -> bytes:
    return b"-".join(word.capitalize() for word in name.split(b"-"))


def _encoding(content_type: bytes) -> Encoding | None:
    found = _CHARSET.search(content_type)
    return lookup(found[1].decode("ascii")) if found else None


def _change(rule: Rule) -> Change:
    attributes: list[tuple[bytes, str | None]] = [(name.encode(), value) for name, value in rule.set.items()]
    attributes += [(name.encode(), None) for name in rule.remove_attributes]
    content = rule.html if rule.text is None else escaped_text(rule.text).decode()
    return Change(
        tuple(attributes),
        rule.before,
        rule.prepend,
        rule.append,
        rule.after,
        content,
        rule.remove,
        rule.unwrap,
    )
