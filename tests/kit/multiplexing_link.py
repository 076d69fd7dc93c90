"""A link whose one connection to a member carries many streams, and serves all that wait for it when it opens.

link = MultiplexingLink()
world = World(); world.members[0].link = link
first, second = world.ask(), world.ask()
link.connect()                            # one dial, two streams
link.streams_open[1].answer(200, b"b")    # in any order
"""

from adc.http.headers import Headers
from adc.http.message import Response
from adc.pools.errors import Failure


class Stream:
    """One request on the connection. `sent` is what the member was sent."""

    reused = False

    def __init__(self, link, receiver):
        self._link = link
        self.receiver = receiver
        self.sent = []
        self.reading = True

    def send(self, request, target, lines, body, end):
        self.sent.append((request.method, target, body, end))

    def send_body(self, data, end):
        self.sent.append((data, end))

    def send_trailers(self, fields):
        self.sent.append(("trailers", fields))
        return True

    def pause_reading(self):
        self.reading = False

    def resume_reading(self):
        self.reading = True

    resume_slowly = resume_reading

    def abort(self):
        self._link.streams_open.remove(self)

    def answer(self, status, body=b""):
        self._link.streams_open.remove(self)
        self.receiver.response_head(Response(status, Headers()), body, True)

    def refuse(self):
        """The member refuses the stream: it processed nothing of the request."""
        self._link.streams_open.remove(self)
        self.receiver.failed(Failure.UNPROCESSED, "the stream was refused")


class MultiplexingLink:
    def __init__(self):
        self.dials = 0
        self.connections = 0
        self.streams_open = []
        self._waiting = []

    @property
    def idle(self):
        return int(self.connections and not self.streams_open)

    @property
    def busy(self):
        return int(bool(self.streams_open or self._waiting))

    @property
    def streams(self):
        return len(self.streams_open) + len(self._waiting)

    def acquire(self, receiver):
        if not self.connections:
            self.dial(receiver)
            return None
        self.streams_open.append(Stream(self, receiver))
        return self.streams_open[-1]

    def dial(self, receiver):
        self.dials += not self._waiting
        self._waiting.append(receiver)

    def forget(self, receiver):
        self._waiting.remove(receiver)

    def connect(self):
        """The dial succeeds: everything that waits gets a stream."""
        self.connections = 1
        waiting, self._waiting = self._waiting, []
        for receiver in waiting:
            self.streams_open.append(Stream(self, receiver))
            receiver.connected(self.streams_open[-1])

    def go_away(self, last):
        """The member closes the connection; it processed the first `last` streams only."""
        self.connections = 0
        for stream in self.streams_open[last:]:
            stream.refuse()
