"""The firewalls of a configuration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adc_plugins.waf.code.loading import Report
from adc_plugins.waf.configured_rules import ConfiguredRules, configured_rules
from adc_plugins.waf.engine import Ruleset
from adc_plugins.waf.options import WafOptions

from adc.plugin import CommandHost, PluginConfiguration


@dataclass(frozen=True, slots=True)
class Use:
    """A route's firewall."""

    route: str
    options: WafOptions

    @property
    def audit_log(self) -> Path | None:
        """The file of the audit log, None without one."""
        path = self.options.audit_log
        return path if isinstance(path, Path) else None

    def rules(self, **changes: Any) -> ConfiguredRules:
        """Read the rules, with other options where `changes` has them."""
        return configured_rules(self.options.model_copy(update=changes))

    def ruleset(self, changes: Mapping[str, Any], report: Report) -> Ruleset:
        """Return the compiled rules, which detect and never block."""
        return self.rules(**changes).ruleset("detect", None, report)


def waf_uses(host: CommandHost, config: Path | None) -> list[Use]:
    """Return the firewalls of a configuration, or of the running service."""
    return uses_of(host.configuration(config))


def uses_of(configuration: PluginConfiguration) -> list[Use]:
    """Return the firewalls of a configuration."""
    return [Use(use.route, use.plugin.options) for use in configuration.uses("waf")]


def ignored(_rule: str, _error: Exception) -> None:
    """Drop what a rule in Python raised."""
