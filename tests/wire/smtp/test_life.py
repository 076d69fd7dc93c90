"""Sessions in the table, drain, retirement, reloads, metrics and the mail log."""

import asyncio
import json
import math
import socket

import pytest

from adc.net.tcp_options import close_by_reset
from tests.kit.smtp import MailMember, mail_client, relaying
from tests.kit.waiting import eventually

TCP_REPAIR = 19


def table(proxy):
    return proxy.worker.sessions.table


async def test_session_is_in_the_table_until_it_ends(tmp_path):
    async with MailMember() as member, relaying(tmp_path, member) as (proxy, client):
        await client.send("u@example.com")
        (session,) = table(proxy).scan(0, 10)
        assert (session.protocol, session.listener, session.pool) == ("smtp", "web", "app")
        assert session.member == member.address
        assert session.client == client.writer.get_extra_info("sockname")
        assert session.bytes_in > 0
        assert session.bytes_out > 0
        await client.say("QUIT")
        client.close()
        await eventually(lambda: len(table(proxy)) == 0)


async def test_killed_session_is_reset_at_both_ends(tmp_path):
    async with MailMember() as member, relaying(tmp_path, member) as (proxy, client):
        await client.envelope("u@example.com")
        (session,) = table(proxy).scan(0, 10)
        session.end("killed")
        assert await client.closed() == b"reset"
        await eventually(lambda: not member.open)
        assert proxy.worker.sessions.ended.counts == {("smtp", "web", "killed"): 1}


async def test_expired_session_is_told_with_close(tmp_path):
    sessions = {"on_expiry": "close"}
    async with MailMember() as member, relaying(tmp_path, member, sessions=sessions) as (proxy, client):
        await client.hello()
        (session,) = table(proxy).scan(0, 10)
        session.end("expired")
        assert (await client.reply())[0] == 421
        assert await client.closed() == b""


def may_close_silently():
    with socket.socket() as sock:
        try:
            sock.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, 1)
        except OSError:
            return False
    return True


async def test_expired_session_ends_silently_at_both_ends(tmp_path):
    """Either end learns of it by the reset that answers its next byte; a FIN would have come before."""
    if not may_close_silently():
        pytest.skip("needs CAP_NET_ADMIN")
    sessions = {"on_expiry": "silent"}
    async with MailMember() as member, relaying(tmp_path, member, sessions=sessions) as (proxy, client):
        await client.envelope("u@example.com")
        (reader, writer) = member.streams[-1]
        (session,) = table(proxy).scan(0, 10)
        session.end("expired")
        await eventually(lambda: proxy.member().active == 0)
        client.writer.write(b"x")
        writer.write(b"x")
        assert await client.closed() == b"reset"
        await eventually(lambda: isinstance(reader.exception(), ConnectionResetError))


async def test_acknowledged_probe_is_a_sign_of_life(tmp_path):
    sessions = {"keep_alive": {"client": "1s"}}
    async with relaying(tmp_path, "127.0.0.1:9", sessions=sessions) as (proxy, client):
        await client.hello()
        (session,) = table(proxy).scan(0, 10)
        sock = next(iter(proxy.connections)).transport.get_extra_info("socket")
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 1
        now = proxy.worker.clock.now
        assert now - 30 < session.alive_at(now) <= now


async def test_session_without_probes_lives_by_its_traffic(tmp_path):
    async with relaying(tmp_path, "127.0.0.1:9") as (proxy, client):
        await client.hello()
        (session,) = table(proxy).scan(0, 10)
        await eventually(lambda: session.alive_at(0.0) == -math.inf)


async def test_drain_closes_between_messages_only(tmp_path):
    async with MailMember() as member, relaying(tmp_path, member) as (proxy, client):
        async with mail_client(proxy.port) as idle:
            await idle.hello()
            await client.envelope("u@example.com")
            draining = asyncio.ensure_future(proxy.worker.drain(20))
            assert (await idle.reply())[0] == 421
            assert (await client.data()).startswith("250")
            assert (await client.reply())[0] == 421
            client.close()
            idle.close()
            await draining
        assert len(member.messages) == 1


async def test_retiring_connection_ends_after_a_message(tmp_path):
    async with MailMember() as member, relaying(tmp_path, member) as (proxy, client):
        proxy.listener.retire(1)
        assert (await client.send("u@example.com")).startswith("250")
        assert (await client.say("MAIL FROM:<a@b>")).startswith("421 4.3.2")


