"""A nonce in the Content-Security-Policy of a response and in its script and style elements."""

from __future__ import annotations

from .names import words
from .tags import StartTag

_DIRECTIVES = ("script-src", "script-src-elem", "style-src", "style-src-elem")
_INHERITING = ("script-src", "style-src")
_NONCE = "'nonce-"


def with_nonce(policy: str, nonce: str) -> str:
    """Return a policy, or a list of policies, that allows elements with `nonce`.

    `script-src` and `style-src` get it. Where one is missing, `default-src` is written out for it. Styles that are all
    allowed stay so: a nonce would forbid those in `style` attributes.
    """
    return ", ".join(_policy(each, nonce) for each in policy.split(","))


def _policy(policy: str, nonce: str) -> str:
    directives: dict[str, list[str]] = {}
    for text in policy.split(";"):
        name, *sources = text.split() or [""]
        if name:
            directives.setdefault(name.lower(), sources)
    for name in _INHERITING:
        if name not in directives and "default-src" in directives:
            directives[name] = directives["default-src"]
    for name in _DIRECTIVES:
        if name in directives:
            kept = [source for source in directives[name] if source.lower() != "'none'"]
            if name.startswith("style") and "'unsafe-inline'" in kept:
                continue
            directives[name] = [*kept, f"{_NONCE}{nonce}'"]
    return "; ".join(" ".join([name, *sources]) for name, sources in directives.items())


def has_nonce(policy: str) -> bool:
    """Return True if the application sets nonces itself."""
    return _NONCE in policy.lower()


class NonceEdits:
    """Puts the nonce into `script` and `style` elements, and into policies of `meta` elements."""

    names = words("script style link meta")

    def __init__(self, nonce: str) -> None:
        self._nonce = nonce

    def start(self, tag: StartTag) -> None:
        """Edit a start tag."""
        if tag.name == b"meta":
            if (tag.get(b"http-equiv") or "").strip().lower() == "content-security-policy":
                policy = tag.get(b"content") or ""
                if not has_nonce(policy):
                    tag.set(b"content", with_nonce(policy, self._nonce))
        elif tag.name != b"link" or "stylesheet" in (tag.get(b"rel") or "").lower().split():
            tag.set(b"nonce", self._nonce)
