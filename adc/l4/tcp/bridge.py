"""A flow with TLS at one end or at both: two transports of the loop."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from adc.l4.tcp.bridge_end import BUFFER, BridgeEnd
from adc.l4.tcp.counters import own_port
from adc.l4.tcp.end import BROKEN
from adc.l4.tcp.flow import TcpFlow, endpoints_of
from adc.net.connect_failure import failure_of
from adc.net.dial import Dialer
from adc.net.proxy_protocol import compose
from adc.net.reactor import EDGE, RDHUP
from adc.net.tcp_options import acknowledged_at, probe_silence
from adc.pools.errors import Failure
from adc.pools.member import Member
from adc.sessions.session import CLOSING, HALF_CLOSED

if TYPE_CHECKING:
    from adc.l4.tcp.service import TcpService
    from adc.net.handshake import Handshake

_LEAVING: Final = RDHUP | EDGE


class BridgeFlow(TcpFlow):
    """A flow between two transports. The client's is made by the listener, the member's by a task that dials."""

    __slots__ = ("_dialing", "_handshake", "_loop", "_port", "_watched", "client_end", "member_end")

    def __init__(self, service: TcpService, loop: asyncio.AbstractEventLoop, handshake: Handshake) -> None:
        own = None if handshake.endpoints is None else handshake.endpoints[1]
        super().__init__(service, handshake.address, own, handshake.peer)
        self._loop = loop
        self._handshake = handshake
        self._dialing: asyncio.Task[None] | None = None
        self._watched = -1
        self._port = 0
        self.client_end = BridgeEnd(self, True)
        self.member_end: BridgeEnd | None = None

    def opened_end(self, end: BridgeEnd) -> None:
        """Begin with the client's end; the member's is joined when its dialing is over."""
        if not end.is_client:
            end.pause()
            return
        self._handshake.release()
        service = self.service
        if service.state.draining or not self.opened():
            self.over = True
            end.close(resets=True)
            return
        transport = end.transport
        if service.follow_port:
            self._port = own_port(end.sock)
        if self.own is None:
            self.own = transport.get_extra_info("sockname")
            self.facts.client.own_address = self.own
        secured = transport.get_extra_info("ssl_object")
        if secured is not None:
            self.facts.client.sni = secured.server_name
            self.facts.client.alpn = secured.selected_alpn_protocol() or ""
        if service.keep_alive_client:
            probe_silence(end.sock, service.keep_alive_client)
        end.pause()
        self.upstream = service.upstream
        self.choose()

    def watch_client(self) -> None:
        reactor, client = self.service.reactor, self.client_end
        if client.lost or client.transport.is_closing():
            return
        if self._watched >= 0:
            reactor.renew(self._watched, client, _LEAVING)
        else:
            self._watched = client.sock.fileno()
            reactor.add(self._watched, client, _LEAVING)
            if not client.transport.can_write_eof():
                client.resume()  # TLS closes by a message, which the socket does not tell from others

    def _watch_no_more(self) -> None:
        watched, self._watched = self._watched, -1
        if watched >= 0:
            self.service.reactor.forget(watched, self.client_end)

    def client_leaves(self, events: int) -> None:
        """Handle the close of a client that waits for a member; its transport is paused and does not notice."""
        if events & BROKEN:
            self._finish("client_reset", resets=True)
        elif self.leaves(True):
            self._finish("client_closed", resets=False)
        else:
            self.client_end.resume()  # reads whether the client has sent bytes before

    def connect(self, member: Member) -> None:
        self._dialing = self._loop.create_task(self._dial(member))

    async def _dial(self, member: Member) -> None:
        upstream = self.upstream
        target = None if upstream is None else upstream.targets.find(member.address)
        if upstream is None or target is None:
            self.attempt_failed(Failure.NO_MEMBER)
            return
        dialer = Dialer(
            self._loop,
            target.host,
            self._port or target.port,
            target.path,
            names=upstream.targets.names,
            known=() if target.path else target.in_turn(),
        )
        if upstream.tls is not None:
            dialer.secure(*upstream.tls)
        preface = b""
        if upstream.version:
            ends = self._handshake.endpoints or endpoints_of(self.client, self.own)
            preface = compose(upstream.version, ends)
        end = self.member_end = BridgeEnd(self, False)
        try:
            await dialer(lambda: end, preface)
        except OSError as error:
            if self.member_end is end:
                self._dialing = None
                self.attempt_failed(failure_of(error))
        else:
            self._join(end)

    def _join(self, end: BridgeEnd) -> None:
        self._dialing = None
        self._watch_no_more()
        if self.over or end.lost:
            end.close(resets=True)
            return
        client = self.client_end
        client.other, end.other = end, client
        if self.service.keep_alive_member:
            probe_silence(end.sock, self.service.keep_alive_member)
        self.established()
        for each in (client, end):
            early, each.early = each.early, []
            each.resume()
            for data in early:
                self.received(each, data)
        if client.lost and not self.over:
            self.lost_end(client, None)
        elif client.ended and not self.over and not self.half_closed(client):
            client.transport.close()  # the member gets what the client sent, then its close

    def disconnect(self) -> None:
        dialing, end = self._dialing, self.member_end
        self._dialing = self.member_end = None
        if dialing is not None and dialing is not asyncio.current_task(self._loop):
            dialing.cancel()
        if end is not None:
            end.close(resets=True)

    def received(self, end: BridgeEnd, data: bytes) -> None:
        """Pass bytes on to the other end."""
        other = end.other
        if other is None:
            end.early.append(data)
            end.early_bytes += len(data)
            if end.early_bytes > BUFFER:
                end.pause()
            return
        if other.lost:
            return
        service = self.service
        self.last = service.clock.now
        if end.is_client:
            self.packets_in += 1
            self.bytes_in += len(data)
        else:
            self.packets_out += 1
            self.bytes_out += len(data)
        if self.bytes_in + self.bytes_out > service.flow_bytes:
            self.end("byte_limit")
        else:
            other.transport.write(data)

    def half_closed(self, end: BridgeEnd) -> bool:
        """Carry a half-close through if both transports can; True if `end` stays open for the other direction."""
        other = end.other
        if other is None and end.is_client and not self.over:
            return self._ended_early(end)
        if other is None or other.lost or self.over:
            return False
        if not (end.transport.can_write_eof() and other.transport.can_write_eof()):
            return False  # TLS closes both directions: the loss of this end ends the other
        other.transport.write_eof()
        self.service.table.moved(self, HALF_CLOSED, self.service.clock.now)
        return True

    def _ended_early(self, client: BridgeEnd) -> bool:
        """Note that the client has closed its half before a member was there, or end the flow; True if it may still
        read."""
        client.ended = True
        if self._is_gone(client):
            self._finish("client_closed", resets=False)
            return False
        return bool(client.transport.can_write_eof())

    def lost_end(self, end: BridgeEnd, exc: Exception | None) -> None:
        """Close the other end: after what waits for it, or by a reset if this one was reset."""
        if end.is_client:
            self._watch_no_more()  # the number of the socket may soon be another one's
        if self.over or not (end.is_client or end is self.member_end):
            return  # over, or the end of an attempt that was given up
        other = self.member_end if end.is_client else self.client_end
        if other is None or other.transport is None or other.lost:
            if end.is_client and end.other is None:
                self._left_early(end, exc)
            elif end.is_client or other is not None:
                self._finish("closed" if exc is None else "client_reset", resets=True)
            return
        if end.is_client and end.other is None:
            self._left_early(end, exc)
        elif exc is not None:
            failure = None if end.is_client or self.bytes_out else Failure.RESET
            self._finish("client_reset" if end.is_client else "member_reset", resets=True, failure=failure)
        else:
            self.service.table.moved(self, CLOSING, self.service.clock.now)
            if other.transport.can_write_eof():
                other.resume()  # a close with unread bytes would be a reset, which overtakes what was sent
                other.transport.write_eof()
            else:
                other.transport.close()

    def _left_early(self, client: BridgeEnd, exc: Exception | None) -> None:
        """End the flow of a client that is gone before a member was there, unless bytes of it are to be delivered: TLS
        has no half-close, so a client that sends and closes is gone at once."""
        if exc is not None or not client.ended:
            self._finish("client_reset", resets=True)
        elif self._is_gone(client):
            self._finish("client_closed", resets=False)

    def _is_gone(self, client: BridgeEnd) -> bool:
        """True if nothing is to be done for a client that has closed its half: without a half-close that can be carried
        through, one that has sent no bytes gets no response."""
        return self.leaves(bool(client.early)) or not client.early

    def end(self, reason: str) -> None:
        expiry = self.service.expiry if reason == "expired" else "reset"
        self._finish(reason, resets=expiry == "reset", silently=expiry == "silent")

    def _finish(
        self, reason: str, *, resets: bool, silently: bool = False, failure: Failure | None = None
    ) -> None:
        """Close both ends at once."""
        if self.over:
            return
        if failure is None:
            self.closed(reason)
        else:
            self.closed(reason, failure)
        self._watch_no_more()
        dialing, self._dialing = self._dialing, None
        if dialing is not None and dialing is not asyncio.current_task(self._loop):
            dialing.cancel()
        for end in (self.client_end, self.member_end):
            if end is not None:
                end.close(resets=resets, silently=silently)

    def alive_at(self, now: float) -> float:
        """Return when either end last acknowledged a keep-alive probe, or anything else."""
        service, found = self.service, self.last
        if service.keep_alive_client and not self.client_end.lost:
            found = max(found, acknowledged_at(self.client_end.sock, now))
        end = self.member_end
        if service.keep_alive_member and end is not None and end.transport is not None and not end.lost:
            found = max(found, acknowledged_at(end.sock, now))
        return found
