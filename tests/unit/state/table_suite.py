"""What every backend must do: subclassed once a backend, with a `store` fixture of its own."""

import pytest

from adc.state.interface import (
    MAX_KEY_BYTES,
    MAX_VALUE_BYTES,
    UNKNOWN,
    Change,
    Count,
    Entry,
    EntryTooLargeError,
    Store,
    first_stands,
)
from tests.kit.waiting import eventually as until

NOW = 1_000_000.0


class TableSuite:
    async def test_entry_is_found_until_it_expires(self, store: Store) -> None:
        table = store.table("t", 100)
        assert table.set(b"k", b"v", 10.0, NOW) == b"v"
        assert table.get(b"k", NOW + 9.9) == (b"v", NOW + 10.0)
        assert table.lookup(b"k", NOW + 9.9) == (b"v", NOW + 10.0)
        assert table.get(b"k", NOW + 10.0) is None

    async def test_entry_that_is_looked_up_again_is_what_stands(self, store: Store) -> None:
        table = store.table("t", 2, max)
        assert table.lookup(b"k", NOW) in (None, UNKNOWN)
        table.set(b"k", b"b", 10.0, NOW)
        for _ in range(2):
            assert table.lookup(b"k", NOW) == (b"b", NOW + 10.0)
        table.set(b"k", b"c", 10.0, NOW + 1)
        assert table.lookup(b"k", NOW) == (b"c", NOW + 11.0)
        table.touch(b"k", 20.0, NOW + 1)
        assert table.lookup(b"k", NOW + 20) == (b"c", NOW + 21.0)
        assert table.lookup(b"k", NOW + 21) in (None, UNKNOWN)
        for number in range(5):
            table.set(b"%d" % number, b"v", 100.0, NOW + 2)
        found = table.lookup(b"k", NOW + 2)
        assert (None if found is UNKNOWN else found) == table.get(b"k", NOW + 2)
        table.delete(b"4", NOW)
        assert table.lookup(b"4", NOW) in (None, UNKNOWN)

    async def test_entry_that_nobody_wrote_is_not_there(self, store: Store) -> None:
        table = store.table("t", 100)
        assert table.get(b"k", NOW) is None
        assert table.lookup(b"k", NOW) in (None, UNKNOWN)

    async def test_set_replaces_value_and_expiry(self, store: Store) -> None:
        table = store.table("t", 100)
        table.set(b"k", b"old", 100.0, NOW)
        table.set(b"k", b"new", 5.0, NOW)
        assert table.get(b"k", NOW + 4.0) == (b"new", NOW + 5.0)
        assert len(table) == 1
        assert table.stats.created == 1

    async def test_touch_slides_the_expiry_of_a_live_entry_only(self, store: Store) -> None:
        table = store.table("t", 100)
        assert not table.touch(b"k", 10.0, NOW)
        table.set(b"k", b"v", 10.0, NOW)
        assert table.touch(b"k", 10.0, NOW + 9.0)
        assert table.get(b"k", NOW + 18.0) == (b"v", NOW + 19.0)
        assert not table.touch(b"k", 10.0, NOW + 19.0)

    async def test_delete_says_whether_there_was_a_live_entry(self, store: Store) -> None:
        table = store.table("t", 100)
        table.set(b"k", b"v", 10.0, NOW)
        assert table.delete(b"k", NOW)
        assert not table.delete(b"k", NOW)
        assert table.get(b"k", NOW) is None
        table.set(b"dead", b"v", 10.0, NOW)
        assert not table.delete(b"dead", NOW + 10.0)

    async def test_counter_keeps_the_window_it_was_created_with(self, store: Store) -> None:
        table = store.table("t", 100)
        assert table.add(b"n", 1, 10.0, NOW) == (1, NOW + 10.0)
        assert table.add(b"n", 4, 10.0, NOW + 9.0) == (5, NOW + 10.0)
        assert table.add(b"n", -2, 10.0, NOW + 9.5) == (3, NOW + 10.0)
        assert table.get(b"n", NOW + 9.9) == (b"3", NOW + 10.0)
        assert table.add(b"n", 1, 10.0, NOW + 10.0) == (1, NOW + 20.0)

    async def test_exact_addition_reports_the_counter_and_the_end_of_its_window(self, store: Store) -> None:
        table = store.table("t", 100)
        counts: list[Count | None] = []
        for amount in (1, 4, -2):
            table.add_exactly(b"n", amount, 10.0, NOW, counts.append)
        await until(lambda: len(counts) == 3)
        assert [count and count.total for count in counts] == [1, 5, 3]
        assert all(count is not None and 9.0 < count.expires - NOW <= 10.0 for count in counts)

    async def test_exact_addition_to_text_is_refused(self, store: Store) -> None:
        table = store.table("t", 100)
        table.set(b"k", b"text", 10.0, NOW)
        with pytest.raises(ValueError, match="text"):
            table.add_exactly(b"k", 1, 10.0, NOW, lambda count: None)

    async def test_counting_on_text_is_refused_and_changes_nothing(self, store: Store) -> None:
        table = store.table("t", 100)
        table.set(b"k", b"text", 10.0, NOW)
        with pytest.raises(ValueError, match="text"):
            table.add(b"k", 1, 10.0, NOW)
        assert table.get(b"k", NOW) == (b"text", NOW + 10.0)

    async def test_tables_do_not_see_each_other(self, store: Store) -> None:
        store.table("a", 100).set(b"k", b"v", 10.0, NOW)
        assert store.table("b", 100).get(b"k", NOW) is None
        assert store.table("a", 100).get(b"k", NOW) is not None

    async def test_merge_rule_decides_between_live_values(self, store: Store) -> None:
        table = store.table("merged", 100, merge=min)
        table.set(b"k", b"b", 10.0, NOW)
        assert table.set(b"k", b"c", 20.0, NOW) == b"b"
        assert table.set(b"k", b"a", 20.0, NOW) == b"a"
        assert table.set(b"k", b"z", 10.0, NOW + 20.0) == b"z"

    async def test_scan_pages_in_key_order_through_live_entries_of_a_prefix(self, store: Store) -> None:
        table = store.table("t", 100)
        for number in range(10):
            table.set(b"a%d" % number, b"v%d" % number, 10.0, NOW)
        table.set(b"b0", b"", 10.0, NOW)
        table.set(b"a55", b"dead", 1.0, NOW)
        seen, cursor = [], None
        for _ in range(4):
            page = table.scan(NOW + 2.0, prefix=b"a", limit=3, cursor=cursor)
            seen.append([key for key, _ in page.entries])
            cursor = page.cursor
        assert seen == [[b"a0", b"a1", b"a2"], [b"a3", b"a4", b"a5"], [b"a6", b"a7", b"a8"], [b"a9"]]
        assert cursor is None

    async def test_scan_without_matches_is_an_empty_last_page(self, store: Store) -> None:
        assert store.table("t", 100).scan(NOW, prefix=b"x") == ([], None)

    async def test_table_stays_within_its_size_and_keeps_what_was_written_last(self, store: Store) -> None:
        table = store.table("t", 10)
        for number in range(100):
            table.set(b"%03d" % number, b"v", 1000.0, NOW + number)
        assert len(table) <= 10
        assert table.get(b"099", NOW + 100) is not None
        assert table.stats.evicted >= 90

    async def test_entries_in_use_survive_a_flood(self, store: Store) -> None:
        table = store.table("t", 32)
        table.set(b"busy", b"v", 1000.0, NOW)
        for number in range(500):
            table.set(b"%03d" % number, b"v", 1000.0, NOW + number)
            table.touch(b"busy", 1000.0, NOW + number + 0.5)
        assert table.get(b"busy", NOW + 500) is not None

    async def test_expired_entries_make_room_before_live_ones(self, store: Store) -> None:
        table = store.table("t", 8)
        for number in range(4):
            table.set(b"live%d" % number, b"v", 1000.0, NOW)
        for number in range(4):
            table.set(b"dead%d" % number, b"v", 1.0, NOW + 1)
        store.tick(NOW + 10)
        for number in range(4):
            table.set(b"new%d" % number, b"v", 1000.0, NOW + 10)
        assert [table.get(b"live%d" % number, NOW + 10) is not None for number in range(4)] == [True] * 4
        assert table.stats.evicted == 0

    async def test_tick_reaps_in_slices_of_its_budget(self, store: Store) -> None:
        table = store.table("t", 1000)
        for number in range(300):
            table.set(b"%03d" % number, b"v", 5.0, NOW)
        assert 0 < store.tick(NOW + 5.0, 100) <= 100
        assert len(table) >= 200
        for _ in range(6):
            store.tick(NOW + 5.0, 100)
        assert len(table) == 0
        assert table.stats.expired == 300

    async def test_reaping_leaves_entries_that_were_touched(self, store: Store) -> None:
        table = store.table("t", 100)
        table.set(b"k", b"v", 5.0, NOW)
        table.touch(b"k", 10.0, NOW + 4.0)
        assert store.tick(NOW + 6.0) == 0
        assert table.get(b"k", NOW + 6.0) is not None
        assert store.tick(NOW + 14.0) == 1

    async def test_oversized_keys_and_values_are_refused(self, store: Store) -> None:
        table = store.table("t", 100)
        table.set(b"k" * MAX_KEY_BYTES, b"v" * MAX_VALUE_BYTES, 1.0, NOW)
        for key, value in (
            (b"k" * (MAX_KEY_BYTES + 1), b""),
            (b"", b""),
            (b"k", b"v" * (MAX_VALUE_BYTES + 1)),
        ):
            with pytest.raises(EntryTooLargeError):
                table.set(key, value, 1.0, NOW)
        assert len(table) == 1

    async def test_watcher_hears_changes_until_it_cancels(self, store: Store) -> None:
        table = store.table("t", 100)
        heard: list[Change] = []
        cancel = table.watch(heard.append)
        store.tick(NOW)
        table.set(b"k", b"v", 5.0, NOW)
        table.delete(b"k", NOW)
        table.set(b"dying", b"v", 5.0, NOW)
        store.tick(NOW + 5)
        store.tick(NOW + 5)
        assert heard == [
            Change("set", b"k", b"v"),
            Change("delete", b"k", b""),
            Change("set", b"dying", b"v"),
            Change("expired", b"dying", b""),
        ]
        cancel()
        table.set(b"k", b"v", 5.0, NOW + 5)
        store.tick(NOW + 6)
        assert len(heard) == 4

    async def test_any_bytes_are_a_key_and_a_value(self, store: Store) -> None:
        table = store.table("t", 1000)
        for number in range(256):
            table.set(bytes([number]), bytes([number]) * 3, 5.0, NOW)
        assert all(table.get(bytes([number]), NOW) == (bytes([number]) * 3, NOW + 5) for number in range(256))

    async def test_fetch_answers_once(self, store: Store) -> None:
        table = store.table("t", 100)
        table.set(b"k", b"v", 50.0, NOW)
        answers: list[object] = []
        table.fetch(b"k", NOW, answers.append)
        await until(lambda: bool(answers))
        assert [getattr(entry, "value", None) for entry in answers] == [b"v"]

    async def test_size_can_change_while_the_table_is_in_use(self, store: Store) -> None:
        table = store.table("t", 1000)
        for number in range(400):
            table.set(b"%03d" % number, b"v", 1000.0, NOW + number)
        assert store.table("t", 100) is table
        for number in range(400, 600):
            table.set(b"%03d" % number, b"v", 1000.0, NOW + number)
        assert len(table) <= 100

    async def test_first_claim_of_a_key_stands(self, store: Store) -> None:
        table = store.table("t", 100, max)
        standing: list[Entry] = []
        for value in (b"a", b"b"):
            table.claim(b"k", value, 10.0, NOW, standing.append)
        await until(lambda: len(standing) == 2)
        assert [entry.value for entry in standing] == [b"a", b"a"]
        expires = pytest.approx(NOW + 10.0, abs=0.1)  # Redis may begin another millisecond while it answers
        await until(
            lambda: table.get(b"k", NOW) == (b"a", expires)
        )  # once the writes in between have arrived

    async def test_rule_of_one_write_goes_before_that_of_the_table(self, store: Store) -> None:
        table = store.table("t", 100, max)
        table.set(b"k", b"a", 10.0, NOW)
        assert table.set(b"k", b"b", 5.0, NOW, first_stands) == b"a"
        assert table.get(b"k", NOW) == (b"a", NOW + 10.0)
        assert table.set(b"k", b"b", 5.0, NOW) == b"b"
