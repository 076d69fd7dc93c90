"""Media types by the suffix of a file's name; the same on every machine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

_KNOWN: Final = """
application/atom+xml atom
application/epub+zip epub
application/geo+json geojson
application/gzip gz tgz
application/java-archive jar war
application/json json map
application/ld+json jsonld
application/manifest+json webmanifest
application/msword doc
application/octet-stream bin dmg exe img iso msi
application/pdf pdf
application/postscript ai eps ps
application/rss+xml rss
application/rtf rtf
application/toml toml
application/vnd.apple.mpegurl m3u8
application/vnd.ms-excel xls
application/vnd.ms-fontobject eot
application/vnd.ms-powerpoint ppt
application/vnd.oasis.opendocument.presentation odp
application/vnd.oasis.opendocument.spreadsheet ods
application/vnd.oasis.opendocument.text odt
application/vnd.openxmlformats-officedocument.presentationml.presentation pptx
application/vnd.openxmlformats-officedocument.spreadsheetml.sheet xlsx
application/vnd.openxmlformats-officedocument.wordprocessingml.document docx
application/wasm wasm
application/x-7z-compressed 7z
application/x-bzip2 bz2
application/x-sh sh
application/x-tar tar
application/x-x509-ca-cert crt der pem
application/x-xz xz
application/xhtml+xml xhtml
application/xml xml xsd xsl xslt
application/yaml yaml yml
application/zip zip
application/zstd zst
audio/aac aac
audio/flac flac
audio/midi mid midi
audio/mp4 m4a
audio/mpeg mp3
audio/ogg oga ogg opus
audio/wav wav
audio/webm weba
font/collection ttc
font/otf otf
font/ttf ttf
font/woff woff
font/woff2 woff2
image/apng apng
image/avif avif
image/bmp bmp
image/gif gif
image/heic heic
image/jpeg jpeg jpg
image/jxl jxl
image/png png
image/svg+xml svg
image/tiff tif tiff
image/vnd.microsoft.icon ico
image/webp webp
model/gltf+json gltf
model/gltf-binary glb
text/calendar ics
text/css css
text/csv csv
text/html htm html
text/javascript cjs js mjs
text/markdown markdown md
text/plain conf ini log text txt
text/tab-separated-values tsv
text/vcard vcf
text/vtt vtt
video/mp2t ts
video/mp4 m4v mp4
video/mpeg mpeg mpg
video/ogg ogv
video/quicktime mov
video/webm webm
video/x-msvideo avi
"""
UNKNOWN: Final = "application/octet-stream"


def _table() -> dict[str, str]:
    lines = [line.split() for line in _KNOWN.split("\n") if line]
    return {suffix: kind for kind, *suffixes in lines for suffix in suffixes}


class ContentTypes:
    """The `Content-Type` of files. `own` overrides types by suffix, with or without its dot; `charset` is added to
    types of text that name none, "" for no charset."""

    __slots__ = ("_by_suffix", "_unknown")

    def __init__(self, own: Mapping[str, str], charset: str) -> None:
        table = _table() | {suffix.lstrip(".").lower(): kind for suffix, kind in own.items()}
        self._by_suffix = {
            suffix.encode(): _with_charset(kind, charset).encode("latin-1") for suffix, kind in table.items()
        }
        self._unknown = UNKNOWN.encode()

    def of(self, name: bytes) -> bytes:
        """Return the type of the file `name`."""
        base, dot, suffix = name.rpartition(b"/")[2].rpartition(b".")
        if not (base and dot):
            return self._unknown
        return self._by_suffix.get(suffix.lower(), self._unknown)


def _with_charset(kind: str, charset: str) -> str:
    if charset and kind.startswith("text/") and "charset=" not in kind:
        return f"{kind}; charset={charset}"
    return kind
