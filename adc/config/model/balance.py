"""How a pool chooses a member: a word, or one word with its options."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from adc.config.model.base import Part, unknown_key
from adc.config.model.types import number, text_of, whole

KEY_WORDS = "one of: source, path, header:NAME, cookie:NAME, query:NAME"
HashKey = Annotated[
    str, text_of(r"source|path|(?:header|cookie|query):[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,256}", KEY_WORDS)
]


class PlainBalance(Part):
    """An algorithm without options. Weights count in each of them."""

    algorithm: Literal[
        "round_robin", "weighted_round_robin", "least_connections", "random", "first", "source_hash"
    ] = "round_robin"


class PowerOfTwo(Part):
    """The least busy of a few members drawn at random."""

    algorithm: Literal["power_of_two"] = "power_of_two"
    choices: Annotated[int, whole(2, 10)] = Field(2, description="Members drawn.")


class LeastResponseTime(Part):
    """The member with the lowest moving average of response time times requests in flight."""

    algorithm: Literal["least_response_time"] = "least_response_time"


class ConsistentHash(Part):
    """A ring: the same key goes to the same member, and few keys move when members come and go."""

    algorithm: Literal["consistent_hash"] = "consistent_hash"
    key: HashKey = Field("source", description=KEY_WORDS)
    bound: Annotated[float, number(1.0, 10.0)] = Field(
        1.25,
        description="A member takes at most this many times the average load; what is over goes on to the next.",
    )


PLAIN = ("round_robin", "weighted_round_robin", "least_connections", "random", "first", "source_hash")
ALGORITHMS = (*PLAIN, "power_of_two", "least_response_time", "consistent_hash")


def _tagged(value: Any) -> Any:
    """`least_connections` and `{consistent_hash: {key: path}}` as mappings with `algorithm`."""
    if isinstance(value, str):
        name, options = value, dict[str, Any]()
    elif isinstance(value, dict) and len(value) == 1:
        ((name, options),) = value.items()
    else:
        raise ValueError(
            f"a balance is one word, or one word with its options; allowed: {', '.join(ALGORITHMS)}"
        )
    if name not in ALGORITHMS:
        raise ValueError(unknown_key(name, ALGORITHMS).replace("unknown key", "unknown algorithm"))
    if not isinstance(options, dict) or "algorithm" in options:
        raise ValueError(f"options of {name} are a mapping such as {{consistent_hash: {{key: source}}}}")
    return options | {"algorithm": name}


Balance = Annotated[
    PlainBalance | PowerOfTwo | LeastResponseTime | ConsistentHash,
    Field(discriminator="algorithm"),
    BeforeValidator(_tagged),
]
