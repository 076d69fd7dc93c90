"""What adc must reach, as the issues say it, and whether a run reached it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from benchmarks.figures import Figures, medians, ratio


@dataclass(frozen=True)
class Gate:
    """The figure `key` of `subject` in `row`, divided by `base`'s if there is one, must keep to `limit`."""

    row: str
    text: str
    key: str
    limit: float
    base: str = ""
    subject: str = "adc"
    at_least: bool = False


@dataclass(frozen=True)
class Verdict:
    """`value` is None where the run has no figure for the gate: then it is neither met nor missed."""

    gate: Gate
    value: float | None

    @property
    def met(self) -> bool | None:
        """None: not measured."""
        if self.value is None:
            return None
        return self.value >= self.gate.limit if self.gate.at_least else self.value <= self.gate.limit


GATES = (
    Gate("get", "CPU per request / nginx", "cpu_us", 2.2, "nginx"),
    Gate("get", "throughput / Caddy", "rate", 2.5, "caddy", at_least=True),
    Gate("get", "throughput / plain aiohttp", "rate", 4.0, "aiohttp", at_least=True),
    Gate("get-1", "CPU per request / nginx", "cpu_us", 1.7, "nginx"),
    Gate("get-8", "CPU per request / nginx", "cpu_us", 1.7, "nginx"),
    Gate("get-5000", "CPU per request / nginx", "cpu_us", 1.7, "nginx"),
    Gate("download", "CPU per byte / nginx", "cpu_us_per_mb", 1.5, "nginx"),
    Gate("routes", "CPU with 10,000 routes / with 10", "cpu_us", 1.3, "adc", "adc-routes-10000"),
    Gate("idle", "KB per idle connection", "kb_each", 12.0),
    Gate("start", "seconds to the first answer", "start_s", 0.7),
    Gate("cache-1k", "CPU per hit / nginx", "cpu_us", 1.5, "nginx"),
    Gate("cache-100k", "CPU per hit / nginx", "cpu_us", 1.2, "nginx"),
    Gate("gzip", "CPU per response / nginx", "cpu_us", 1.1, "nginx"),
    Gate("brotli", "CPU per response / nginx", "cpu_us", 1.1, "nginx"),
    Gate("gzip", "bytes per response / nginx", "bytes", 1.1, "nginx"),
    Gate("brotli", "bytes per response / nginx", "bytes", 1.1, "nginx"),
    Gate("charset", "CPU per page / nginx", "cpu_us", 1.5, "nginx"),
    Gate("substitute", "CPU per page / nginx", "cpu_us", 1.5, "nginx"),
    Gate("rate-limit", "CPU with a rate limit / without", "cpu_us", 1.10, "adc", "adc-rate-limit"),
    Gate("static-1k", "CPU per file / nginx with open_file_cache", "cpu_us", 1.3, "nginx-open-file-cache"),
    Gate("static-1m", "CPU per file / nginx with open_file_cache", "cpu_us", 1.3, "nginx-open-file-cache"),
    Gate("handshake", "CPU per handshake / nginx", "cpu_us", 2.5, "nginx"),
    Gate("tls-get", "CPU per request / nginx", "cpu_us", 2.5, "nginx"),
    Gate("extras", "CPU with health, breaker, retries / without", "cpu_us", 1.03, "adc", "adc-resilient"),
    Gate("extras", "CPU with sticky source table / without", "cpu_us", 1.10, "adc", "adc-sticky"),
    Gate("tcp-bytes", "CPU per byte / HAProxy", "cpu_us_per_mb", 1.5, "haproxy"),
    Gate("tcp-bytes", "CPU per byte / HAProxy with splice", "cpu_us_per_mb", 1.5, "haproxy-splice"),
    Gate("tcp-connections", "CPU per connection / HAProxy", "cpu_us", 2.5, "haproxy"),
    Gate("tcp-connections", "CPU per connection / nginx", "cpu_us", 2.5, "nginx"),
    Gate("udp", "CPU per request / nginx", "cpu_us", 2.5, "nginx"),
    Gate("waf-get-1", "CPU of a browser GET / libmodsecurity", "cpu_us", 0.3, "libmodsecurity"),
    Gate("waf-form-1", "CPU of a 1 KB form / libmodsecurity", "cpu_us", 0.2, "libmodsecurity"),
    Gate("waf-json-1", "CPU of 10 KB of JSON / libmodsecurity", "cpu_us", 0.3, "libmodsecurity"),
    Gate("waf-get-1", "seconds to load the OWASP CRS", "start_s", 1.0),
)


def judge(results: Mapping[str, Mapping[str, list[Figures]]]) -> list[Verdict]:
    """Return a verdict for each gate whose row was run; `results` is row -> contender -> its rounds."""
    return [Verdict(gate, _value(gate, results[gate.row])) for gate in GATES if gate.row in results]


def _value(gate: Gate, rounds: Mapping[str, list[Figures]]) -> float | None:
    subject = rounds.get(gate.subject, [])
    if gate.base:
        return ratio(subject, rounds.get(gate.base, []), gate.key)
    return medians(subject).get(gate.key) if subject else None
