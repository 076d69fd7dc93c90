"""The data path of a tcp or udp listener: the workers, or the kernel."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, ClassVar

from pydantic import Field

from adc.config.model.base import Finding, Forms, Part
from adc.config.model.effects import in_kernel
from adc.config.model.types import one_of

ENGINES = ("userspace", "kernel")
SOURCES = ("own", "client")

PROTOCOLS = ("tcp", "udp")
"""Protocols whose packets the kernel can forward by itself."""


class Datapath(Part):
    """Forwarding of a listener's packets. A bare word is `engine`."""

    short_forms: ClassVar[Forms] = ({"enum": list(ENGINES)},)

    engine: Annotated[str, one_of(*ENGINES)] = Field(
        "userspace",
        description=(
            "userspace: workers accept connections and copy bytes; kernel: nftables rules translate addresses, and no "
            "byte reaches a worker. kernel needs root and nft."
        ),
    )
    source: Annotated[str, one_of(*SOURCES)] = Field(
        "own",
        description=(
            "Source address of packets to members with engine: kernel. own: that of this node, so that replies come "
            "back here; client: the client's, for members whose route to clients leads through this node."
        ),
    )

    @classmethod
    def expanded(cls, value: Any) -> Any:
        return {"engine": value} if isinstance(value, str) else value

    @classmethod
    def contradictions(cls, written: Mapping[str, Any]) -> Iterable[Finding]:
        if "source" in written and written.get("engine", "userspace") == "userspace":
            yield ("source",), "has no effect with engine: userspace; it belongs to engine: kernel"


def of_kernel(written: Mapping[str, Any]) -> Iterable[Finding]:
    """Yield `datapath: kernel` of a listener whose protocol the kernel cannot forward."""
    protocol = written.get("protocol", "http")
    if in_kernel(written) and protocol not in PROTOCOLS:
        yield ("datapath",), f"kernel is for protocol: {' or '.join(PROTOCOLS)}, not {protocol}"
