"""TLS on both sides: certificates for listeners, trust for members."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator, Field

from adc.config.model.base import Finding, Forms, Part
from adc.config.model.types import LISTED, FilePath, Flag, Hostname, Text, Url, duration, one_of, text_of

LETS_ENCRYPT = "https://acme-v02.api.letsencrypt.org/directory"


def _version(value: Any) -> Any:
    """Accept `1.2` without quotes, which is a number in YAML."""
    return str(value) if isinstance(value, float) else value


TlsVersion = Annotated[str, one_of("1.2", "1.3"), BeforeValidator(_version)]


def _cipher_list(value: Any) -> Any:
    return (
        ":".join(value) if isinstance(value, list) and all(isinstance(item, str) for item in value) else value
    )


Ciphers = Annotated[
    str,
    text_of(
        r"[A-Za-z0-9_+\-!@=.:]{1,2000}",
        "a list of OpenSSL cipher names, or one text with colons between them",
    ),
    BeforeValidator(_cipher_list),
]


AlpnName = Annotated[str, text_of(r"[!-~]{1,255}", "a protocol name of ALPN, for example postgresql")]
MOST_ALPN = 32
"""Names of one list: the extension has 65,535 bytes (RFC 7301 section 3.1)."""
AlpnNames = Annotated[tuple[AlpnName, ...], LISTED]
ALPN_WORDS = (
    "for tcp and smtp: names of the IANA registry such as postgresql; none by default. http has its own."
)


class Certificate(Part):
    """A certificate chain and its key, PEM files. The names it serves are read from it."""

    certificate: FilePath = Field(
        description="PEM file of the certificate, followed by intermediate certificates."
    )
    key: FilePath = Field(description="PEM file of its private key.")


class ClientAuth(Part):
    """Client certificates. A bare word is `mode`."""

    short_forms: ClassVar[Forms] = ({"enum": ["none"]},)

    mode: Annotated[str, one_of("none", "optional", "required")] = Field(
        "required", description="none, optional or required."
    )
    ca: FilePath | None = Field(
        None, description="PEM file of the authorities that sign client certificates."
    )

    crl: FilePath | None = Field(
        None,
        description=(
            "PEM file of certificate revocation lists, one in force for each authority of a chain; reloaded "
            "when it changes. OCSP is not used."
        ),
    )

    @classmethod
    def expanded(cls, value: Any) -> Any:
        return {"mode": value} if isinstance(value, str) else value

    @classmethod
    def contradictions(cls, written: Mapping[str, Any]) -> Iterable[Finding]:
        if written.get("mode", "required") != "none" and "ca" not in written:
            yield (), "client_auth needs ca: the PEM file of the authorities that sign clients' certificates"
        if "crl" in written and written.get("mode", "required") == "none":
            yield ("crl",), "has no effect with mode: none"


class Acme(Part):
    """Certificates that adc obtains and renews (RFC 8555, http-01)."""

    domains: Annotated[tuple[Hostname, ...], LISTED] = Field(
        min_length=1, description="Names in the certificate."
    )
    email: Annotated[str, text_of(r"[^@\s]+@[^@\s]+", "an e-mail address")] | None = Field(
        None, description="Contact address for the authority."
    )
    directory: Url = Field(LETS_ENCRYPT, description="URL of the authority's directory.")
    ca: FilePath | None = Field(
        None,
        description=(
            "PEM file of the authority that signs the directory's certificate; the system's authorities by "
            "default."
        ),
    )
    storage: FilePath | None = Field(
        None, description="Folder of the account and the certificates; acme by default."
    )
    renew_before: Annotated[float, duration("1h", "60d")] = Field(
        2_592_000.0, description="Time before expiry to renew."
    )


class ListenerTls(Part):
    """TLS termination."""

    certificates: Annotated[tuple[Certificate, ...], LISTED] = Field(
        (), description="Certificates, chosen by server name; the first one serves unknown names."
    )
    min_version: TlsVersion = Field("1.2", description="Minimum version: 1.2 or 1.3.")
    ciphers: Ciphers | None = Field(
        None,
        description="OpenSSL cipher names for TLS 1.2; by default the suites with ECDHE and AEAD, none with CBC.",
    )
    client_auth: ClientAuth = Field(ClientAuth.defaults(mode="none"), description="Client certificates.")
    acme: Acme | None = Field(None, description="Certificates obtained from an authority.")
    alpn: AlpnNames = Field(
        (), max_length=MOST_ALPN, description=f"Protocols to agree on by ALPN (RFC 7301), {ALPN_WORDS}"
    )

    @classmethod
    def contradictions(cls, written: Mapping[str, Any]) -> Iterable[Finding]:
        if not written.get("certificates") and "acme" not in written:
            yield (), "tls needs certificates: [{certificate: FILE, key: FILE}] or acme: {domains: [...]}"


class MemberTls(Part):
    """TLS towards members. `true`: verified by the system's authorities and the member's host name."""

    short_forms: ClassVar[Forms] = ({"const": True},)

    verify: Flag = Field(True, description="Verify the member's certificate.")
    ca: FilePath | None = Field(
        None, description="PEM file of the trusted authorities; the system's by default."
    )
    sni: Text | None = Field(
        None, description="Server name to send and verify; the member's host by default."
    )
    certificate: FilePath | None = Field(None, description="PEM file of the client certificate for members.")
    key: FilePath | None = Field(None, description="PEM file of its private key.")
    min_version: TlsVersion = Field("1.2", description="Minimum version: 1.2 or 1.3.")
    starttls: Flag = Field(
        False, description="Begin TLS with STARTTLS, for members of smtp listeners; never without it."
    )
    alpn: AlpnNames = Field(
        (),
        max_length=MOST_ALPN,
        description=f"Protocols to offer to members by ALPN (RFC 7301), {ALPN_WORDS}",
    )

    @classmethod
    def expanded(cls, value: Any) -> Any:
        return {} if value is True else value

    @classmethod
    def contradictions(cls, written: Mapping[str, Any]) -> Iterable[Finding]:
        if ("certificate" in written) != ("key" in written):
            yield (), "certificate and key belong together; write both or neither"
