"""The rate of datagrams of one source."""

from adc.firewall.buckets import Buckets
from adc.l4.udp.limits import DatagramRate


def rate_of(rate, listener="dns", buckets=None):
    return DatagramRate(rate, listener, buckets or Buckets())


def admitted(rate, address, now, times):
    return sum(rate.admit(address, now) for _ in range(times))


def test_a_source_sends_its_rate_at_once_and_then_as_time_passes():
    rate = rate_of(10)
    assert admitted(rate, "192.0.2.1", 100.0, 50) == 10
    assert admitted(rate, "192.0.2.1", 100.5, 50) == 5
    assert admitted(rate, "192.0.2.1", 200.0, 50) == 10


def test_workers_count_a_source_together():
    buckets = Buckets()
    workers = [rate_of(10, buckets=buckets) for _ in range(2)]
    assert [admitted(worker, "192.0.2.1", 100.0, 6) for worker in workers] == [6, 4]
    assert [admitted(worker, "192.0.2.1", 100.5, 3) for worker in workers] == [3, 2]


def test_listeners_count_a_source_apart():
    buckets = Buckets()
    rates = [rate_of(1, listener, buckets) for listener in ("dns", "game")]
    assert [rate.admit("192.0.2.1", 0.0) for rate in (*rates, *rates)] == [True, True, False, False]


def test_sources_are_counted_apart_and_addresses_of_one_ipv6_network_together():
    rate = rate_of(1)
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
    rate = rate_of(1)
    assert all(rate.admit("192.0.2.1", float(second)) for second in range(10))


def test_a_lower_rate_after_a_reload_applies_at_once():
    buckets = Buckets()
    assert admitted(rate_of(1000, buckets=buckets), "192.0.2.1", 100.0, 2000) == 1000
    assert admitted(rate_of(2, buckets=buckets), "192.0.2.1", 101.0, 10) == 2
