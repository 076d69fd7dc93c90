"""The checks of one route, made from its options."""

from __future__ import annotations

from adc_plugins.documents.json.options import JsonValidationOptions
from adc_plugins.documents.json.places import place_of
from adc_plugins.documents.json.refusals import invalid
from adc_plugins.documents.json.refused import JsonRefused, pointer
from adc_plugins.documents.json.schema import BadSchema, JsonSchema, read_schema
from adc_plugins.documents.json.text import parse
from adc_plugins.documents.refusal import Invalid

from adc.plugin import OptionErrors

_BLANK = b" \t\r"


class JsonValidator:
    """Checks documents. Raises OptionErrors for a schema that cannot be used."""

    def __init__(self, options: JsonValidationOptions) -> None:
        self._limits = options.limits
        self._schema: JsonSchema | None = None
        try:
            if options.json_schema is not None:
                self._schema = read_schema(options.json_schema, options.formats)
        except BadSchema as error:
            raise OptionErrors([(("schema",), str(error))]) from None

    def check(self, content: bytes) -> list[Invalid]:
        """Return what is wrong with a document."""
        try:
            value = parse(content, self._limits)
        except JsonRefused as refused:
            return [invalid(content, refused)]
        if self._schema is None:
            return []
        errors = self._schema.errors(value)
        if not errors:
            return []
        text = content.decode()
        return [
            Invalid(error.message, *place_of(text, error.path), details={"pointer": pointer(error.path)})
            for error in errors
        ]

    def check_lines(self, content: bytes) -> list[Invalid]:
        """Return what is wrong with the first invalid line of newline-delimited JSON; empty lines are skipped."""
        for number, line in enumerate(content.split(b"\n"), 1):
            found = self.check(line) if line.strip(_BLANK) else []
            if found:
                return [_moved(each, number) for each in found]
        return []


def _moved(found: Invalid, line: int) -> Invalid:
    return Invalid(found.reason, line, found.column, found.status, found.details)
