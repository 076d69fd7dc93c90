"""The options of the plugin."""

from __future__ import annotations

from typing import Annotated, Literal

from adc_plugins.charset.charsets import Charset, find
from pydantic import AfterValidator, Field, model_validator

from adc.plugin import ContentTypes, Options, Size

AUTO = "auto"
_TYPES = (
    "text/*",
    "application/xhtml+xml",
    "application/xml",
    "application/*+xml",
    "image/svg+xml",
    "application/json",
    "application/*+json",
    "application/javascript",
    "application/x-javascript",
)


def charset_of(label: str) -> Charset:
    """Return the charset with that label. Raises ValueError."""
    charset = find(label)
    if charset is None:
        raise ValueError(
            f"unknown charset {label!r}; use a label such as utf-8, euc-kr, shift_jis, gb18030 or koi8-r"
        )
    return charset


def _known(label: str) -> str:
    if label != AUTO:
        charset_of(label)
    return label


Label = Annotated[str, AfterValidator(_known)]


class CharsetOptions(Options):
    """From which charset to which, and what else is converted."""

    to: Label = "utf-8"
    """The charset that clients get, by any label that browsers know."""
    from_: Label = Field(AUTO, alias="from")
    """The charset of the application, whatever it declares. `auto`: what a byte order mark says, or else the
    Content-Type field, or else the content (`<meta>`, XML declaration, `@charset`), or else what it looks like."""
    fallback: Label = "windows-1252"
    """The charset of content that declares none and does not look like one."""
    detect: bool = True
    """Look at content that declares no charset. False: it is in the `fallback`."""
    undecodable: Literal["replace", "pass", "fail"] = "replace"
    """Bytes that are no character: `replace` by U+FFFD, `pass` as they are, or `fail`: the client gets 502. For that
    the whole content is buffered."""
    fail_limit: Size = 10 << 20
    """The most content that `undecodable: fail` buffers. A larger response is a failure of the plugin (`on_error`)."""
    content_types: ContentTypes = Field(_TYPES, validate_default=True)
    """Media types of the responses to convert."""
    requests: bool | Label = False
    """Convert query strings and forms from UTF-8 to the charset of the application: `true` for that of `from`, or a
    label."""
    paths: bool = False
    """With `requests`, convert the path too."""
    form_limit: Size = 10 << 20
    """The largest form that is converted, uploaded files included. A larger one gets 413."""

    @model_validator(mode="after")
    def _consistent(self) -> CharsetOptions:
        if self.to == AUTO or self.fallback == AUTO:
            raise ValueError("`auto` is for `from` only")
        target = charset_of(self.to)
        if target.name.startswith("utf-16"):
            raise ValueError(f"`to` is {self.to}; no browser gets UTF-16 safely, use utf-8")
        if self.from_ != AUTO and charset_of(self.from_) == target:
            raise ValueError(f"`from` and `to` are both {target.name}")
        if self.requests is True and self.from_ == AUTO:
            raise ValueError("`requests: true` needs `from`; or name the charset, such as `requests: euc-kr`")
        if self.requests == AUTO or (self.paths and not self.requests):
            raise ValueError("`paths` needs `requests`: true, or the label of a charset")
        return self

    @property
    def forced(self) -> Charset | None:
        """Return the charset of the application, None if it is found out."""
        return None if self.from_ == AUTO else charset_of(self.from_)

    @property
    def application(self) -> Charset | None:
        """Return the charset that requests are converted to, None if they are not."""
        if self.requests is False:
            return None
        return self.forced if self.requests is True else charset_of(self.requests)
