"""The page about UDP lists every reason for which a datagram is dropped."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "howto" / "balance-udp.md"
FILES = [
    *sorted((ROOT / "adc" / "l4" / "udp").glob("*.py")),
    ROOT / "adc" / "runtime" / "serve" / "drop_report.py",
]
REASON = re.compile(r'dropped\("(\w+)"|"(no_\w+)"|drops\["(\w+)"\]|^ +return "(\w+)"$', re.MULTILINE)


def test_every_reason_is_described_and_no_other():
    source = "".join(file.read_text() for file in FILES)
    used = {name for found in REASON.findall(source) for name in found if name}
    page = PAGE.read_text()
    tables = page[page.index("## Dropped datagrams") : page.index("## Members that fail")]
    first_cells = re.findall(r"^\| (`[^|]*) \|", tables, re.MULTILINE)
    assert len(used) > 20
    assert {name for cell in first_cells for name in re.findall(r"`(\w+)`", cell)} == used
