"""Whose certificate is whose: names and validity read from certificates, and the choice by server name. No I/O."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from adc.http.target import BadHost, parse_host

if TYPE_CHECKING:
    from cryptography import x509

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class CertificateFacts:
    """Facts of a certificate: `names` are lower-case, wildcards as `*.example.com`; `expires` is the end of its
    validity in epoch seconds; `key_type` distinguishes certificates that may serve the same names side by side."""

    names: tuple[str, ...]
    expires: float
    key_type: str

    @property
    def name(self) -> str:
        """Return the certificate's name in metrics: its first name."""
        return self.names[0] if self.names else ""


def read_facts(pem: bytes) -> CertificateFacts:
    """Return the facts of the first certificate of a PEM file. Raises ValueError if there is none."""
    from cryptography import x509  # here and below: only TLS needs it, and it is large

    certificate = x509.load_pem_x509_certificate(pem)
    key_type = type(certificate.public_key()).__name__
    return CertificateFacts(names_of(certificate), certificate.not_valid_after_utc.timestamp(), key_type)


def names_of(certificate: x509.Certificate) -> tuple[str, ...]:
    """Return the DNS names and addresses of the subjectAltName, else the common name (RFC 9525 section 2)."""
    from cryptography import x509
    from cryptography.x509.oid import NameOID

    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        common = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        return tuple(str(name.value).lower() for name in common[:1])
    names = [name.lower() for name in extension.get_values_for_type(x509.DNSName)]
    names += [str(address) for address in extension.get_values_for_type(x509.IPAddress)]
    return tuple(names)


class NameIndex(Generic[T]):
    """Finds what serves a name. The first entry wins among equals, and `default` serves unknown names.

    A wildcard stands for exactly one label, and an exact name goes before it (RFC 9525 section 6.3).
    """

    def __init__(self, entries: Iterable[tuple[Sequence[str], T]], default: T) -> None:
        self._default = default
        self._exact: dict[str, T] = {}
        self._wildcards: dict[str, T] = {}
        for names, value in entries:
            for name in names:
                if name.startswith("*."):
                    self._wildcards.setdefault(name[2:], value)
                else:
                    self._exact.setdefault(name, value)

    def find(self, name: str) -> T:
        """Return the entry for `name`, in any case, with or without a final dot."""
        name = name.lower().rstrip(".")
        found = self._exact.get(name)
        if found is None:
            found = self._wildcards.get(name.partition(".")[2])
        return self._default if found is None else found


def host_of(authority: str) -> str:
    """Return the name or address that a Host field means, "" if none: what a certificate would have to name."""
    try:
        return parse_host(authority).strip("[]")
    except BadHost:
        return ""
