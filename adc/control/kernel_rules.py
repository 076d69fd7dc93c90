"""The firewall's rules for the kernel, with sets reloaded from changed files, and time windows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adc.control.kernel_services import uses_engine
from adc.runtime.assembly.firewall import BadSet, filter_of, read_set, read_sets
from adc.runtime.assembly.set_files import SetFiles
from adc.telemetry.event_log import EventLog

if TYPE_CHECKING:
    from adc.config import Config
    from adc.config.model.firewall import Firewall

log = EventLog(__name__)


class KernelRules:
    """The rules of a configuration. Reads the files of its sets: raises OSError, BadSet."""

    def __init__(self, firewall: Firewall) -> None:
        self._files = SetFiles(
            {name: each.file for name, each in firewall.sets.items() if each.file is not None}
        )
        self.filter = filter_of(firewall, read_sets(firewall))

    def windows(self, wall: float) -> tuple[bool, ...]:
        """Return which rules with a time are in force at `wall` (Unix seconds)."""
        return tuple(rule.time.holds(wall) for rule in self.filter.rules if rule.time is not None)

    def refresh(self) -> bool:
        """Reload changed files; True if a set has changed. A file with an error changes nothing."""
        refreshed = False
        for name in self._files.look():
            try:
                self.filter.sets[name] = read_set(self._files.files[name])
            except (OSError, BadSet) as error:
                log.error("firewall_set_not_reloaded", set=name, detail=str(error))
            else:
                log.info("firewall_set_reloaded", set=name)
                refreshed = True
        return refreshed


def rules_of(config: Config) -> KernelRules | None:
    """Return the rules for the kernel, with the sets as their files are now. Raises OSError, BadSet."""
    if config.firewall is None or not uses_engine(config):
        return None
    return KernelRules(config.firewall)
