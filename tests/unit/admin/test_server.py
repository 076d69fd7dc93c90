"""The admin application: what it answers, and whom it refuses."""

import json

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from adc.admin.access import Access
from adc.admin.node import ReloadResult
from adc.admin.server import application
from adc.runtime.operations import members
from adc.runtime.operations.operation import NotFound, Unavailable
from adc.telemetry.samples import Sample
from tests.kit.rows import row


class FakeNode:
    """A node that remembers what it was asked."""

    def __init__(self):
        self.set = []
        self.reload_result = ReloadResult(True, (), 1.0)
        self.workers_answer = True
        self.lacks = []

    def unready(self):
        return self.lacks

    async def status(self):
        return {
            "version": "1.2.3",
            "node": "<b>edge</b>",
            "pid": 7,
            "uptime": 1.5,
            "config": "adc.yaml",
            "workers": [{"id": 0, "pid": 8}],
            "worker_restarts": 0,
            "listeners": [{"name": "web", "protocol": "http", "addresses": ["tcp:127.0.0.1:8080"]}],
            "pools": [],
            "last_reload": None,
            "reloads": {},
        }

    async def ask(self, operation, request):
        if not self.workers_answer:
            raise Unavailable("no worker answered")
        if operation is members.LIST:
            return [row("app", "<script>", state="up", requests=3)]
        assert operation is members.SET
        if request.pool != "app":
            raise NotFound(f"there is no pool {request.pool}")
        self.set.append((request.pool, request.member, request.state))
        return request

    async def reload(self):
        return self.reload_result

    def routes(self):
        return [{"name": "rest", "pool": "app"}]

    async def samples(self):
        row = Sample("adc_connections_total", ("web",), 2)
        return [[row], [row]]


@pytest.fixture
async def node():
    return FakeNode()


@pytest.fixture
async def client(node):
    async with TestClient(TestServer(application(node, Access(["edge.example"])))) as client:
        yield client


async def test_status_and_routes_are_json(client):
    assert (await (await client.get("/api/v1/status")).json())["version"] == "1.2.3"
    assert await (await client.get("/api/v1/routes")).json() == [{"name": "rest", "pool": "app"}]


async def test_it_lives_while_it_is_not_ready(client, node):
    assert (await client.get("/readyz")).status == 200
    node.lacks = ["1 of 2 workers serve", "the service is ending"]
    response = await client.get("/readyz")
    assert response.status == 503
    assert (await response.text()).splitlines() == node.lacks
    assert (await client.get("/livez")).status == 200


async def test_metrics_of_all_workers_are_summed(client):
    response = await client.get("/metrics")
    assert response.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    assert 'adc_connections_total{listener="web"} 4.0' in (await response.text()).splitlines()


async def test_the_page_shows_the_state_and_escapes_names(client):
    response = await client.get("/")
    page = await response.text()
    assert "&lt;script&gt;" in page
    assert "<script>" not in page
    assert "&lt;b&gt;edge&lt;/b&gt;" in page
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert "default-src 'none'" in response.headers["Content-Security-Policy"]


async def test_the_pages_style_sheet_is_served(client):
    response = await client.get("/style.css")
    assert (response.status, response.content_type) == (200, "text/css")


@pytest.mark.parametrize("state", ["drain", "enable", "disable"])
async def test_a_member_is_set(client, node, state):
    response = await client.post("/api/v1/members/app/127.0.0.1:9001", json={"state": state})
    assert response.status == 200
    assert node.set == [("app", "127.0.0.1:9001", state)]


async def test_a_member_named_by_a_unix_path_is_found(client, node):
    await client.post("/api/v1/members/app/unix:%2Frun%2Fapp.sock", json={"state": "drain"})
    assert node.set == [("app", "unix:/run/app.sock", "drain")]


