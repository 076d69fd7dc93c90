"""Choice of a member by a pool: a word, or one word with its options."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema

from adc.config.model.base import Finding, Part, unknown
from adc.config.model.types import number, text_of
from adc.pools.balancers.registry import BALANCERS

KEY_WORDS = "one of: source, path, header:NAME, cookie:NAME, query:NAME"
HashKey = Annotated[
    str, text_of(r"source|path|(?:header|cookie|query):[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,256}", KEY_WORDS)
]


DEFAULT_BOUND = 1.25

ALGORITHMS = tuple(BALANCERS)
WITH_OPTIONS = ("consistent_hash",)

if TYPE_CHECKING:
    PlainName = str
else:
    PlainName = Literal[tuple(name for name in ALGORITHMS if name not in WITH_OPTIONS)]


class PlainBalance(Part):
    """An algorithm without options. Weights count in each of them."""

    not_written: ClassVar[frozenset[str]] = frozenset({"algorithm"})

    algorithm: PlainName = "round_robin"


def _switched(value: Any) -> Any:
    """Return the default bound for true, and None for false."""
    if isinstance(value, bool):
        return DEFAULT_BOUND if value else None
    return value


class ConsistentHash(Part):
    """A ring: the same key goes to the same member, and few keys move when members are added or removed."""

    not_written: ClassVar[frozenset[str]] = frozenset({"algorithm"})

    algorithm: Literal["consistent_hash"] = "consistent_hash"
    key: HashKey = Field("source", description=KEY_WORDS)
    bounded_load: Annotated[Annotated[float, number(1.0, 10.0)] | None, BeforeValidator(_switched)] = Field(
        None,
        description=(
            "Limit of a member's load, as a multiple of the average; the surplus of its keys goes to the next "
            "member. true: 1.25. By default the member of a key does not depend on load."
        ),
    )
    bound: Annotated[float, number(1.0, 10.0)] | None = Field(
        None, description="Former name of bounded_load."
    )

    @classmethod
    def contradictions(cls, written: Mapping[str, Any]) -> Iterable[Finding]:
        if "bound" in written and "bounded_load" in written:
            yield ("bound",), "bound is the former name of bounded_load; write bounded_load only"


ALIASES = {"weighted": "round_robin", "weighted_round_robin": "round_robin"}
"""Round robin always counts weights."""


def _tagged(value: Any) -> Any:
    """Return `least_connections` or `{consistent_hash: {key: path}}` as a mapping with `algorithm`."""
    if isinstance(value, str):
        name, options = value, dict[str, Any]()
    elif isinstance(value, dict) and len(value) == 1:
        ((name, options),) = value.items()
    else:
        allowed = ", ".join(ALGORITHMS)
        raise ValueError(f"a balance is one word, or one word with its options; allowed: {allowed}")
    name = ALIASES.get(name, name)
    if name not in ALGORITHMS:
        raise ValueError(unknown("algorithm", name, ALGORITHMS))
    if not isinstance(options, dict) or "algorithm" in options:
        raise ValueError(f"options of {name} are a mapping, such as {{consistent_hash: {{key: source}}}}")
    return options | {"algorithm": name}


SCHEMA: dict[str, Any] = {
    "anyOf": [
        {"enum": [*ALGORITHMS, *ALIASES]},
        {
            "type": "object",
            "properties": {
                "consistent_hash": {
                    "type": "object",
                    "properties": {
                        "key": {"type": "string", "description": KEY_WORDS},
                        "bounded_load": {
                            "anyOf": [
                                {"type": "boolean"},
                                {"type": "number", "minimum": 1, "maximum": 10},
                            ],
                            "description": "true: 1.25",
                        },
                        "bound": {"type": "number", "minimum": 1, "maximum": 10},
                    },
                    "additionalProperties": False,
                }
            },
            "additionalProperties": False,
        },
    ]
}

Balance = Annotated[
    PlainBalance | ConsistentHash,
    Field(discriminator="algorithm"),
    BeforeValidator(_tagged),
    WithJsonSchema(SCHEMA),
]
