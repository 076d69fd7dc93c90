"""Directives that configure the engine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from adc_plugins.waf.seclang.lines import Line
from adc_plugins.waf.seclang.model import DEFAULT_TYPES, SecLangError, Settings


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


WITHOUT_EFFECT: Final = _names(
    """
    SecAuditEngine SecAuditLog SecAuditLog2 SecAuditLogDirMode SecAuditLogFileMode SecAuditLogFormat SecAuditLogParts
    SecAuditLogPrefix SecAuditLogRelevantStatus SecAuditLogStorageDir SecAuditLogType SecCacheTransformations
    SecChrootDir SecConnEngine SecConnReadStateLimit SecConnWriteStateLimit SecContentInjection SecCookieFormat
    SecCookieV0Separator SecDataDir SecDebugLog SecDebugLogLevel SecDisableBackendCompression SecGeoLookupDb
    SecGsbLookupDb SecGuardianLog SecHashEngine SecHashKey SecHashMethodPm SecHashMethodRx SecHashParam SecHttpBlKey
    SecInterceptOnError SecPcreMatchLimit SecPcreMatchLimitRecursion SecReadStateLimit SecRequestBodyInMemoryLimit
    SecRuleInheritance SecRulePerfTime SecSensorId SecServerSignature SecStatusEngine SecStreamInBodyInspection
    SecStreamOutBodyInspection SecTmpDir SecTmpSaveUploadedFiles SecUnicodeCodePage SecUnicodeMap SecUnicodeMapFile
    SecUploadDir SecUploadFileLimit SecUploadFileMode SecUploadKeepFiles SecWebAppId SecWriteStateLimit
    SecXmlExternalEntity
    """
)
"""Directives that are accepted and ignored: what they configure does not exist here, or the plugin's options do it."""

_Reader = Callable[[Line], Any]


def _word(line: Line) -> str:
    if len(line.words) != 1:
        raise SecLangError(line.place, f"{line.name} needs one value, found {len(line.words)}")
    return line.words[0]


def _choice(*allowed: str) -> _Reader:
    def read(line: Line) -> str:
        word = _word(line)
        if word.lower() not in {item.lower() for item in allowed}:
            raise SecLangError(line.place, f'{line.name} is {" or ".join(allowed)}, found "{word}"')
        return word.lower()

    return read


def _switch(line: Line) -> bool:
    return bool(_choice("On", "Off")(line) == "on")


def _number(line: Line) -> int:
    word = _word(line)
    if not word.isdecimal() or len(word) > 18:
        raise SecLangError(line.place, f'{line.name} is a whole number, found "{word}"')
    return int(word)


def _types(line: Line) -> tuple[str, ...]:
    if not line.words:
        raise SecLangError(line.place, f"{line.name} needs content types such as text/html")
    return tuple(word.lower() for word in line.words)


def _separator(line: Line) -> str:
    word = _word(line)
    if len(word) != 1:
        raise SecLangError(line.place, f'{line.name} is one character, found "{word}"')
    return word


_FIELDS: dict[str, tuple[str, _Reader]] = {
    "SecRuleEngine": ("engine", _choice("On", "Off", "DetectionOnly")),
    "SecRequestBodyAccess": ("request_body_access", _switch),
    "SecRequestBodyLimit": ("request_body_limit", _number),
    "SecRequestBodyNoFilesLimit": ("request_body_no_files_limit", _number),
    "SecRequestBodyLimitAction": ("request_body_limit_action", _choice("Reject", "ProcessPartial")),
    "SecRequestBodyJsonDepthLimit": ("request_body_json_depth", _number),
    "SecResponseBodyAccess": ("response_body_access", _switch),
    "SecResponseBodyLimit": ("response_body_limit", _number),
    "SecResponseBodyLimitAction": ("response_body_limit_action", _choice("Reject", "ProcessPartial")),
    "SecArgumentsLimit": ("arguments_limit", _number),
    "SecArgumentSeparator": ("argument_separator", _separator),
    "SecCollectionTimeout": ("collection_timeout", _number),
    "SecParseXmlIntoArgs": ("parse_xml_into_args", _choice("On", "Off", "OnlyArgs")),
}

NAMES: Final = (*_FIELDS, "SecResponseBodyMimeType", "SecResponseBodyMimeTypesClear", "SecComponentSignature")
"""The directives that `with_directive` reads."""

DIRECTIVES: Final = frozenset(name.lower() for name in NAMES)

_READERS = {name.lower(): reader for name, reader in _FIELDS.items()}


def with_directive(settings: Settings, line: Line) -> Settings:
    """Return `settings` as `line` changes them."""
    name = line.name.lower()
    if name == "secresponsebodymimetype":
        before = (
            () if settings.response_body_mime_types is DEFAULT_TYPES else settings.response_body_mime_types
        )
        types = (*before, *_types(line))
        return replace(settings, response_body_mime_types=tuple(dict.fromkeys(types)))
    if name == "secresponsebodymimetypesclear":
        return replace(settings, response_body_mime_types=())
    if name == "seccomponentsignature":
        return replace(settings, component_signatures=(*settings.component_signatures, _word(line)))
    field, read = _READERS[name]
    return replace(settings, **{field: read(line)})
