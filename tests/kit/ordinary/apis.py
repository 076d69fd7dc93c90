"""JSON APIs, GraphQL, telemetry, chat, webhooks."""

from urllib.parse import quote, urlencode

from tests.kit.ordinary.client import HOST
from tests.kit.ordinary.rich_text import PROSEMIRROR, RICH_TEXT
from tests.kit.ordinary.snippets import SNIPPETS
from tests.kit.ordinary.words import NAMES, ORGANISATIONS, PROSE, SEARCHES

QUERIES = [
    "query GetUser($id: ID!, $first: Int = 10) {\n  user(id: $id) { id name ...F orders(first: $first, filter: {status: OPEN}) { edges { node { id total } } } }\n}\nfragment F on User { email }",
    'mutation { addComment(input: {postId: "5", text: "It\'s \\"great\\" & new"}) { comment { id } } }',
    "{ __typename products(where: {price: {_gt: 10, _lt: 99}}, order_by: {name: asc}, limit: 20) { name } }",
    "subscription OnMessage { message(room: 5) { text author { name } } }",
]


def resource(client):
    value = {
        "id": client.uuid(),
        "name": client.pick(NAMES),
        "createdAt": "2024-06-10T12:34:56.789+09:00",
        "price": {"amount": 19.99, "currency": "EUR", "range": "10..20", "formula": "=A1*(1+B2)"},
        "tags": ["c++", "r&d", "a/b", "select", "한국어", "<new>"],
        "address": {"lines": ["Unit 7 & 8", "O'Connell St."], "geo": [37.5665, -126.978]},
        "avatar": "data:image/png;base64," + client.base64(120),
        "blob": client.base64(200),
        "url": "https://example.com/a?b=c&d=%20e",
        "description": client.pick(PROSE),
        "active": True,
        "parent": None,
    }
    method = client.pick(["POST", "PUT", "PATCH"])
    return client.json(f"/api/v1/items/{client.number()}", value, "json", method=method)


def graphql(client):
    value = {
        "operationName": "GetUser",
        "variables": {"id": client.uuid(), "name": client.pick(NAMES)},
        "query": client.pick(QUERIES),
    }
    if client.chance(0.3):
        return client.get(
            "/graphql?" + urlencode({"query": client.pick(QUERIES), "variables": "{}"}), "graphql"
        )
    return client.json("/graphql", [value, value] if client.chance(0.2) else value, "graphql")


def patch(client):
    steps = [
        {"op": "replace", "path": "/address/0/street", "value": "O'Connell St. 5"},
        {"op": "add", "path": "/tags/-", "value": "a~1b"},
        {"op": "test", "path": "/name", "value": client.pick(NAMES)},
    ]
    return client.json(
        "/api/v1/items/5", steps, "json", method="PATCH", content_type="application/json-patch+json"
    )


def rpc(client):
    return client.json(
        "/rpc",
        {
            "jsonrpc": "2.0",
            "method": "eth_call",
            "params": [{"to": "0x" + client.hex(40)}, "latest"],
            "id": 1,
        },
        "json",
    )


def find(client):
    value = {
        "query": {
            "bool": {
                "must": [{"match": {"title": client.pick(SEARCHES)}}],
                "filter": [{"range": {"price": {"gte": 10}}}],
            }
        },
        "sort": [{"date": "desc"}],
        "_source": ["title", "date"],
        "script_fields": False,
    }
    return client.json("/items/_search", value, "json")


def document(client):
    value = {
        "doc": PROSEMIRROR,
        "html": client.pick(RICH_TEXT),
        "version": client.number(99),
        "author": client.pick(NAMES),
    }
    return client.json("/api/documents/5", value, "rich text", method="PUT")


def assistant(client):
    messages = [
        {"role": "system", "content": "You are a helpful assistant."},
        {"role": "user", "content": client.pick(PROSE + SNIPPETS)},
    ]
    return client.json(
        "/v1/chat/completions",
        {"model": "m-1", "messages": messages, "temperature": 0.7, "stream": True},
        "chat",
    )


def telemetry(client):
    event = {
        "event_id": client.hex(32),
        "level": "error",
        "exception": {
            "values": [{"type": "TypeError", "value": "Cannot read properties of undefined (reading 'id')"}]
        },
        "breadcrumbs": [{"category": "ui.click", "message": 'div.app > button#save[type="button"]'}],
        "request": {"url": f"https://{HOST}/a?b=c", "headers": {"User-Agent": "Mozilla/5.0"}},
        "tags": {"release": "web@1.2.3+5", "os": "Windows >=10"},
    }
    return client.json(
        "/api/5/envelope",
        event,
        "telemetry",
        content_type=client.pick(["application/json", "text/plain;charset=UTF-8"]),
    )


def report(client):
    value = {
        "csp-report": {
            "document-uri": f"https://{HOST}/a",
            "violated-directive": "script-src-elem",
            "original-policy": "default-src 'self'; script-src 'self' 'nonce-abc'; report-uri /csp",
            "blocked-uri": "inline",
        }
    }
    return client.json("/csp", value, "telemetry", content_type="application/csp-report")


