"""The rules that the options of one use of the plugin name: SecLang, exclusions and Python."""

from __future__ import annotations

import errno
import glob
from dataclasses import dataclass
from pathlib import Path

from adc_plugins.waf.code.loading import Report, as_code, load_rules
from adc_plugins.waf.code.rule import PythonRule
from adc_plugins.waf.directives import with_options
from adc_plugins.waf.engine.ruleset import Ruleset, RulesetOptions
from adc_plugins.waf.options import WafOptions
from adc_plugins.waf.rule_files import Source, is_python, read_closing, read_rules, read_scoring, read_source

from adc.plugin import OptionErrors


@dataclass(frozen=True, slots=True)
class ConfiguredRules:
    """`sources` are in the order in which they are read; `code` are files of rules in Python."""

    sources: tuple[Source, ...]
    code: tuple[Source, ...]

    def python_rules(self) -> list[PythonRule]:
        """Run the files of rules in Python and return the rules. Raises SecLangError."""
        return [rule for file, _ in self.code for rule in load_rules(Path(file))]

    def ruleset(self, engine: str, folder: Path | None, report: Report) -> Ruleset:
        """Compile the rules. `report` gets what rules in Python raise. Raises SecLangError."""
        code = [as_code(rule, report) for rule in self.python_rules()]
        return Ruleset.load(self.sources, RulesetOptions(engine), folder, code)


def configured_rules(options: WafOptions) -> ConfiguredRules:
    """Read the files that `options` name. Raises OptionErrors.

    Exclusions come first, so that they hold for rules of every phase. Rules in Python alone get the bundled rules that
    evaluate scores.
    """
    setup, others = read_rules(options.rules)
    if all(map(is_python, options.rules)):
        others = read_scoring()
    exclusions = _optional(options.exclusions) if options.exclusions else []
    sources = with_options(options, setup, [*exclusions, *others, read_closing()])
    code = [source for written in options.rules if is_python(written) for source in _python(options, written)]
    return ConfiguredRules(tuple(sources), tuple(code))


def _optional(path: Path) -> list[Source]:
    try:
        return [read_source(path)]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise OptionErrors([(("exclusions",), f"{path}: {error.strerror}")]) from None


def _python(options: WafOptions, written: str) -> list[Source]:
    paths = sorted(glob.glob(written, recursive=True)) if glob.has_magic(written) else [written]
    try:
        if not paths:
            raise FileNotFoundError(errno.ENOENT, "no such file")
        return [read_source(Path(path)) for path in paths]
    except OSError as error:
        number = options.rules.index(written)
        raise OptionErrors([(("rules", number), f"{written}: {error.strerror}")]) from None
