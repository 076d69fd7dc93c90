"""A codec without sockets, without HTTP/1 and without a loop: it drives the whole proxy by plain calls.

    world = World(members=2)
    client = world.ask("GET", "/x")           # an exchange begins; `client` is its Stream
    world.link(0).answer(200, b"body")        # the first member answers the request it was given
    assert client.sent == [("head", 200, b"body", True)]

A link opens no connection by itself: `connect()` lets one that is waited for come about, `refuse()` does not;
`idle` ready connections are there at once. Time moves with `world.pass_time`.
"""

from random import Random

from adc.http.client import Client
from adc.http.headers import Headers
from adc.http.message import NO_BODY, Request, Response
from adc.net.clock import Clock
from adc.pools.balancers.registry import make_balancer
from adc.pools.errors import Failure
from adc.pools.member import Member
from adc.pools.pool import Pool
from adc.pools.retry import RetryPolicy
from adc.proxy.exchange import Exchange
from adc.proxy.pipeline import Pipeline
from adc.proxy.replies import Replies
from adc.proxy.service import Service
from adc.proxy.timeouts import Timeouts
from adc.proxy.upstream.choice import Balanced
from adc.proxy.upstream.forward import Forward
from adc.proxy.upstream.launch import Single

_REPLIES = Replies({})


class MemoryStream:
    """The client of one exchange. `sent` is what it was sent, `reading` whether its content is wanted."""

    def __init__(self):
        self.sent = []
        self.reading = True
        self.carries_trailers = True
        self.head = None

    def send_informational(self, response):
        self.sent.append(("informational", response.status))

    def send_head(self, response, body, end):
        self.head = response
        self.sent.append(("head", response.status, body, end))

    def send_body(self, data, end):
        self.sent.append(("body", data, end))

    def send_trailers(self, fields):
        self.sent.append(("trailers", fields))
        return self.carries_trailers

    def file_output(self, writable):
        return None

    def keep(self, member, connection):
        return False

    def kept(self, pool):
        return None

    def abort(self):
        self.sent.append(("abort",))

    def cut_off(self):
        self.sent.append(("cut off",))

    def pause_reading(self):
        self.reading = False

    is_slow = False

    def resume_reading(self):
        self.reading = True

    @property
    def status(self):
        return self.head.status


class MemoryConnection:
    """A connection to a member. `sent` is what the member was sent."""

    def __init__(self, reused=False):
        self.reused = reused
        self.sent = []
        self.reading = True
        self.aborted = False
        self.carries_trailers = True
        self.lines = []

    def send(self, request, target, lines, body, end):
        self.lines = lines
        self.sent.append((request.method, target, body, end))

    def send_body(self, data, end):
        self.sent.append((data, end))

    def send_trailers(self, fields):
        self.sent.append(("trailers", fields))
        return self.carries_trailers

    def pause_reading(self):
        self.reading = False

    def resume_slowly(self):
        self.reading = True

    def resume_reading(self):
        self.reading = True

    def abort(self):
        self.aborted = True


class MemoryLink:
    """One member. `attempts` are the receivers that asked for a connection, in order."""

    def __init__(self, idle):
        self.idle = idle
        self.waiting = []
        self.attempts = []
        self.connections = []

    def dial(self, receiver):
        self.attempts.append(receiver)
        self.waiting.append(receiver)

    def drop_older(self, connection):
        self.idle = 0

    def acquire(self, receiver):
        self.attempts.append(receiver)
        if self.idle:
            self.idle -= 1
            self.connections.append(MemoryConnection(reused=True))
            return self.connections[-1]
        self.waiting.append(receiver)
        return None

    def forget(self, receiver):
        self.waiting.remove(receiver)

    def connect(self):
        receiver = self.waiting.pop(0)
        self.connections.append(MemoryConnection())
        receiver.connected(self.connections[-1])

    def refuse(self, failure=Failure.CONNECTION_REFUSED):
        self.waiting.pop(0).failed(failure, "told to fail")

    def answer(self, status=200, body=b"", end=True, fields=()):
        self.attempts[-1].response_head(Response(status, Headers(fields)), body, end)

    def more(self, data, end=False):
        self.attempts[-1].response_body(data, end)

    def trailers(self, *fields):
        self.attempts[-1].response_trailers(list(fields))

    def fail(self, failure):
        self.attempts[-1].failed(failure, "told to fail")

    @property
    def connection(self):
        return self.connections[-1]


class Log:
    """Keeps what it is told."""

    def __init__(self):
        self.records = []
        self.warnings = []

    def write(self, exchange):
        self.records.append(exchange)

    def warn(self, message, /, **fields):
        self.warnings.append((message, fields))


class World:
    """A service with one route to one pool of `members`, each with `idle` open connections."""

    def __init__(self, members=1, idle=1, timeouts=None, retry=None, stages=(), body_limit=None):
        self.clock = Clock()
        self.log = Log()
        self.members = [Member("app", f"member-{number}") for number in range(members)]
        for member in self.members:
            member.link = MemoryLink(idle)
        self.pool = Pool("app", self.members, make_balancer("round_robin", {}, Random(1)))
        timeouts = timeouts or Timeouts()
        retry = retry or RetryPolicy(2)
        forward = Forward(Balanced(self.pool), Single(), timeouts, retry)
        pipeline = Pipeline(
            "all", forward.start, timeouts=timeouts, response_stages=tuple(stages), body_limit=body_limit
        )
        self.service = Service("memory", self.clock, _REPLIES, self.log, self.log)
        self.service.find = lambda request: pipeline

    def link(self, number=0):
        return self.members[number].link

    def ask(self, method="GET", target="/", body=b"", length=NO_BODY, end=True, **fields):
        """Begin an exchange; its stream has it as `exchange`."""
        request = Request(
            method, target, target, "", "a", "a", Headers([(b"Host", b"a")]), {b"host": b"a"}, length
        )
        request.client, request.source = Client("192.0.2.1"), "192.0.2.1"
        for name, value in fields.items():
            setattr(request, name, value)
        stream = MemoryStream()
        stream.exchange = Exchange(self.service, stream, request)
        stream.exchange.start(body, end)
        return stream

    def pass_time(self, seconds):
        self.clock.now += seconds
        self.service.tick(self.clock.now)

    @property
    def ended(self):
        return [record.end_reason for record in self.log.records]