def track(client):
    batch = [
        {
            "type": "track",
            "event": "Clicked 'Buy' (top)",
            "properties": {"path": "/a/b", "search": "?q=" + quote(client.pick(SEARCHES))},
        }
    ]
    return client.json(
        "/v1/batch",
        {"batch": batch, "sentAt": "2024-06-10T12:34:56Z", "writeKey": client.letters(32)},
        "telemetry",
    )


def machine(agent, *more):
    return [("Host", HOST), ("User-Agent", agent), ("Accept", "*/*"), *more]


def github(client):
    value = {
        "ref": "refs/heads/main",
        "before": client.hex(40),
        "commits": [
            {
                "id": client.hex(40),
                "message": client.pick(
                    [
                        "Fix SQL injection in search; drop old table",
                        "Don't exec; import lazily",
                        "Merge branch 'a' into b",
                        "Use <b> & escape 'x'",
                    ]
                ),
                "url": "https://github.com/o/r/commit/" + client.hex(40),
                "author": {"name": client.pick(NAMES), "email": "a@users.noreply.github.com"},
                "modified": ["src/app.py", ".env.example", "docs/../README.md".replace("../", "")],
            }
        ],
        "repository": {
            "full_name": "o/r",
            "archive_url": "https://api.github.com/repos/o/r/{archive_format}{/ref}",
            "ssh_url": "git@github.com:o/r.git",
        },
    }
    headers = machine(
        "GitHub-Hookshot/1a2b3c4",
        ("X-GitHub-Event", "push"),
        ("X-Hub-Signature-256", "sha256=" + client.hex(64)),
    )
    return client.json("/hooks/github", value, "webhook", headers=headers)


def stripe(client):
    charge = {
        "id": "ch_" + client.letters(24),
        "amount": 1999,
        "billing_details": {"name": client.pick(NAMES)},
        "receipt_url": "https://pay.stripe.com/receipts/" + client.letters(40),
    }
    value = {
        "id": "evt_" + client.letters(24),
        "type": "charge.succeeded",
        "data": {"object": charge},
        "livemode": False,
    }
    headers = machine(
        "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
        ("Stripe-Signature", f"t=1718000000,v1={client.hex(64)},v0={client.hex(64)}"),
    )
    return client.json("/hooks/stripe", value, "webhook", headers=headers)


def slack(client):
    fields = {
        "token": client.letters(24),
        "team_domain": "acme",
        "command": "/deploy",
        "text": client.pick(PROSE),
        "response_url": "https://hooks.slack.com/commands/T1/2/" + client.letters(24),
    }
    return client.send(
        "/hooks/slack",
        urlencode(fields).encode(),
        "application/x-www-form-urlencoded",
        "webhook",
        headers=machine("Slackbot 1.0 (+https://api.slack.com/robots)"),
    )


def paypal(client):
    fields = {
        "mc_gross": "19.95",
        "payer_email": "o'brien@example.ie",
        "first_name": "Seán",
        "item_name": client.pick(ORGANISATIONS),
        "charset": "UTF-8",
        "verify_sign": client.letters(50),
        "custom": '{"order":5}',
    }
    return client.send(
        "/hooks/ipn",
        urlencode(fields).encode(),
        "application/x-www-form-urlencoded",
        "webhook",
        headers=machine("PayPal IPN ( https://www.paypal.com/ipn )"),
    )


def mobile(client):
    agent = client.pick(
        [
            "okhttp/4.12.0",
            "ShopApp/5.2 (iPhone; iOS 17.5; Scale/3.00)",
            "Dart/3.4 (dart:io)",
            "Dalvik/2.1.0 (Linux; U; Android 14; SM-S918N)",
        ]
    )
    headers = machine(
        agent,
        ("Authorization", "Bearer " + client.jwt()),
        ("X-Device-Id", client.uuid()),
        ("Accept-Language", "ko-KR"),
    )
    if client.chance(0.4):
        return client.get(
            f"/api/v3/feed?cursor={quote(client.base64(24), safe='')}&limit=20", "mobile", headers
        )
    if client.chance(0.3):
        return client.send(
            "/api/v3/sync", client.random.randbytes(300), "application/x-protobuf", "mobile", headers=headers
        )
    value = {
        "device": {"model": "SM-S918N", "os": "Android 14"},
        "events": [{"n": "open", "t": client.number()}],
        "message": client.pick(PROSE),
    }
    return client.json("/api/v3/events", value, "mobile", headers=headers)


def curl(client):
    headers = machine("curl/8.5.0")
    if client.chance(0.5):
        return client.get(
            client.pick(["/api/v1/items?limit=5", "/healthz", "/install.sh", "/api/items/5.json"]),
            "curl",
            headers,
        )
    body = '{"name": "Ann", "n": 5, "note": "it is fine"}'
    return client.send(
        "/api/v1/items",
        body.encode(),
        client.pick(["application/x-www-form-urlencoded", "application/json"]),
        "curl",
        headers=headers,
    )
