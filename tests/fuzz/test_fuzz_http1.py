import uvloop

from tests.fuzz.fuzz_http1 import fuzz


def test_mutated_traffic_raises_nothing_hangs_nowhere_and_reaches_nobody_else(tmp_path):
    uvloop.run(fuzz(60, 1, tmp_path))