async def test_reload_in_a_message_keeps_it_and_applies_to_the_next(tmp_path):
    async with MailMember() as old, MailMember() as new, relaying(tmp_path, old) as (proxy, client):
        await client.envelope("u@example.com")
        await proxy.change(lambda mapping: mapping["pools"]["app"].update(members=[new.address]))
        assert (await client.data()).startswith("250")
        async with mail_client(proxy.port) as other:
            assert (await other.send("u@example.com")).startswith("250")
        assert (len(old.messages), len(new.messages)) == (1, 1)


async def test_kept_conversation_with_a_removed_or_drained_member_is_given_up(tmp_path):
    async with MailMember() as old, MailMember() as new, relaying(tmp_path, old, new) as (proxy, client):
        await client.send("u@example.com")
        (used,) = [each for each in (old, new) if each.messages]
        proxy.set_admin(used.address, "draining")
        await client.send("u@example.com")
        assert (len(old.messages), len(new.messages)) == (1, 1)
        proxy.set_admin(used.address, "enabled")
        await proxy.change(lambda mapping: mapping["pools"]["app"].update(members=[used.address]))
        await client.send("u@example.com")
        assert len(used.messages) == 2


async def test_client_that_leaves_while_a_member_decides_does_not_undo_the_message(tmp_path):
    decided = asyncio.Event()

    async def decide(member, command):
        await decided.wait()
        return "250 2.0.0 Ok"

    async with MailMember({".": decide}) as member, relaying(tmp_path, member) as (proxy, client):
        await client.envelope("u@example.com")
        await client.say("DATA")
        client.writer.write(b"x\r\n.\r\n")
        await eventually(lambda: member.content == b"x\r\n")
        close_by_reset(client.writer.get_extra_info("socket"))
        client.writer.transport.abort()
        await eventually(lambda: not proxy.connections)
        decided.set()
        await eventually(lambda: member.messages)
        await eventually(lambda: proxy.member().active == 0)


async def test_message_limit_closes_with_421(tmp_path):
    smtp = {"limits": {"messages": 1}}
    async with MailMember() as member, relaying(tmp_path, member, smtp=smtp) as (_proxy, client):
        assert (await client.send("u@example.com")).startswith("250")
        assert (await client.say("MAIL FROM:<a@b>")).startswith("421 4.3.2")


async def test_mail_log_and_metrics_tell_the_result(tmp_path):
    log = tmp_path / "mail.log"
    smtp = {"log": {"path": str(log), "format": "json"}}
    async with MailMember() as member, relaying(tmp_path, member, smtp=smtp) as (proxy, client):
        await client.send("u@example.com", "v@example.com")
        member.replies["."] = "554 5.7.1 Spam"
        await client.send("u@example.com")
        proxy.worker.logs.flush()
        one, two = [json.loads(line) for line in log.read_text().splitlines()]
        assert (one["sender"], one["recipients"], one["status"]) == ("a@client.test", 2, 250)
        assert (one["pool"], one["member"], one["helo"]) == ("app", member.address, "client.test")
        assert "queued as 1" in one["reply"]
        assert two["status"] == 554
        samples = {
            each.labels: each.value
            for each in proxy.worker.samples()
            if each.name == "adc_smtp_messages_total"
        }
        assert samples == {("web", "app", "accepted"): 1, ("web", "app", "rejected"): 1}
        member = proxy.member()
        assert (member.active, member.requests) == (1, 1)


async def test_members_are_counted_until_the_conversation_ends(tmp_path):
    async with MailMember() as member, relaying(tmp_path, member) as (proxy, client):
        await client.send("u@example.com")
        assert proxy.member().active == 1
        client.close()
        await eventually(lambda: proxy.member().active == 0)


async def test_idle_client_does_not_make_its_member_slow(tmp_path):
    pool = {"balance": "least_response_time"}
    async with MailMember() as member, relaying(tmp_path, member, pool=pool) as (proxy, client):
        await client.send("u@example.com")
        (connection,) = proxy.connections
        for lease in connection.caller.leases:
            lease._began -= 300
        client.close()
        await eventually(lambda: proxy.member().active == 0)
        assert 0 < proxy.member().ewma < 30


async def test_connection_over_the_limit_is_told(tmp_path):
    limits = {"limits": {"connections": 1}}
    async with relaying(tmp_path, "127.0.0.1:9", listener=limits) as (proxy, _client):
        reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
        told = await asyncio.wait_for(reader.read(), 10)
        assert told == b"421 4.3.2 Too many connections, try again later\r\n"
        writer.close()
        await eventually(lambda: proxy.listener.state.shedding == 0)
