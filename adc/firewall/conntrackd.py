"""The configuration of conntrackd, which copies connection tracking between two nodes. No I/O."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

PORT = 3780
"""UDP port of the synchronisation."""

_TEXT = """\
# Made by `adc firewall conntrackd` for {own}; the other node needs its own.
# The synchronisation is neither encrypted nor authenticated: use a link that only the two nodes share.
Sync {{
    Mode FTFW {{
        # Entries go to the kernel at once, so that either node may forward any packet.
        DisableExternalCache on
    }}
    UDP {{
        IPv{family}_address {own}
        IPv{family}_Destination_Address {peer}
        Port {port}
        Interface {interface}
        SndSocketBuffer 1249280
        RcvSocketBuffer 1249280
        Checksum on
    }}
}}
General {{
    HashSize {hash_size}
    HashLimit {limit}
    LogFile off
    Syslog on
    LockFile /var/lock/conntrackd.lock
    UNIX {{
        Path /var/run/conntrackd.ctl
    }}
    NetlinkBufferSize 2097152
    NetlinkBufferSizeMaxGrowth 8388608
    Filter From Userspace {{
        Protocol Accept {{
            TCP
            UDP
        }}
        Address Accept {{
{addresses}
        }}
    }}
}}
"""


def conntrackd_config(own: str, peer: str, interface: str, addresses: Iterable[str], size: int) -> str:
    """Return the configuration of the node with the address `own`.

    `addresses` are those of the listeners, whose flows are copied; `size` is the number of sessions. Raises ValueError
    for addresses of different families.
    """
    family = ipaddress.ip_address(own).version
    if ipaddress.ip_address(peer).version != family:
        raise ValueError(f"{own} and {peer} are not of one IP version")
    lines = [f"            IPv{ipaddress.ip_address(each).version}_address {each}" for each in addresses]
    return _TEXT.format(
        own=own,
        peer=peer,
        family=family,
        port=PORT,
        interface=interface,
        hash_size=max(1024, size // 4),
        limit=2 * size,
        addresses="\n".join(lines),
    )
