"""How much of each kind of traffic there is."""

import random
from collections.abc import Iterator

from tests.kit.ordinary import apis, browsing, forms, uploads
from tests.kit.ordinary.client import Client
from tests.kit.web_request import WebRequest

SHARES = {
    browsing.page: 12,
    browsing.asset: 8,
    browsing.search: 16,
    browsing.suggestion: 4,
    browsing.campaign: 3,
    browsing.filters: 6,
    browsing.redirect: 4,
    browsing.analytics: 3,
    browsing.oauth: 3,
    forms.address: 4,
    forms.contact: 6,
    forms.login: 5,
    forms.signup: 3,
    forms.editor: 7,
    forms.markdown: 3,
    forms.forum: 5,
    forms.settings: 2,
    forms.dotnet: 1,
    apis.resource: 6,
    apis.graphql: 4,
    apis.patch: 1,
    apis.rpc: 1,
    apis.find: 2,
    apis.document: 2,
    apis.assistant: 2,
    apis.telemetry: 2,
    apis.report: 1,
    apis.track: 2,
    apis.github: 1,
    apis.stripe: 1,
    apis.slack: 1,
    apis.paypal: 1,
    apis.mobile: 5,
    apis.curl: 2,
    uploads.upload: 4,
    uploads.form_data: 2,
    uploads.raw_file: 1,
    uploads.soap: 1,
    uploads.xml_rpc: 1,
    uploads.dav: 2,
    uploads.single_sign_on: 1,
    uploads.token: 1,
}


def traffic(count: int = 10_000, seed: int = 1) -> Iterator[WebRequest]:
    """Yield `count` requests; the same for the same `seed`."""
    client = Client(random.Random(seed))
    kinds, weights = list(SHARES), list(SHARES.values())
    for kind in client.random.choices(kinds, weights, k=count):
        yield kind(client)