@pytest.mark.parametrize("body", [{"state": "explode"}, {}, {"state": None}, {"state": ["drain"]}])
async def test_another_state_is_refused_with_those_allowed(client, node, body):
    response = await client.post("/api/v1/members/app/a", json=body)
    assert response.status == 400
    assert "enable, drain, disable" in (await response.json())["error"]
    assert node.set == []


@pytest.mark.parametrize("body", ["{", "[1]", "[" * 50_000, '"drain"'])
async def test_a_body_that_is_no_object_is_refused(client, body):
    headers = {"Content-Type": "application/json"}
    response = await client.post("/api/v1/members/app/a", data=body, headers=headers)
    assert response.status == 400


async def test_a_body_over_the_limit_is_refused(client):
    response = await client.post("/api/v1/members/app/a", json={"state": "x" * 100_000})
    assert response.status == 413


async def test_an_unknown_pool_is_not_found(client):
    response = await client.post("/api/v1/members/nope/a", json={"state": "drain"})
    assert response.status == 404
    assert (await response.json())["error"] == "there is no pool nope"


async def test_workers_that_do_not_answer_are_unavailable(client, node):
    node.workers_answer = False
    assert (await client.get("/api/v1/members")).status == 503
    assert (await client.get("/")).status == 503


async def test_a_failed_reload_is_a_conflict_with_its_messages(client, node):
    node.reload_result = ReloadResult(False, ("adc.yaml:1:1: wrong",), 2.0)
    response = await client.post("/api/v1/reload", json={})
    assert response.status == 409
    assert (await response.json())["messages"] == ["adc.yaml:1:1: wrong"]


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "", "127.0.0.1.evil.example:9901"]
)
async def test_a_foreign_host_is_refused_against_dns_rebinding(client, host):
    response = await client.get("/api/v1/status", headers={"Host": host})
    assert response.status == 421


@pytest.mark.parametrize(
    "host", ["localhost:1", "127.0.0.1", "[::1]:9901", "edge.example", "EDGE.example:80"]
)
async def test_own_names_and_addresses_are_let_in(client, host):
    assert (await client.get("/healthz", headers={"Host": host})).status == 200


async def test_a_form_of_a_web_page_changes_nothing(client):
    response = await client.post("/api/v1/reload", data={"a": "b"})
    assert response.status == 415


@pytest.mark.parametrize(
    "headers", [{"Origin": "http://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}]
)
async def test_a_script_of_another_origin_changes_nothing(client, headers):
    headers = {"Content-Type": "application/json", **headers}
    response = await client.post("/api/v1/reload", data=json.dumps({}), headers=headers)
    assert response.status == 403


BARE = {"skip_auto_headers": ["Content-Type"]}


async def test_a_change_without_content_needs_no_content_type(client):
    assert (await client.post("/api/v1/reload", **BARE)).status == 200


@pytest.mark.parametrize(
    "headers",
    [{"Origin": "http://evil.example"}, {"Referer": "http://evil.example/"}, {"Sec-Fetch-Mode": "no-cors"}],
)
async def test_a_browser_without_content_type_changes_nothing(client, headers):
    assert (await client.post("/api/v1/reload", headers=headers, **BARE)).status == 415
    assert (await client.post("/api/v1/reload", data=b"{}", **BARE)).status == 415


@pytest.mark.parametrize(("path", "status"), [("/api/v1/nothing", 404), ("/api/v1/reload", 405)])
async def test_errors_of_the_api_are_json(client, path, status):
    response = await client.get(path)
    assert response.status == status
    assert (await response.json())["error"]
    assert status != 405 or response.headers["Allow"] == "POST"


async def test_a_script_of_our_own_page_may(client):
    origin = f"http://{client.host}:{client.port}"
    response = await client.post("/api/v1/reload", json={}, headers={"Origin": origin})
    assert response.status == 200


async def test_other_methods_and_paths_are_not_there(client):
    assert (await client.get("/api/v1/reload")).status == 405
    assert (await client.get("/secret")).status == web.HTTPNotFound.status_code
