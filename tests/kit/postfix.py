"""A real Postfix from the distribution, run from folders of its own on a port of 127.0.0.1, ended by its pid."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import pytest

from tests.kit.ports import free_port
from tests.kit.waiting import PATIENCE

MAIN = """
compatibility_level = 3.6
config_directory = {home}/etc
queue_directory = {home}/queue
data_directory = {home}/data
maillog_file = {home}/log
maillog_file_prefixes = {home}
myhostname = postfix.test
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mydestination =
smtputf8_enable = no
disable_dns_lookups = yes
smtpd_peername_lookup = no
alias_maps =
local_recipient_maps =
mynetworks = 127.0.0.0/8
virtual_mailbox_domains = example.com
virtual_mailbox_base = {home}/mail
virtual_mailbox_maps = inline:{{ u@example.com=u/, v@example.com=v/ }}
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{gid}
smtpd_authorized_xclient_hosts = 127.0.0.0/8
smtpd_recipient_restrictions = reject_unauth_destination
smtpd_client_connection_rate_limit = 0
smtpd_client_connection_count_limit = 0
message_size_limit = 1000000
anvil_rate_time_unit = 1s
{more}
"""

MASTER = """
127.0.0.1:{port} inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
error unix - - n - - error
retry unix - - n - - error
virtual unix - n n - - virtual
proxymap unix - - n - - proxymap
anvil unix - - n - 1 anvil
tlsmgr unix - - n 1000? 1 tlsmgr
postlog unix-dgram n - n - 1 postlogd
"""


def needs_postfix():
    """The reason why Postfix cannot be run here, "" if it can."""
    if not shutil.which("postfix"):
        return "postfix is not installed (make peers)"
    return "" if os.geteuid() == 0 else "only root can run postfix"


class Postfix:
    """Accepts mail for u@example.com and v@example.com. `more` is added to main.cf."""

    def __init__(self, more=""):
        reason = needs_postfix()
        if reason:
            pytest.skip(reason)
        self.home = Path(tempfile.mkdtemp(prefix="adc-postfix-"))
        self.port = free_port()
        self.address = f"127.0.0.1:{self.port}"
        self._more = more

    def __enter__(self):
        owner = pwd.getpwnam("postfix")
        home = self.home
        home.chmod(0o755)
        for folder in ("etc", "queue", "data", "mail"):
            (home / folder).mkdir()
        for folder in ("data", "mail"):
            os.chown(home / folder, owner.pw_uid, owner.pw_gid)
        settings = {
            "home": home,
            "port": self.port,
            "uid": owner.pw_uid,
            "gid": owner.pw_gid,
            "more": self._more,
        }
        (home / "etc" / "main.cf").write_text(MAIN.format(**settings))
        (home / "etc" / "master.cf").write_text(MASTER.format(**settings))
        subprocess.run(
            ["postfix", "-c", home / "etc", "start"], check=True, capture_output=True, timeout=PATIENCE
        )
        return self

    def __exit__(self, *error):
        pid = int((self.home / "queue" / "pid" / "master.pid").read_text())
        os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + PATIENCE
        while Path(f"/proc/{pid}").exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        shutil.rmtree(self.home, ignore_errors=True)

    def mail(self, user="u"):
        """The messages in a mailbox."""
        return [path.read_bytes() for path in sorted((self.home / "mail" / user / "new").glob("*"))]

    def log(self):
        return (self.home / "log").read_text()
