"""What an operator asks a running node: one object from the command line and the admin API to the worker."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Protocol, TypeVar

from adc.runtime.errors import BuildError

if TYPE_CHECKING:
    from adc.runtime.serve.view import Serving

Request = TypeVar("Request")
Reply = TypeVar("Reply")


class Refused(Exception):
    """The node understood and says no; the text is for the user."""


class NotFound(Refused):
    """The pool, member or listener named does not exist."""


class Unavailable(Exception):
    """The workers did not reply."""


class BadRequest(ValueError):
    """A request that does not say what its operation needs; the text is for the user."""


class Scope(Enum):
    """The processes that carry out an operation."""

    ONE = "any worker"
    ALL = "every worker"
    STATE = "any worker if all share the state store, else every worker"
    NODE = "the supervisor, which asks the workers other operations"


@dataclass(frozen=True, slots=True)
class Nothing:
    """The request of an operation that needs no argument, and the reply of one that returns nothing."""


NOTHING = Nothing()


class Operation(ABC, Generic[Request, Reply]):
    """One operation; a module of this folder defines it and its only instance.

    `request` and `reply` are types that `convert` reads and writes: dataclasses of JSON types. `method` and `path` are
    its place in the admin API, none by default; names in braces in `path` are fields of the request, the others travel
    in the query (GET, DELETE) or in a JSON object (POST). `timeout` bounds the reply of one worker, in seconds.
    With `must_reach_all`, a worker that serves on without a reply fails the operation.
    """

    name: ClassVar[str]
    request: ClassVar[Any] = Nothing
    reply: ClassVar[Any] = Nothing
    scope: ClassVar[Scope] = Scope.ALL
    timeout: ClassVar[float] = 5.0
    must_reach_all: ClassVar[bool] = False
    method: ClassVar[str] = "GET"
    path: ClassVar[str] = ""

    @abstractmethod
    def run(self, worker: Serving, request: Request) -> Reply | Awaitable[Reply]:
        """Carry it out in one worker. Raises BuildError for what it refuses."""

    def merge(self, replies: Mapping[int, Reply]) -> Reply:
        """Return one reply for those of several workers, by worker number; by default the first worker's."""
        return replies[min(replies)]

    async def coordinate(self, node: Node, request: Request) -> Reply:
        """Carry it out in the whole node: by default in the workers of `scope`, and merge their replies.

        Raises Refused, Unavailable.
        """
        if self.scope is Scope.ONE or (self.scope is Scope.STATE and node.shares_state):
            return await node.one(self, request)
        return self.merge(await node.all(self, request))


class NodeOperation(Operation[Request, Reply]):
    """An operation of the supervisor, which asks the workers other operations."""

    scope = Scope.NODE

    def run(self, worker: Serving, request: Request) -> Reply | Awaitable[Reply]:
        """Raise BuildError: no worker carries it out."""
        raise BuildError(f"{self.name} runs in no worker")

    @abstractmethod
    async def coordinate(self, node: Node, request: Request) -> Reply:
        """Carry it out in the whole node. Raises Refused, Unavailable."""


class Node(Protocol):
    """A running node as operations see it. Methods that reach workers raise Refused or Unavailable."""

    @property
    def shares_state(self) -> bool:
        """True if all workers use one state store."""

    async def one(self, operation: Operation[Request, Reply], request: Request) -> Reply:
        """Run the operation in any worker that replies."""

    async def all(self, operation: Operation[Request, Reply], request: Request) -> Mapping[int, Reply]:
        """Run the operation in every worker; replies by worker number."""

    def decide(self, pool: str, member: str, state: str) -> None:
        """Remember an operator's decision about a member, for workers that start later."""
