"""Real applications are installed by `make test-apps` into an environment of their own."""

import uvloop


def pytest_asyncio_loop_factories(config, item):
    return {"uvloop": uvloop.new_event_loop}
