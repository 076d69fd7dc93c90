"""Basic authentication: users and passwords from an htpasswd file or the configuration."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Coroutine
from hashlib import blake2b
from typing import Any, Literal

from adc_plugins.basic_auth.credentials import Credentials, challenge, parse_credentials
from adc_plugins.basic_auth.failures import FailureLimit, Failures
from adc_plugins.basic_auth.hashes import Verify
from adc_plugins.basic_auth.users import Users, parse_users, read_file
from adc_plugins.basic_auth.verifier import Busy, Verifier
from pydantic import Field

from adc.plugin import (
    Context,
    Duration,
    FilePath,
    Host,
    IdentityFields,
    OptionErrors,
    Options,
    Plugin,
    Response,
    with_place,
)


class BasicAuthOptions(Options):
    """Users come from `file`, from `users`, or from both."""

    file: FilePath | None = None
    """htpasswd file: `user:hash` on each line, with hashes of bcrypt (`htpasswd -B`), argon2, `$apr1$`, `$5$` or `$6$`.
    It is read again when it changes."""

    users: dict[str, str] = Field(default_factory=dict, repr=False)
    """Users and their hashes."""

    realm: str = "Restricted"
    """The name that browsers show."""

    user_header: str = "X-Forwarded-User"
    """Request field with the user's name for the member; a client cannot send it. Empty: none."""

    authorization: Literal["remove", "keep"] = "remove"
    """`remove`: the member does not see the password."""

    cache: Duration = 300.0
    """Right credentials are not hashed again for that long; `0` hashes them for each request."""

    cache_size: int = Field(10_000, ge=1, le=1_000_000)
    """Credentials that a worker remembers."""

    threads: int = Field(2, ge=1, le=32)
    """Passwords that a worker hashes at the same time; others wait."""

    limit: FailureLimit | None = None
    """Limit of failed attempts, such as `{most: 10, window: 5m}`."""


class BasicAuth(Plugin[BasicAuthOptions]):
    """Lets users with a password pass (RFC 7617). Others get 401.

    Use it over TLS only: the password comes with every request.
    """

    def __init__(self, options: BasicAuthOptions) -> None:
        super().__init__(options)
        self._key = secrets.token_bytes(32)
        self._challenge = {"WWW-Authenticate": with_place("realm", challenge, options.realm)}
        header = options.user_header
        self._fields = with_place("user_header", IdentityFields, [header] if header else [])
        self.identity = self._fields
        self._header = header.encode()
        self._inline = with_place("users", parse_users, options.users.items())
        self._users = self._read()

    def _read(self) -> Users:
        """Return all users. Raises OptionErrors."""
        file = self.options.file
        users = {} if file is None else with_place("file", read_file, file)
        both = sorted(users.keys() & self._inline.keys())
        if both:
            raise OptionErrors([(("users", both[0]), "is in the file too; keep one of them")])
        if not users and not self._inline:
            raise ValueError("there are no users; name a file with some, or users and their hashes")
        return Users(users | self._inline, self._key)

    async def start(self, host: Host) -> None:
        """Watch the file, and open the table of failed attempts."""
        options = self.options
        self._host = host
        self._refused = host.counter("refused", "Requests with wrong credentials.")
        self._missing = host.counter("missing", "Requests without credentials.")
        self._limited = host.counter("limited", "Requests over the limit of failed attempts.")
        self._verified = host.counter("verified", "Passwords that were hashed.")
        self._verifier = Verifier(options.threads, options.cache_size, options.cache, host.now)
        self._failures = None if options.limit is None else Failures(options.limit, host)
        if options.file is not None:
            host.watch_file(options.file, self._reload)
            self._users = self._read()

    async def close(self) -> None:
        """End the threads."""
        self._verifier.close()

    async def _reload(self) -> None:
        try:
            self._users = await asyncio.to_thread(self._read)
        except OptionErrors as error:
            self._host.warn("the users stay as they were", error=error)
        else:
            self._verifier.forget()

    def request_head(self, context: Context) -> Response | Coroutine[Any, Any, Response | None] | None:
        """Let the request pass if its credentials were right a while ago; else verify them."""
        values = context.request.headers.get_all(b"authorization")
        if len(values) != 1:
            self._missing.add()
            return self._refusal()
        mark = self._verifier.mark(values[0])
        name = self._verifier.known(mark)
        if name is not None:
            self._admit(context, name)
            return None
        credentials = parse_credentials(values[0])
        if credentials is None:
            self._missing.add()
            return self._refusal()
        return self._verify(context, mark, credentials)

    async def _verify(self, context: Context, mark: bytes, credentials: Credentials) -> Response | None:
        failures = self._failures
        if failures is not None and (wait := failures.attempt(context.client)):
            self._limited.add()
            return Response(429, {"Retry-After": str(wait)}, error_page=True, reason="rate_limited")
        users = self._users
        verify: Verify | None = users.find(credentials.name)
        try:
            right = await self._verifier.verify(
                mark, verify or users.decoy(credentials.name), credentials.password
            )
        except Busy:
            if failures is not None:
                failures.taken_back(context.client)
            return Response(503, {"Retry-After": "1"}, error_page=True)
        self._verified.add()
        if verify is None or not right:
            self._refused.add()
            known = credentials.name if verify is not None else "(unknown)"
            context.warn("the credentials are wrong", user=known, client=context.client)
            return self._refusal()
        if failures is not None:
            failures.taken_back(context.client)
        if users is self._users and self.options.cache:
            self._verifier.remember(mark, credentials.name)
        self._admit(context, credentials.name)
        return None

    def _admit(self, context: Context, name: str) -> None:
        headers = context.request.headers
        if self.options.authorization == "remove":
            headers.remove(b"authorization")
        if self._header:
            value = name.encode()
            self._fields.write(headers, [(self._header, value)])
            context.vary_cache(blake2b(value, digest_size=16).digest())

    def _refusal(self) -> Response:
        return Response(401, self._challenge, error_page=True)
