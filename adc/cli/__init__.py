"""The command line: one module per verb."""

from __future__ import annotations

import gc
import sys


def main() -> None:
    """Run `adc`. Exit codes: 0 done, 1 failed, 2 usage or configuration."""
    gc.disable()  # imports leave no garbage; `adc.control.start` enables it in processes that stay
    from adc.cli.app import app

    app(args=sys.argv[1:], prog_name="adc")
