"""Operators: what a rule says of a value."""

from __future__ import annotations

from collections.abc import Callable

from ..expression import Expression
from ..seclang.model import OperatorCall, Place, SecLangError
from .addresses import IpMatch, networks_of_file, networks_of_list
from .cards import VerifyCard, VerifySsn
from .constants import CONSTANTS
from .expressions import rx
from .injection import AVAILABLE, DetectSqlInjection, DetectXss
from .model import LimitReached, MacroOperator, Match, Operator
from .numbers import NUMBERS
from .phrases import Phrases, phrases_of_files, phrases_of_list
from .strings import STRINGS
from .validation import ValidateByteRange, ValidateUrlEncoding, ValidateUtf8Encoding

__all__ = ["Expression", "LimitReached", "Match", "Operator", "compile_operator"]

_Build = Callable[[bytes], Operator]
_Read = Callable[[str], bytes]

_OF_ARGUMENT: dict[str, _Build] = {
    **CONSTANTS,
    **NUMBERS,
    **STRINGS,
    "rx": rx,
    "rxglobal": rx,
    "pm": lambda argument: Phrases(phrases_of_list(argument)),
    "ipmatch": lambda argument: IpMatch(networks_of_list(argument)),
    "detectsqli": lambda _: DetectSqlInjection(),
    "detectxss": lambda _: DetectXss(),
    "validatebyterange": ValidateByteRange,
    "validateurlencoding": lambda _: ValidateUrlEncoding(),
    "validateutf8encoding": lambda _: ValidateUtf8Encoding(),
    "verifycc": VerifyCard,
    "verifyssn": VerifySsn,
}
_OF_FILES: dict[str, Callable[[bytes, _Read], Operator]] = {
    "pmfromfile": lambda argument, read: Phrases(phrases_of_files(argument, read)),
    "ipmatchfromfile": lambda argument, read: IpMatch(networks_of_file(read(argument.decode()))),
}
_OTHER_NAMES = {"pmf": "pmfromfile", "ipmatchf": "ipmatchfromfile"}
_OF_LIBINJECTION = ("detectsqli", "detectxss")


def compile_operator(call: OperatorCall, place: Place, read: _Read) -> Operator:
    """Return the operator of a call; `read` returns the content of a data file.

    Raises `SecLangError` at `place` for an argument that the operator cannot use.
    """
    name = _OTHER_NAMES.get(call.name, call.name)
    argument = call.argument.encode("utf-8", "surrogateescape")
    try:
        return _compile(name, argument, read)
    except (ValueError, OSError) as error:
        raise SecLangError(place, f"@{call.name}: {error}") from error


def _compile(name: str, argument: bytes, read: _Read) -> Operator:
    if name in _OF_LIBINJECTION and not AVAILABLE:
        raise ValueError("needs libinjection; install it with adc[waf]")
    if name in _OF_FILES:
        return _OF_FILES[name](argument, read)
    build = _OF_ARGUMENT.get(name)
    if build is None:
        raise ValueError(f"unknown operator; use {', '.join(sorted({*_OF_ARGUMENT, *_OF_FILES}))}")
    return MacroOperator(build) if b"%{" in argument else build(argument)
