"""The paths that `oidc` answers itself."""

from __future__ import annotations

from adc_plugins.tokens.oidc_options import OidcOptions
from adc_plugins.tokens.session import own_path

from adc.plugin import OptionErrors, check_url, with_place

_OWN = ("callback_path", "logout_path", "backchannel_path")


def check_paths(options: OidcOptions) -> None:
    """Raise OptionErrors for a path that is none of this site, has two meanings, or is not used."""
    if options.public_url:
        with_place("public_url", check_url, options.public_url)
        if options.public_url.rstrip("/").count("/") != 2:
            raise OptionErrors([(("public_url",), "has a path; write scheme and host only")])
    for key in (*_OWN, "after_logout"):
        path: str = getattr(options, key)
        if own_path(path) != path or "?" in path:
            raise OptionErrors([((key,), f"{path!r:.100} is no path of this site such as /oauth2/callback")])
    paths: list[str] = [getattr(options, key) for key in _OWN]
    for place, key in enumerate(_OWN):
        if paths[place] in paths[:place]:
            other = _OWN[paths.index(paths[place])]
            raise OptionErrors([((key,), f"is the {other} too; write another path")])
    if "backchannel_path" in options.model_fields_set and options.session != "table":
        raise OptionErrors([(("backchannel_path",), "needs session: table")])
