"""Commands that are forked behave as those that are started."""

import contextlib
import os
import resource
import select
import subprocess
import sys

import pytest

from tests.kit import adc_commands


def test_exit_code_and_output_are_those_of_the_command():
    code, said = adc_commands.run(["status", "--admin", "127.0.0.1:1"], 60)
    assert code == 1
    assert "127.0.0.1:1" in said
    assert adc_commands.run(["--version"], 60)[1].startswith("adc ")


def test_command_that_goes_on_is_not_waited_for(tmp_path):
    (tmp_path / "adc.yaml").write_text(
        "admin: false\nlisteners: [{bind: '127.0.0.1:0'}]\nroutes: [{respond: {status: 204}}]\n"
    )
    with open(os.devnull, "wb") as output:
        command = adc_commands.start(["run", str(tmp_path / "adc.yaml"), "--workers", "0"], output.fileno())
    assert command.poll() is None
    with pytest.raises(subprocess.TimeoutExpired):
        command.wait(0.01)
    command.kill()
    assert command.wait(60) == -9
    assert command.poll() == -9


def test_descriptors_beyond_those_of_select_are_waited_for():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(max(soft, 2048), hard), hard))
    with contextlib.ExitStack() as stack:
        for _ in range(1024):
            stack.callback(os.close, os.open(os.devnull, os.O_RDONLY))
        assert adc_commands.run(["--version"], 60)[0] == 0
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


TESTS = """
import os, sys, time
from tests.kit import adc_commands
print(adc_commands.start(["run", sys.argv[1], "--workers", "0"], os.open(os.devnull, os.O_WRONLY)).pid, flush=True)
time.sleep(60)
"""


def test_commands_end_with_tests_that_are_killed(tmp_path):
    (tmp_path / "adc.yaml").write_text(
        "admin: false\nlisteners: [{bind: '127.0.0.1:0'}]\nroutes: [{respond: {status: 204}}]\n"
    )
    arguments = [sys.executable, "-c", TESTS, str(tmp_path / "adc.yaml")]
    with subprocess.Popen(arguments, cwd=adc_commands.ROOT, stdout=subprocess.PIPE, text=True) as tests:
        command = os.pidfd_open(int(tests.stdout.readline()))
        tests.kill()
    assert select.select([command], [], [], 60)[0]
    os.close(command)
