"""The shared tiers of cache stores."""

import os

from adc.runtime.serve.caches import half_of_file_system


def test_shared_tier_has_at_most_half_of_its_file_system(tmp_path):
    found = os.statvfs(tmp_path)
    assert half_of_file_system(tmp_path / "not" / "there") == found.f_blocks * found.f_frsize // 2
