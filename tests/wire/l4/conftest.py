"""Certificates for tests of TCP listeners."""

import pytest

from tests.kit.authority import Authority


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="module")
def pair(authority):
    return authority.issue("a.test", "b.test", "localhost", "127.0.0.1")
