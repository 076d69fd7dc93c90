"""What is shipped: the wheel outside the checkout, and the files of the container."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
import yaml

from tests.kit.ports import free_port
from tests.wire.service import PATIENCE, ROOT

OFFLINE = ("--no-deps", "--no-build-isolation", "--no-index")
SHIPPED = ("adc", "plugins", "config", "pyproject.toml", "setup.py", "README.md", "LICENSE")


def command(*arguments, cwd, stderr=subprocess.PIPE, **environ):
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=cwd,
        env={**os.environ, **environ},
        stdout=subprocess.PIPE,
        stderr=stderr,
        text=True,
        check=True,
        timeout=110,
    ).stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A wheel built from a copy of its sources, and what the build printed; uncompiled, as that takes minutes."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    source.mkdir()
    for name in SHIPPED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__", "*.so"))
        elif (ROOT / name).exists():
            shutil.copy(ROOT / name, source / name)
    arguments = (*OFFLINE, "-v", "-w", str(folder), str(source))
    printed = command("-m", "pip", "wheel", *arguments, cwd=folder, stderr=subprocess.STDOUT, ADC_COMPILE="0")
    (wheel,) = folder.glob("adc-*.whl")
    return wheel, printed


@pytest.fixture(scope="module")
def installed(built):
    """A folder with the content of the wheel."""
    wheel, _ = built
    target = wheel.parent / "site"
    command("-m", "pip", "install", *OFFLINE, "-q", "--target", str(target), str(wheel), cwd=wheel.parent)
    return target


def test_the_build_warns_of_no_missing_package(built):
    _, printed = built
    assert "adc/proxy/pages" in printed
    assert "absent from" not in printed


def test_the_wheel_holds_the_license(installed):
    (license_file,) = installed.glob("adc-*.dist-info/licenses/LICENSE")
    assert license_file.read_text() == (ROOT / "LICENSE").read_text()
    (metadata,) = installed.glob("adc-*.dist-info/METADATA")
    assert "License-Expression: Apache-2.0\n" in metadata.read_text()


def test_the_wheel_holds_templates_plugins_and_examples(installed):
    for source, target in (("adc", "adc"), ("plugins", "adc_plugins"), ("config", "adc_examples")):
        files = {
            path.relative_to(ROOT / source)
            for path in (ROOT / source).rglob("*")
            if path.is_file() and path.suffix not in (".pyc", ".so")
        }
        shipped = {path.relative_to(installed / target) for path in (installed / target).rglob("*")}
        assert files <= shipped


def test_the_wheel_checks_an_example_outside_the_checkout(installed, tmp_path):
    place = command("-c", "import adc; print(adc.__file__)", cwd=tmp_path, PYTHONPATH=str(installed))
    assert Path(place.strip()).is_relative_to(installed)
    example = installed / "adc_examples" / "quickstart.yaml"
    output = command("-m", "adc", "check", str(example), cwd=tmp_path, PYTHONPATH=str(installed))
    assert output.endswith("ok\n")


def test_the_demo_of_the_wheel_serves_its_applications(installed, tmp_path):
    web, admin = free_port(), free_port()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(PATIENCE)
        process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "adc",
                "demo",
                "--bind",
                f"127.0.0.1:{web}",
                "--admin",
                f"127.0.0.1:{admin}",
            ],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(installed), "NOTIFY_SOCKET": manager.getsockname()},
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            assert "READY=1" in manager.recv(1000).decode().splitlines()
            assert _get(web, "/").startswith("<!doctype html>")
            assert '"path": "/users"' in _get(web, "/api/users")
            assert _get(web, "/static/demo.js").startswith('"use strict"')
            assert "workers" in _get(admin, "/api/v1/status")
        finally:
            process.send_signal(signal.SIGINT)
            output, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0
    assert f"open http://127.0.0.1:{web}/" in output


def _get(port, path):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=PATIENCE) as response:
        return response.read().decode()


def test_the_compose_file_has_the_services_and_names_they_use_for_each_other():
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    assert set(services) == {"adc", "app-1", "app-2", "valkey"}
    assert set(services["adc"]["depends_on"]) < set(services)
    for name in ("ADC_APP_1", "ADC_APP_2"):
        assert services["adc"]["environment"][name].partition(":")[0] in services
        assert f"${{{name}:-" in (ROOT / "config" / "container.yaml").read_text()
    for name, service in services.items():
        assert ("build" in service) != ("image" in service), name
    for app in ("app-1", "app-2"):
        assert services[app]["entrypoint"] == ["python", "-P", "-m", "adc.cli.demo.applications"]


def test_the_compose_file_has_only_keys_that_compose_knows():
    """Those of the Compose Specification that we use: a service with another key does not start."""
    known = {
        "build": str,
        "cap_drop": list,
        "command": list,
        "depends_on": list,
        "entrypoint": list,
        "environment": dict,
        "healthcheck": dict,
        "hostname": str,
        "image": str,
        "ports": list,
        "read_only": bool,
        "restart": str,
        "security_opt": list,
    }
    whole = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    assert set(whole) == {"services"}
    for service in whole["services"].values():
        for key, value in service.items():
            assert type(value) is known[key], key
        assert all(re.fullmatch(r"[\d.]+:\d+:\d+", port) for port in service.get("ports", ()))
        assert service["restart"] == "unless-stopped"


def test_the_image_copies_only_what_exists_and_runs_without_rights():
    lines = (ROOT / "Dockerfile").read_text().replace("\\\n", " ").splitlines()
    instructions = [line.split(None, 1) for line in lines if line.strip()]
    words = [word for word, _ in instructions]
    known = {
        "FROM",
        "WORKDIR",
        "COPY",
        "RUN",
        "ENV",
        "USER",
        "EXPOSE",
        "STOPSIGNAL",
        "HEALTHCHECK",
        "ENTRYPOINT",
        "CMD",
    }
    assert set(words) <= known
    assert words[0] == "FROM"
    assert words.index("USER") < words.index("ENTRYPOINT")
    for word, rest in instructions:
        if word == "COPY" and not rest.startswith("--from"):
            assert (ROOT / rest.split()[0]).exists()
    sent = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    assert sorted(sent) == sorted(SHIPPED)


def test_every_make_target_of_the_readme_exists():
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"`?make ([a-z]+)[` ]", (ROOT / "README.md").read_text()))
    assert {"run", "test", "check", "bench"} <= named <= targets
