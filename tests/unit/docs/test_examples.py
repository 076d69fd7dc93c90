"""Every YAML block of the documentation is a configuration, or becomes one with what it leaves out."""

import re
from pathlib import Path

import pytest
import yaml

from adc.config import load

ROOT = Path(__file__).parents[3]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"^```yaml\n(.*?)^```", re.MULTILINE | re.DOTALL)
BLOCKS = [
    pytest.param(block, id=f"{page.relative_to(ROOT)}-{number}")
    for page in PAGES
    for number, block in enumerate(BLOCK.findall(page.read_text("utf-8")), 1)
]


@pytest.mark.parametrize("block", BLOCKS)
def test_yaml_blocks_load(block, tmp_path):
    file = tmp_path / "adc.yaml"
    file.write_text(completed(block))
    load(file, {})


def completed(block):
    """`block` with the parts that it refers to and does not show; a list is one of routes."""
    if isinstance(yaml.safe_load(block), list):
        block = "routes:\n" + block
    written = yaml.safe_load(block)
    more = {}
    if "listeners" not in written:
        more["listeners"] = [{"name": "web", "bind": "127.0.0.1:8080"}]
    named = {pool for route in written.get("routes", []) for pool in _pools(route)}
    missing = named - set(written.get("pools", {}))
    if "pools" not in written and missing:
        more["pools"] = {name: ["127.0.0.1:9001"] for name in sorted(missing)}
    if "caches" not in written and "cache:" in block:
        more["caches"] = {"site": {"memory": "64MB"}}
    return block + ("\n" + yaml.dump(more) if more else "")


def _pools(route):
    yield from [route["pool"]] if "pool" in route else route.get("split", {})


def test_there_are_blocks_to_check():
    assert len(BLOCKS) >= 15
