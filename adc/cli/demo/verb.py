"""The command: starts the sample applications in a separate process, then serves in front of them."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from adc.cli.loading import load_or_fail
from adc.cli.output import fail
from adc.launch import command as command_of

CONFIG = Path(__file__).with_name("demo.yaml")

WELCOME = """\
adc demo: open http://{web}/ in a browser, or try

  curl http://{web}/hello                    a page of pool blue, two members in turn
  curl -H 'x-beta: 1' http://{web}/hello     a header sends you to pool green
  curl http://{web}/api/users                the member sees /users
  curl -I http://{web}/old/page              a redirect
  curl -N http://{web}/events                server-sent events, passed on as they come
  curl http://{admin}/metrics              counters; http://{admin}/ shows the state

Configuration: {config}
Ctrl-C ends it."""


def demo(
    bind: Annotated[
        str, typer.Option(metavar="HOST:PORT", help="Address of the demo service.")
    ] = "127.0.0.1:8080",
    admin: Annotated[
        str, typer.Option(metavar="HOST:PORT", help="Address of the admin server.")
    ] = "127.0.0.1:9901",
) -> None:
    """Start sample applications and a full configuration in front of them."""
    os.environ.update(ADC_DEMO_BIND=bind, ADC_DEMO_ADMIN=admin)
    with _applications() as addresses:
        os.environ.update(addresses)
        from adc.control.start import StartFailed, serve
        from adc.control.supervisor import RunOptions

        loaded = load_or_fail(CONFIG)
        print(WELCOME.format(web=bind, admin=admin, config=CONFIG), flush=True)
        try:
            serve(RunOptions(CONFIG), loaded, os.environ)
        except StartFailed as error:
            fail(f"adc: {error}", error.code)


@contextmanager
def _applications() -> Iterator[dict[str, str]]:
    """Yield the running applications: environment variables with their addresses for the configuration.

    They end when their standard input does, so they never outlive this process.
    """
    command = command_of("adc.cli.demo.applications")
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, process_group=0) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            line = process.stdout.readline()
            if not line:
                fail("the sample applications do not start")
            yield json.loads(line)
        finally:
            process.stdin.close()
