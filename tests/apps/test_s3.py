"""An S3 store (moto, which checks signatures) behind a real `adc run`: every name of an object remains its own."""

import json
import subprocess

import pytest

from tests.apps.application import BIN, CONFIG, START, application, environment, installed
from tests.kit.ports import free_port
from tests.wire.service import ROOT, Service

ENDPOINT = "http://127.0.0.1:{}"
UNSIGNED = "3"
"""Requests that moto takes without a signature: those that make the user."""

pytestmark = [installed, pytest.mark.timeout(180)]


def s3(port, *arguments):
    """What `s3_keys.py` prints."""
    script = ROOT / "tests/apps/s3_keys.py"
    done = subprocess.run(
        [BIN / "python", script, ENDPOINT.format(port), *arguments],
        env=environment(),
        capture_output=True,
        timeout=START,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    return json.loads(done.stdout)


async def test_all_names_of_objects_behave_as_without_a_proxy(tmp_path, monkeypatch):
    monkeypatch.setenv("INITIAL_NO_AUTH_ACTION_COUNT", UNSIGNED)
    port = free_port()
    service = Service(tmp_path)
    service.write(CONFIG, member=port)
    async with application(tmp_path, "moto_server", "-H", "127.0.0.1", "-p", str(port), port=port):
        try:
            await service.started()
            credentials = s3(port)
            direct = s3(port, "direct", *credentials)
            behind = s3(service.port, "behind", *credentials)
            forged = s3(service.port, "forged", credentials[0], "another secret")
        finally:
            service.close()
    assert behind == direct
    assert behind["found"] == {name: ["put", name, True, "deleted"] for name in behind["found"]}
    assert (len(behind["found"]), behind["listed"], behind["left"]) == (29, 29, 0)
    assert forged == {"error": "SignatureDoesNotMatch"}
