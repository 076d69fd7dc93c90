"""One certificate from an authority (RFC 8555): account, order, http-01 challenges, issue. Blocks: runs in a thread."""

from __future__ import annotations

import datetime
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from acme import challenges, client, crypto_util, errors, messages
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from josepy.errors import Error as JoseError
from josepy.jwa import ES256
from josepy.jwk import JWK

ACCOUNT_KEY = "account.key"
USER_AGENT = "adc"
_ANSWER_SECONDS = 15
_ORDER_SECONDS = 90
_FAILED = (errors.Error, messages.Error, JoseError, OSError, ValueError)


class OrderFailed(Exception):
    """No certificate this time; the text says why."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """The certificate to order, its authority, and its place: key and chain in one PEM file."""

    domains: tuple[str, ...]
    directory: str
    file: Path
    email: str | None = None
    ca: str | None = None
    renew_before: float = 2_592_000.0


class Order:
    """`begin`, let the challenges be answered, `finish`."""

    def __init__(self, wanted: Wanted) -> None:
        self._wanted = wanted
        self._answers: list[tuple[messages.ChallengeBody, challenges.KeyAuthorizationChallengeResponse]] = []
        self._key = new_key()

    def begin(self) -> dict[str, str]:
        """Place the order. Returns what is to be served: token -> key authorization. Raises OrderFailed."""
        try:
            self._client = _client(self._wanted)
            csr = crypto_util.make_csr(self._key, list(self._wanted.domains))
            self._order = self._client.new_order(csr)
            return dict(self._challenge(found) for found in self._order.authorizations if _open(found))
        except _FAILED as error:
            raise OrderFailed(_words(error)) from error

    def _challenge(self, found: messages.AuthorizationResource) -> tuple[str, str]:
        for body in found.body.challenges:
            if isinstance(body.chall, challenges.HTTP01):
                answer, validation = body.response_and_validation(self._client.net.key)
                self._answers.append((body, answer))
                return body.chall.encode("token"), validation
        raise OrderFailed(f"the authority offers no http-01 challenge for {found.body.identifier.value}")

    def finish(self) -> None:
        """Have the challenges checked and keep what is issued. Raises OrderFailed."""
        deadline = datetime.datetime.now() + datetime.timedelta(seconds=_ORDER_SECONDS)
        try:
            for body, answer in self._answers:
                self._client.answer_challenge(body, answer)
            issued = self._client.poll_and_finalize(self._order, deadline)
            keep(self._wanted.file, self._key + issued.fullchain_pem.encode("ascii"))
        except _FAILED as error:
            raise OrderFailed(_words(error)) from error


def _open(found: messages.AuthorizationResource) -> bool:
    return bool(found.body.status != messages.STATUS_VALID)


def _client(wanted: Wanted) -> client.ClientV2:
    """Return a client with an account: the one whose key is kept, else a new one."""
    file = wanted.file.parent / ACCOUNT_KEY
    if not file.exists():
        keep(file, new_key())
    key = JWK.load(file.read_bytes())
    verify = cast(bool, wanted.ca or True)  # handed on to requests, which takes a path as well
    net = client.ClientNetwork(
        key, alg=ES256, verify_ssl=verify, user_agent=USER_AGENT, timeout=_ANSWER_SECONDS
    )
    found = client.ClientV2(client.ClientV2.get_directory(wanted.directory, net), net)
    account = messages.NewRegistration.from_data(email=wanted.email, terms_of_service_agreed=True)
    try:
        found.new_account(account)
    except errors.ConflictError as known:
        net.account = messages.RegistrationResource(uri=known.location, body=messages.Registration())
    return found


def new_key() -> bytes:
    """Return a new P-256 key as PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def keep(file: Path, data: bytes) -> None:
    """Write `file`, readable by its owner only, at once as a whole. Raises OSError."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=file.parent, delete=False) as written:
        try:
            written.write(data)
            written.flush()
            os.fsync(written.fileno())
            os.replace(written.name, file)
        except BaseException:
            os.unlink(written.name)
            raise


def _words(error: Exception) -> str:
    """Return the reason, with the authority's message for each name."""
    if isinstance(error, errors.ValidationError):
        return "; ".join(
            f"{failed.body.identifier.value}: {challenge.error}"
            for failed in error.failed_authzrs
            for challenge in failed.body.challenges
            if challenge.error is not None
        )
    return str(error) or type(error).__name__
