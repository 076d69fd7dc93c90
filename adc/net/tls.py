"""TLS contexts: what a listener shows its clients and asks of them, and what is asked of members."""

from __future__ import annotations

import os
import ssl
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adc.net.certificates import CertificateFacts, NameIndex, read_facts

CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20:!aNULL:!aDSS:!PSK:!AESCCM"
"""TLS 1.2 with forward secrecy and authenticated encryption only (RFC 9325 section 4.2): no CBC, no RSA key
exchange."""

Signature = tuple[tuple[str, int, int, int] | None, ...]
"""Path, inode, size and time of change of each file; None for one that is not there."""


class TlsError(ValueError):
    """Certificates, keys or settings that cannot be used; the text names the file."""


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A chain and its private key, PEM files (the same one for both is fine). With `placeholder_for`, a self-signed
    certificate for these names stands in while the file is not there yet.
    """

    certificate: str
    key: str
    placeholder_for: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ServerTlsOptions:
    """TLS of one listener. `client_ca`, `client_crl` and `client_auth` (none, optional, required) are about clients'
    certificates. `alpn` names the protocols that the listener agrees on, in its order of preference."""

    pairs: tuple[KeyPair, ...]
    min_version: str = "1.2"
    ciphers: str = ""
    client_auth: str = "none"
    client_ca: str = ""
    client_crl: str = ""
    alpn: tuple[str, ...] = ()

    def signature(self) -> Signature:
        """Return the present state of all files: unequal to an earlier one if any was changed or replaced."""
        paths = [path for pair in self.pairs for path in (pair.certificate, pair.key)]
        return tuple(_signature(path) for path in [*paths, self.client_ca, self.client_crl] if path)


class SecureObject(ssl.SSLObject):
    """The TLS side of one client connection; `server_name` is the SNI it sent, lower-case, "" if none."""

    server_name = ""


class ServerTls:
    """Return `context` for the handshakes of a listener; it switches to the certificate for the client's server name.

    Certificates with the same names and different kinds of key are served side by side, as the client's algorithms
    allow. All contexts require the same of clients, so that a resumed session never bypasses a client certificate:
    tickets are sealed with the keys of `context` for every name. Raises TlsError.
    """

    def __init__(self, options: ServerTlsOptions) -> None:
        self.options = options
        self.signature = options.signature()
        self.facts: list[CertificateFacts] = []
        contexts: dict[frozenset[str], ssl.SSLContext] = {}
        kinds: set[tuple[frozenset[str], str]] = set()
        for pair in options.pairs:
            facts = self._load(pair, contexts, kinds)
            self.facts.append(facts)
        self.context = contexts[frozenset(self.facts[0].names)]
        self.names = NameIndex(
            [(facts.names, contexts[frozenset(facts.names)]) for facts in self.facts], self.context
        )
        self.context.sni_callback = self._turn

    def _load(
        self,
        pair: KeyPair,
        contexts: dict[frozenset[str], ssl.SSLContext],
        kinds: set[tuple[frozenset[str], str]],
    ) -> CertificateFacts:
        try:
            chain = Path(pair.certificate).read_bytes()
        except FileNotFoundError as error:
            if not pair.placeholder_for:
                raise TlsError(f"certificate {pair.certificate}: {error.strerror}") from None
            return self._load_placeholder(pair, contexts)
        except OSError as error:
            raise TlsError(f"certificate {pair.certificate}: {error.strerror}") from None
        try:
            facts = read_facts(chain)
        except ValueError as error:
            raise TlsError(f"certificate {pair.certificate}: {error}") from None
        names = frozenset(facts.names)
        if (names, facts.key_type) not in kinds:
            kinds.add((names, facts.key_type))
            context = contexts.get(names) or contexts.setdefault(names, server_context(self.options))
            _load_pair(context, pair.certificate, pair.key)
        return facts

    def _load_placeholder(
        self, pair: KeyPair, contexts: dict[frozenset[str], ssl.SSLContext]
    ) -> CertificateFacts:
        from adc.net.placeholder import self_signed

        pem = self_signed(pair.placeholder_for)
        facts = read_facts(pem)
        context = contexts.setdefault(frozenset(facts.names), server_context(self.options))
        with tempfile.NamedTemporaryFile() as file:
            file.write(pem)
            file.flush()
            _load_pair(context, file.name, file.name)
        return facts

    def _turn(self, secured: ssl.SSLObject, name: str | None, context: ssl.SSLContext) -> None:
        if name and isinstance(secured, SecureObject):
            secured.server_name = name.lower().rstrip(".")
            found = self.names.find(name)
            if found is not context:
                secured.context = found

    def same_certificate(self, name: str, other: str) -> bool:
        """True if both names are served by the same certificate."""
        return self.names.find(name) is self.names.find(other)


def server_context(options: ServerTlsOptions) -> ssl.SSLContext:
    """Return a context without a certificate. Raises TlsError."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.sslobject_class = SecureObject
    context.options |= ssl.OP_NO_RENEGOTIATION  # a client could ask for the costly handshake again and again
    context.minimum_version = _VERSIONS[options.min_version]
    if options.alpn:
        context.set_alpn_protocols(list(options.alpn))
    try:
        context.set_ciphers(options.ciphers or CIPHERS)
    except ssl.SSLError:
        raise TlsError(f"ciphers {options.ciphers}: OpenSSL knows none of them") from None
    if options.client_auth != "none":
        _trust(context, options.client_ca)
        if options.client_crl:
            _revoke(context, options.client_crl)
        required = options.client_auth == "required"
        context.verify_mode = ssl.CERT_REQUIRED if required else ssl.CERT_OPTIONAL
    return context


