"""Stores of cached responses."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import Field

from adc.config.model.base import Forms, Part
from adc.config.model.types import FilePath, byte_size


class DiskCache(Part):
    """The disk tier, shared by all workers and kept over a restart."""

    short_forms: ClassVar[Forms] = ({"type": "string"},)

    path: FilePath = Field(description="Folder of the tier.")
    size: Annotated[int, byte_size("1MB", "100TB")] = Field(1 << 30, description="Maximum size in bytes.")

    @classmethod
    def expanded(cls, value: Any) -> Any:
        return {"path": value} if isinstance(value, str) else value


class CacheStore(Part):
    """A named store of cached responses."""

    memory: Annotated[int, byte_size("0B", "1TB")] = Field(
        64 << 20,
        description=(
            "Maximum size of the memory tier of a worker in bytes, including responses being received. Without disk, "
            "several workers also share a tier of this size in memory (in the folder of state)."
        ),
    )
    disk: DiskCache | None = Field(None, description="The disk tier; none by default.")
    max_object: Annotated[int, byte_size("1KB", "100GB")] = Field(
        32 << 20, description="Larger responses are not stored."
    )
