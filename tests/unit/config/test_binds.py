"""Addresses that cannot all be listened on are found with both places."""

import pytest
import yaml


def listeners(*binds, admin=None):
    made = [
        {"bind": bind.removeprefix("udp "), "protocol": "udp", "pool": "p"}
        if bind.startswith("udp ")
        else {"bind": bind.split(" + ")}
        for bind in binds
    ]
    admin = {"admin": admin} if admin else {}
    return yaml.safe_dump({"listeners": made, "pools": {"p": ["10.0.0.1:1"]}, **admin}, sort_keys=False)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("127.0.0.1:8000-8010", "127.0.0.1:8005"),
        ("127.0.0.1:8005", "127.0.0.1:8000-8010"),
        ("127.0.0.1:8000-8010", "127.0.0.1:8010-8020"),
        ("0.0.0.0:8000-8010", "127.0.0.1:8010-8020"),
        (":80", "127.0.0.1:80"),
        ("127.0.0.1:80", "*:80"),
        ("[::]:80", "[2001:db8::1]:80"),
        ("[::1]:80", "[0:0::1]:80"),
        ("localhost:80", "LOCALHOST:80"),
        ("udp 0.0.0.0:53", "udp 127.0.0.1:53"),
    ],
)
def test_address_beside_which_another_is_refused(refused, first, second):
    (line,) = refused(listeners(first, second), listeners="")
    written = second.removeprefix("udp ")
    assert f': listeners[1].bind: "{written}" overlaps "{first.removeprefix("udp ")}"' in line or (
        f': listeners[1].bind[0]: "{written}" overlaps "{first}"' in line
    )
    assert "; the first is listeners[0].bind" in line
    assert line.endswith(("adc.yaml:3:5)", "adc.yaml:2:9)"))


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("127.0.0.1:8000-8010", "127.0.0.1:8011"),
        ("127.0.0.1:80", "127.0.0.2:80"),
        ("0.0.0.0:80", "[::]:80"),
        ("127.0.0.1:80", "[::]:80"),
        ("127.0.0.1:53", "udp 127.0.0.1:53"),
        (":0", ":0"),
        ("unix:a", "unix:b"),
    ],
)
def test_addresses_that_the_kernel_accepts_together(loaded, first, second):
    loaded(listeners(first, second), listeners="")


def test_address_within_its_own_listener_and_of_the_admin_server_is_found(refused):
    lines = refused(listeners("127.0.0.1:8000-8010 + 127.0.0.1:8001", admin="127.0.0.1:8000"), listeners="")
    assert ['"127.0.0.1:8001" overlaps' in lines[0], '"127.0.0.1:8000" overlaps' in lines[1]] == [True, True]


def test_address_after_a_range_keeps_its_place(loaded):
    config = loaded(listeners("127.0.0.1:8000-8010 + 127.0.0.1:9000"), listeners="").config
    assert [each.place for each in config.listeners[0].bind] == [0] * 11 + [1]
