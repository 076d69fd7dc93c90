"""The action of a route that serves files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, ClassVar

from pydantic import Field

from adc.config.model.base import Finding, Forms, Part
from adc.config.model.types import LISTED, OFF, FieldValue, FilePath, Flag, one_of, text_of

FileName = Annotated[str, text_of(r"(?!\.\.?\Z)[^/\\\0]{1,255}", "the name of a file, without a folder")]
Beneath = Annotated[
    str,
    text_of(
        r"(?!(?:.*/)?\.\.?(?:/|\Z))[^/\\\0]+(?:/[^/\\\0]+)*",
        "the name of a file beneath root, such as index.html",
    ),
]
Tried = Annotated[
    str,
    text_of(
        r"=[45][0-9]{2}|(?!(?:.*/)?\.\.?(?:/|\Z))"
        r"(?:(?:/[^/\\\0$]+)*\$uri[^/\\\0$]*(?:/[^/\\\0$]+)*|(?:/[^/\\\0$]+)+)/?",
        "a name beneath root, such as $uri, $uri.html, $uri/ or /index.html, or a status, such as =404",
    ),
]
Suffix = Annotated[str, text_of(r"\.?[A-Za-z0-9_+\-]{1,32}", "a suffix, such as .html")]
MediaType = Annotated[
    str,
    text_of(
        r"[A-Za-z0-9!#$&^_.+\-]+/[A-Za-z0-9!#$&^_.+\-]+(?: *; *[A-Za-z0-9\-]+=[A-Za-z0-9_.\-]+)*",
        "a media type, such as text/html",
    ),
]
Charset = Annotated[str, text_of(r"[A-Za-z0-9_.:\-]{1,40}", "a character set, such as utf-8 or euc-kr")]


class Files(Part):
    """Files of a folder. A bare string is `root`.

    The path of the request, after `rewrite`, names the file beneath `root`. No link leads out of `root`.
    """

    short_forms: ClassVar[Forms] = ({"type": "string"},)

    root: FilePath = Field(
        description="The folder; a relative path starts at the configuration file's folder."
    )
    index: Annotated[tuple[FileName, ...], LISTED] = Field(
        ("index.html",), description="Files that stand for their folder; the first one that exists is sent."
    )
    fallback: Beneath | None = Field(
        None,
        description=(
            "File beneath root that is sent, with status 200, in place of one that does not exist: the page of a "
            "single-page application."
        ),
    )
    try_: Annotated[tuple[Tried, ...], LISTED] = Field(
        ("$uri", "$uri/"),
        alias="try",
        description=(
            "What is tried in order: $uri is the path of the request, so $uri.html is the file with .html added; a "
            "name with a slash at its end is a folder, whose index is sent; /index.html is a file for all paths. A "
            "status such as =404, which ends the list, is the response if nothing exists."
        ),
    )
    precompressed: Annotated[tuple[Annotated[str, one_of("br", "zstd", "gzip")], ...], LISTED] = Field(
        ("br", "zstd", "gzip"),
        description=(
            "Codings whose compressed copies, beside a file and named like it with .br, .zst or .gz, are sent to "
            "clients that accept them; the preferred one first."
        ),
    )
    listing: Flag = Field(False, description="List folders that have no index, as HTML or JSON.")
    hidden: Flag = Field(
        False, description="Serve names that begin with a dot. The folder .well-known is always served."
    )
    cache_control: FieldValue | None = Field(
        None, description="Cache-Control of the files, such as max-age=3600."
    )
    charset: Annotated[Charset | None, OFF] = Field(
        "utf-8", description="Charset in the Content-Type of text; false: none."
    )
    types: Mapping[Suffix, MediaType] = Field(
        {}, description="Media types by suffix, in addition to the built-in ones."
    )

    @classmethod
    def contradictions(cls, written: Mapping[str, Any]) -> Iterable[Finding]:
        tried = written.get("try")
        if tried is None:
            return
        listed = tried if isinstance(tried, list) else [tried]
        for place, each in enumerate(listed[:-1]):
            if isinstance(each, str) and each.startswith("="):
                yield ("try", place), f"nothing after {each} is tried: a status ends the list"
        if all(isinstance(each, str) and each.startswith("=") for each in listed):
            yield ("try",), "has no name to try, such as $uri"
        if written.get("fallback") is not None:
            yield ("fallback",), f"has no effect with try; end the list with /{written['fallback']}"

    @classmethod
    def expanded(cls, value: Any) -> Any:
        return {"root": value} if isinstance(value, str) else value
