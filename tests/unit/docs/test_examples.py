"""Every YAML block of the documentation passes `adc check`, completed by what it leaves out."""

import os
import pwd
import re
import shutil
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from adc.cli.app import app
from tests.kit.authority import Authority
from tests.kit.mmdb import write_database

ROOT = Path(__file__).parents[3]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"^```yaml\n(.*?)^```", re.MULTILINE | re.DOTALL)
BLOCKS = [
    pytest.param(block, id=f"{page.relative_to(ROOT)}-{number}")
    for page in PAGES
    for number, block in enumerate(BLOCK.findall(page.read_text("utf-8")), 1)
]
FILES = {
    "users.htpasswd": "alice:$2y$08$1ZHM6DNnr55mlCUhkJk16uFef2SXW.aVaCPWXmek8ZqNDuGkgYSVC\n",
    "client.secret": "the secret of a client\n",
}
"""Files that plugins of the blocks read."""

CERTIFICATE_FILE = re.compile(r"certs/[\w.-]+")


@pytest.fixture(scope="module")
def surroundings(tmp_path_factory):
    """A folder with the files that the blocks name: certificates, keys, plugins, schemas. Logs go there too."""
    folder = tmp_path_factory.mktemp("docs")
    for name in ("schemas", "public", "pages"):
        shutil.copytree(ROOT / "config" / name, folder / name)
    (folder / "manuals").mkdir()
    shutil.copy(folder / "pages" / "5xx.html", folder / "pages" / "shop.html")
    made = CliRunner().invoke(app, ["plugins", "new", "add_greeting", "--folder", str(folder / "plugins")])
    assert made.exit_code == 0, made.output
    rules = ["plugins", "new", "--rule", "debug_switch", "--folder", str(folder / "rules")]
    assert CliRunner().invoke(app, rules).exit_code == 0
    pair = Authority(folder / "authority").issue("*.example.com", "example.org")
    (folder / "certs").mkdir()
    for name, content in FILES.items():
        (folder / name).write_text(content)
    (folder / "lists").mkdir()
    (folder / "lists" / "blocked.txt").write_text("192.0.2.0/24\n")
    write_database(folder / "GeoLite2-Country.mmdb", {})
    for block in BLOCKS:
        for name in CERTIFICATE_FILE.findall(block.values[0]):
            shutil.copy(pair["key" if name.endswith(".key") else "certificate"], folder / name)
    return folder


@pytest.mark.parametrize("block", BLOCKS)
def test_yaml_blocks_pass_the_check(block, surroundings):
    if "datapath: kernel" in block and (why := not_for_nft()):
        pytest.skip(f"the kernel has to check its rules: {why}")
    file = surroundings / "adc.yaml"
    file.write_text(completed(block).replace("/var/log/adc", str(surroundings)))
    checked = CliRunner().invoke(app, ["check", str(file)], env={"RUNTIME_DIRECTORY": str(surroundings)})
    assert checked.exit_code == 0, checked.output


def not_for_nft():
    """Return why nft cannot check rules here, or None."""
    if os.geteuid() != 0:
        return "not root"
    return None if shutil.which("nft") else "no nft"


def completed(block):
    """Return `block` with the parts that it refers to and does not show; a list is one of routes."""
    if isinstance(yaml.safe_load(block), list):
        block = "routes:\n" + block
    written = yaml.safe_load(block)
    more = {}
    if "listeners" not in written:
        more["listeners"] = [{"name": "web", "bind": "127.0.0.1:8080"}]
    if "routes" not in written:
        elsewhere = set(
            re.findall(r"[\w-]+", str(written.get("listeners")))
        )  # pools of tcp, udp and smtp listeners
        pools = [pool for pool in written.get("pools", {}) if pool not in elsewhere]
        more["routes"] = [{"pool": pool, "match": {"path": f"/{pool}/"}} for pool in pools]
        more["routes"].append({"respond": 404})
    named = {pool for route in written.get("routes", []) for pool in _pools(route)}
    if "pools" not in written and named:
        more["pools"] = {name: ["127.0.0.1:9001"] for name in sorted(named)}
    if "caches" not in written and "cache:" in block:
        more["caches"] = {"site": {"memory": "64MB"}}
    if os.geteuid():
        block = block.replace("www-data", pwd.getpwuid(os.geteuid()).pw_name)
    return block + ("\n" + yaml.dump(more) if more else "")


def _pools(route):
    yield from [route["pool"]] if "pool" in route else route.get("split", {})


def test_there_are_blocks_to_check():
    assert len(BLOCKS) >= 25