def member_context(
    *,
    verify: bool = True,
    ca: str = "",
    certificate: str = "",
    key: str = "",
    min_version: str = "1.2",
    alpn: tuple[str, ...] = (),
) -> ssl.SSLContext:
    """Return the context for connections to members, verified by the authorities in `ca` or, if that is "", by the
    system's.

    `certificate` and `key` are sent to members that request them, and `alpn` names the protocols to offer. Raises
    TlsError.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = _VERSIONS[min_version]
    if alpn:
        context.set_alpn_protocols(list(alpn))
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    elif ca:
        _trust(context, ca)
    else:
        context.load_default_certs()
    if certificate:
        _load_pair(context, certificate, key)
    return context


def quiet_about_server_names() -> None:
    """Make a process print nothing about server names that are not ASCII.

    The ssl module refuses such a handshake, but writes a traceback for each of them, and every client can send them.
    """
    otherwise = sys.unraisablehook

    def hook(unraisable: Any) -> None:
        if not isinstance(unraisable.exc_value, UnicodeDecodeError) or not isinstance(
            unraisable.object, bytes
        ):
            otherwise(unraisable)

    sys.unraisablehook = hook


_VERSIONS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}


def _trust(context: ssl.SSLContext, path: str) -> None:
    try:
        context.load_verify_locations(path)
    except ssl.SSLError:
        raise TlsError(f"ca {path}: there is no certificate in it") from None
    except OSError as error:
        raise TlsError(f"ca {path}: {error.strerror}") from None


def _revoke(context: ssl.SSLContext, path: str) -> None:
    """Refuse certificates that a list in the file revokes; each authority of a chain needs a list that is in force."""
    from cryptography import x509

    try:
        x509.load_pem_x509_crl(Path(path).read_bytes())
        context.load_verify_locations(path)
    except ValueError:  # ssl.SSLError among them
        raise TlsError(f"crl {path}: there is no certificate revocation list in it") from None
    except OSError as error:
        raise TlsError(f"crl {path}: {error.strerror}") from None
    context.verify_flags |= ssl.VERIFY_CRL_CHECK_CHAIN


def _load_pair(context: ssl.SSLContext, certificate: str, key: str) -> None:
    try:
        context.load_cert_chain(certificate, key, password=_no_password)
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            raise TlsError(f"key {key}: it is not the key of the certificate {certificate}") from None
        raise TlsError(
            f"certificate {certificate} with key {key}: {error.reason or 'no key or certificate in it'}"
        ) from None
    except (OSError, ValueError) as error:
        raise TlsError(f"certificate {certificate} with key {key}: {error}") from None


def _no_password() -> str:
    raise ValueError("the key is encrypted; only keys without a password are used")


def _signature(path: str) -> tuple[str, int, int, int] | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return path, found.st_ino, found.st_size, found.st_mtime_ns
