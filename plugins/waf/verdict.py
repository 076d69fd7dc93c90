"""From an intervention of the rules to the response."""

from __future__ import annotations

from adc_plugins.waf.engine.results import Intervention

from adc.plugin import Response

FORBIDDEN = 403
TOO_LARGE = 413
UNSUPPORTED = 415


def response_of(intervention: Intervention) -> Response:
    """Return the response for deny, redirect and drop. A denied exchange gets the error page of its status."""
    status = intervention.status if 200 <= intervention.status <= 599 else FORBIDDEN
    if intervention.action == "drop":
        return Response(FORBIDDEN, reason="denied", abort=True)
    if intervention.action == "redirect" and intervention.location:
        try:
            location = {"Location": intervention.location.decode("latin-1")}
            return Response(status if 300 <= status <= 399 else 302, location, reason="denied")
        except ValueError:  # a macro put something in it that no field may have
            return Response(FORBIDDEN, error_page=True)
    if status >= 400:
        return Response(status, reason="limit_body" if status == TOO_LARGE else "denied", error_page=True)
    return Response(status, reason="denied")
