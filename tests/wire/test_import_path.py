"""Nothing that the service starts imports from the folder that it is started in."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from adc.launch import command
from tests.kit.ports import free_port
from tests.wire.service import PATIENCE, Service

CONSOLE_SCRIPT = "import sys; sys.argv[0] = '/usr/bin/adc'; from adc.cli import main; main()"
ANSWERS = """
workers: 1
listeners: [{name: web, bind: "@web"}]
routes: [{respond: {status: 200, body: here}}]
admin: {bind: "@admin"}
"""
SHADOWED = ("adc/__init__", "json", "uvloop", "httptools", "yaml", "jinja2/__init__", "re", "pathlib", "lmdb")


@pytest.fixture
def hostile(tmp_path):
    """A folder whose modules leave a mark when they are imported."""
    folder = tmp_path / "hostile"
    for name in SHADOWED:
        file = folder / f"{name}.py"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(
            f"open({str(folder / 'imported')!r}, 'a').write({name!r} + ' ')\nraise SystemExit(77)\n"
        )
    return folder


def marks(hostile):
    mark = hostile / "imported"
    return mark.read_text() if mark.exists() else ""


@pytest.mark.parametrize("pythonpath", [None, ":/nowhere"])
@pytest.mark.parametrize(
    "start",
    [("-P", "-c", CONSOLE_SCRIPT), ("-m", "adc")],
    ids=["console script", "python -m"],
)
async def test_a_service_imports_nothing_from_its_current_folder(tmp_path, hostile, start, pythonpath):
    if start[0] == "-m" or pythonpath:  # the interpreter finds it before a line of ours runs
        (hostile / "adc" / "__init__.py").unlink()
        (hostile / "adc").rmdir()
    if pythonpath:  # what the interpreter itself needs to come up is out of our hands then
        for name in ("re", "pathlib"):
            (hostile / f"{name}.py").unlink()
    service = Service(tmp_path)
    service.write(ANSWERS)
    run = [sys.executable, *start, "run", str(service.config), "--pidfile", str(service.pidfile)]
    environ = {"PYTHONPATH": pythonpath or ""}
    try:
        await service.started(command=run, environ=environ, cwd=hostile)
        assert (await service.get())[0] == 200
        service.signal(signal.SIGUSR2)
        await service.told("READY=1")
        assert (await service.get())[0] == 200
    finally:
        service.close()
    assert marks(hostile) == ""


def test_the_sample_applications_import_nothing_from_the_current_folder(hostile):
    process = subprocess.Popen(
        command("adc.cli.demo.applications"),
        cwd=hostile,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    output, _ = process.communicate(timeout=PATIENCE)
    assert b"ADC_DEMO_BLUE_1" in output
    assert marks(hostile) == ""


@pytest.mark.parametrize("verb", ["check", "doctor"])
def test_a_verb_imports_nothing_from_the_current_folder(tmp_path, hostile, verb):
    config = tmp_path / "adc.yaml"
    config.write_text(ANSWERS.replace("@web", "127.0.0.1:0").replace("@admin", f"127.0.0.1:{free_port()}"))
    run = [sys.executable, "-P", "-c", CONSOLE_SCRIPT, verb, str(config)]
    subprocess.run(run, cwd=hostile, check=True, timeout=PATIENCE, capture_output=True)
    assert marks(hostile) == ""


def test_a_fork_server_is_of_the_package_that_started_it():
    assert Path(command("adc.control.fork_server")[2]).samefile(
        Path(__file__).parents[2] / "adc" / "launch.py"
    )
