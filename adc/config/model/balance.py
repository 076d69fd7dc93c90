"""How a pool chooses a member: a word, or one word with its options."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal, get_args

from pydantic import BeforeValidator, Field, WithJsonSchema

from adc.config.model.base import Part, unknown
from adc.config.model.types import number, text_of

KEY_WORDS = "one of: source, path, header:NAME, cookie:NAME, query:NAME"
HashKey = Annotated[
    str, text_of(r"source|path|(?:header|cookie|query):[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,256}", KEY_WORDS)
]


class PlainBalance(Part):
    """An algorithm without options. Weights count in each of them."""

    not_written: ClassVar[frozenset[str]] = frozenset({"algorithm"})

    algorithm: Literal[
        "round_robin",
        "least_connections",
        "least_response_time",
        "power_of_two",
        "random",
        "source_hash",
        "first",
    ] = "round_robin"


class ConsistentHash(Part):
    """A ring: the same key goes to the same member, and few keys move when members come and go."""

    not_written: ClassVar[frozenset[str]] = frozenset({"algorithm"})

    algorithm: Literal["consistent_hash"] = "consistent_hash"
    key: HashKey = Field("source", description=KEY_WORDS)
    bound: Annotated[float, number(1.0, 10.0)] = Field(
        1.25,
        description="A member takes at most this many times the average load; the rest goes on to the next.",
    )


PLAIN = get_args(PlainBalance.model_fields["algorithm"].annotation)
ALGORITHMS = (*PLAIN, "consistent_hash")
ALIASES = {"weighted": "round_robin", "weighted_round_robin": "round_robin"}
"""Round robin always counts weights."""


def _tagged(value: Any) -> Any:
    """`least_connections` and `{consistent_hash: {key: path}}` as mappings with `algorithm`."""
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
