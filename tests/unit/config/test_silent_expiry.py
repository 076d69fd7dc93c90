"""`on_expiry: silent` where workers lack the right for it."""

import pytest

TEXT = """
{top}
listeners: [{{name: db, bind: 127.0.0.1:15432, protocol: {protocol}, pool: p{listener}}}]
pools: {{p: ["127.0.0.1:25432"]}}
"""


@pytest.mark.parametrize(
    ("top", "listener", "protocol", "said"),
    [
        (
            "user: nobody\nsessions: {on_expiry: silent}",
            "",
            "tcp",
            "sessions.on_expiry: silent acts like close",
        ),
        (
            "user: nobody",
            ", sessions: {on_expiry: silent}",
            "tcp",
            "listeners[0].sessions.on_expiry: silent acts like close",
        ),
        ("user: nobody\nsessions: {on_expiry: silent}", "", "udp", None),
        ("user: nobody\nsessions: {on_expiry: silent}", ", sessions: {on_expiry: reset}", "tcp", None),
        ("sessions: {on_expiry: silent}", "", "tcp", None),
    ],
)
def test_silence_without_rights_is_doubtful(loaded, top, listener, protocol, said):
    text = TEXT.format(top=top, listener=listener, protocol=protocol)
    found = [str(each) for each in loaded(text, listeners="").lint]
    assert [f": {said}" in each for each in found] == ([True] if said else [])
