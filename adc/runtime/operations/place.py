"""The place of an operation in the admin API: its request as a path, a query and a body, and back."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, fields
from typing import Any
from urllib.parse import quote, urlencode

from adc.runtime.operations.convert import from_json, from_text, to_json
from adc.runtime.operations.operation import Operation, Request

_IN_BODY = "POST"
_FIELD = re.compile(r"\{(\w+)(:[^}]*)?\}")


def placed(operation: Operation[Request, Any], request: Request) -> tuple[str, dict[str, Any] | None]:
    """Return path (with its query) and body of `request`. Fields with their default are left out."""
    values = to_json(request)
    path = _FIELD.sub(lambda match: quote(values.pop(match[1]), safe=""), operation.path)
    for each in fields(operation.request):
        if each.default is not MISSING and values.get(each.name) == to_json(each.default):
            values.pop(each.name, None)
    if operation.method == _IN_BODY:
        return path, values
    query = urlencode({name: _text(value) for name, value in values.items()}, doseq=True)
    return f"{path}?{query}" if query else path, None


def _text(value: Any) -> Any:
    return str(value).lower() if isinstance(value, bool) else value


def read_request(
    operation: Operation[Request, Any],
    in_path: Mapping[str, str],
    query: Iterable[tuple[str, str]],
    body: Mapping[str, Any],
) -> Request:
    """Return the request that `placed` has made these of. Raises ValueError."""
    request: Request
    if operation.method == _IN_BODY:
        request = from_json(operation.request, {**body, **in_path})
    else:
        request = from_text(operation.request, [*query, *in_path.items()])
    return request
