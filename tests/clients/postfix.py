"""Mail with Postfix: two servers that accept everything and discard it."""

from __future__ import annotations

import itertools
import os
import shutil
import smtplib
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.clients.application import Application, Member, Tally, program

CLIENTS = 2
TIMEOUT = 10.0
MAIN = """
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
shlib_directory = /usr/lib/postfix
meta_directory = /etc/postfix
mail_owner = postfix
setgid_group = postdrop
myhostname = {name}.adc.test
mydestination =
local_recipient_maps =
alias_maps =
alias_database =
default_transport = discard:
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
smtpd_relay_restrictions = permit_mynetworks, reject
smtpd_client_connection_count_limit = 0
maillog_file = {folder}/mail.log
maillog_file_prefixes = {folder}
"""
MASTER = """
127.0.0.1:{port} inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
proxymap unix - - n - - proxymap
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
"""


class Postfix(Application):
    """Two servers; a message counts when a server has accepted it."""

    name = "smtp"
    protocol = "smtp"
    programs = ("postfix",)
    in_flight = CLIENTS * 2

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.members = [Member(folder / name, _command) for name in ("one", "two")]

    def missing(self) -> str | None:
        return super().missing() or (None if os.geteuid() == 0 else "Postfix must be started by root")

    def configuration(self) -> tuple[list[dict[str, Any]], dict[str, Any]]:
        listener = {"name": self.name, "bind": f"127.0.0.1:{self.port}", "protocol": "smtp"}
        return [{**listener, "smtp": {"routes": [{"pool": self.name}]}}], {self.name: self.pool()}

    def ready(self, port: int) -> None:
        try:
            with smtplib.SMTP("127.0.0.1", port, "client.test", 1.0):
                pass
        except smtplib.SMTPException as error:
            raise ConnectionError(error) from error

    def loads(self, tally: Tally) -> list[Callable[[], None]]:
        numbers = itertools.count()
        visitors = [lambda: tally.repeat(lambda: self._visit(next(numbers)), 0.02)] * CLIENTS
        return [*visitors, *([lambda: self._stay(tally, numbers)] * CLIENTS)]

    def _visit(self, number: int) -> None:
        with smtplib.SMTP("127.0.0.1", self.port, "client.test", TIMEOUT) as client:
            _send(client, number)

    def _stay(self, tally: Tally, numbers: itertools.count[int]) -> None:
        """Send many messages on a connection; the client dials again after one that failed."""
        client = smtplib.SMTP(local_hostname="client.test", timeout=TIMEOUT)

        def once() -> None:
            try:
                if client.sock is None:
                    client.connect("127.0.0.1", self.port)
                _send(client, next(numbers))
            except Exception:
                client.close()
                raise

        tally.repeat(once, 0.02)
        client.close()


def _send(client: smtplib.SMTP, number: int) -> None:
    message = f"From: a@client.test\r\nTo: b@adc.test\r\nSubject: {number}\r\n\r\nMessage {number}\r\n.\r\n"
    client.sendmail("a@client.test", ["b@adc.test"], message)


def _command(folder: Path, port: int) -> list[str]:
    """Write the configuration, have Postfix make its queue, and return the command of its master."""
    (folder / "main.cf").write_text(MAIN.format(folder=folder, name=folder.name))
    (folder / "master.cf").write_text(MASTER.format(port=port))
    for name in ("queue", "data"):
        (folder / name).mkdir(exist_ok=True)
    shutil.chown(folder / "data", "postfix")
    check = [f"{program('postfix')}", "-c", f"{folder}", "check"]
    subprocess.run(check, capture_output=True, timeout=30, check=False)
    return ["/usr/lib/postfix/sbin/master", "-c", f"{folder}", "-s"]
