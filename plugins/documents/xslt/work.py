"""The transformation of one document, as a process of the pool does it.

libxslt cannot be interrupted: a timer of processor time (ITIMER_VIRTUAL) ends the process. Its start and its imports do
not count.
"""

from __future__ import annotations

import signal
from functools import cache
from pathlib import Path
from typing import NamedTuple

from adc_plugins.documents.xml.encoding import KNOWN, ToUtf8
from adc_plugins.documents.xml.guard import XmlGuard
from adc_plugins.documents.xml.limits import XmlLimits
from adc_plugins.documents.xml.refused import XmlRefused
from adc_plugins.documents.xml.tree import parse
from adc_plugins.documents.xslt.stylesheet import Stylesheet, TransformFailed, read_stylesheet

_ENCODINGS = frozenset(KNOWN)


@cache
def _stylesheet(file: str) -> Stylesheet:
    return read_stylesheet(Path(file))


class WorkLimits(NamedTuple):
    """Size, depth and nodes of a document, bytes of a result, and seconds of processor time."""

    size: int
    depth: int
    nodes: int
    output: int
    seconds: float


def transformed(
    file: str,
    content: bytes,
    charset: str,
    parameters: dict[str, str],
    limits: tuple[int, int, int, int, float],
) -> tuple[bytes, str]:
    """Return the result of the stylesheet `file`, and why there is none. `limits` are those of WorkLimits."""
    bounds = WorkLimits(*limits)
    stylesheet = _stylesheet(file)
    signal.setitimer(signal.ITIMER_VIRTUAL, bounds.seconds)
    try:
        result = _result(stylesheet, content, charset, parameters, bounds)
    except XmlRefused as refused:
        return b"", f"line {refused.line}, column {refused.column}: {refused.reason}"
    except TransformFailed as failed:
        return b"", str(failed)
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    if len(result) > bounds.output:
        return b"", f"the result has more than {bounds.output} bytes"
    return result, ""


def _result(
    stylesheet: Stylesheet, content: bytes, charset: str, parameters: dict[str, str], bounds: WorkLimits
) -> bytes:
    size, nodes = bounds.size, bounds.nodes
    limits = XmlLimits(size=size, depth=bounds.depth, nodes=nodes, names=nodes, text=size)
    guard = XmlGuard(limits, ToUtf8(charset, _ENCODINGS), None, True)
    return stylesheet.result(parse(guard.feed(content, True), bare=False), parameters)
