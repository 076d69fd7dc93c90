"""Services of a worker for its plugins."""

import pytest

from adc.config.model.config import Config
from adc.runtime.serve.plugin_services import shares_rates

SERVING = {
    "listeners": [{"name": "web", "bind": "127.0.0.1:0"}],
    "routes": [{"respond": {"status": 204}}],
    "state": {"backend": "redis", "url": "redis://127.0.0.1:6379/0"},
}


@pytest.mark.parametrize(
    ("cluster", "shared"),
    [
        ({}, True),
        ({"cluster": {"name": "edge"}}, True),
        ({"cluster": {"name": "edge", "sync": {"rate_limits": False}}}, False),
    ],
)
def test_nodes_count_rates_together_unless_the_cluster_does_not_synchronise_them(cluster, shared):
    assert shares_rates(Config.model_validate({**SERVING, **cluster})) is shared
