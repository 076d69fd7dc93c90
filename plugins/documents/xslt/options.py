"""Options of `xslt`."""

from __future__ import annotations

from adc_plugins.documents.selection import On
from adc_plugins.documents.xml.options import XML_TYPES
from pydantic import Field, field_validator

from adc.plugin import ContentTypes, Duration, FilePath, Options, Size


class XsltOptions(Options):
    """Which stylesheet transforms what."""

    stylesheet: FilePath
    """XSLT 1.0 stylesheet, with EXSLT. It may include other local files; while it runs it reads and writes nothing."""
    on: On = "response"
    """`response`, `request` or `both`: which messages are transformed."""
    content_types: ContentTypes = Field(XML_TYPES, validate_default=True)
    """Media types of documents that are transformed; others pass unchanged."""
    content_type: str = ""
    """Content-Type of the result; by default what `xsl:output` says."""
    parameters: dict[str, str] = Field(default_factory=dict)
    """Values of `xsl:param`, as text."""
    max_size: Size = Field(1 << 20, ge=1)
    """Bytes of a document, which is buffered. A larger request gets 413, a larger response is a failure
    (`on_error`)."""
    max_depth: int = Field(256, ge=1, le=2000)
    """Depth of nested elements."""
    max_nodes: int = Field(200_000, ge=1)
    """Elements and attributes of a document."""
    max_output: Size = Field(16 << 20, ge=1)
    """Bytes of a result."""
    max_time: Duration = Field(1.0, ge=0.01, le=60)
    """Processor time of one transformation; then its process is ended, which is a failure."""
    max_memory: Size = Field(512 << 20, ge=64 << 20)
    """Address space of a process that transforms."""
    processes: int = Field(1, ge=1, le=64)
    """Processes that transform, for each worker."""
    waiting: int = Field(64, ge=0, le=10_000)
    """Transformations that may wait for a process; more are failures."""

    @field_validator("content_type")
    @classmethod
    def _printable(cls, value: str) -> str:
        if value and not (value.isascii() and value.isprintable() and "/" in value):
            raise ValueError(f"{value!r} is not a Content-Type such as text/html; charset=utf-8")
        return value
