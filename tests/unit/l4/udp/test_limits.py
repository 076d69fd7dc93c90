"""The rate of datagrams of one source."""

from adc.l4.udp.limits import DatagramRate


def admitted(rate, address, now, times):
    return sum(rate.admit(address, now) for _ in range(times))


def test_a_source_sends_its_rate_at_once_and_then_as_time_passes():
    rate = DatagramRate(10)
    assert admitted(rate, "192.0.2.1", 100.0, 50) == 10
    assert admitted(rate, "192.0.2.1", 100.5, 50) == 5
    assert admitted(rate, "192.0.2.1", 200.0, 50) == 10


def test_sources_are_counted_apart_and_addresses_of_one_ipv6_network_together():
    rate = DatagramRate(1)
    assert [rate.admit(address, 0.0) for address in ("192.0.2.1", "192.0.2.2", "192.0.2.1")] == [
        True,
        True,
        False,
    ]
    assert rate.admit("2001:db8::1", 0.0)
    assert not rate.admit("2001:db8::2", 0.0)
    assert not rate.admit("2001:db8::3%eth0", 0.0)
    assert rate.admit("2001:db8:0:1::1", 0.0)


def test_a_rate_below_the_time_between_datagrams_admits_all():
    rate = DatagramRate(1)
    assert all(rate.admit("192.0.2.1", float(second)) for second in range(10))


def test_the_source_that_is_silent_longest_is_forgotten_first():
    rate = DatagramRate(1, most=2)
    for address in ("192.0.2.1", "192.0.2.2", "192.0.2.1", "192.0.2.3"):
        rate.admit(address, 0.0)
    assert not rate.admit("192.0.2.1", 0.0)
    assert rate.admit("192.0.2.2", 0.0)
