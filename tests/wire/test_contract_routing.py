"""contract/02-routing.yaml behaves as its comments say: every route, and the traps around it."""

from collections import Counter

import pytest

from tests.wire.contract import Served

MEMBERS = {9001: "blue-1", 9002: "blue-2", 9003: "green-1", 9004: "green-2"}
BLUE = {"blue-1", "blue-2"}
GREEN = {"green-1", "green-2"}


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    served = Served(tmp_path_factory.mktemp("routing"), "02-routing", MEMBERS)
    yield served
    served.close()


@pytest.fixture(scope="module")
def behind_a_proxy(tmp_path_factory):
    """The same, with this machine as a proxy that is believed about the client's address."""
    trusting = "\ntrusted_proxies: [127.0.0.0/8]\n"
    served = Served(tmp_path_factory.mktemp("trusting"), "02-routing", MEMBERS, more=trusting)
    yield served
    served.close()


@pytest.fixture
def client(served):
    with served.connect() as connection:
        yield connection


# health: answered here


def test_health_is_answered_here(client):
    answer = client.ask("/healthz")
    assert (answer.status, answer.body, answer["content-type"]) == (200, b"ok\n", "text/plain")


def test_health_answers_head_with_the_length_and_no_content(client):
    answer = client.ask("/healthz", "HEAD")
    assert (answer.status, answer.body, answer["content-length"]) == (200, b"", "3")
    assert client.ask("/healthz").body == b"ok\n"


@pytest.mark.parametrize("target", ["/healthz/", "/healthz/x", "/health", "/Healthz", "/healthz%20"])
def test_an_exact_path_takes_nothing_else(client, target):
    assert client.ask(target).status == 404


@pytest.mark.parametrize("target", ["/healthz?a=b", "/%68ealthz", "/./healthz", "/x/../healthz", "//healthz"])
def test_paths_are_matched_in_their_normal_form(client, target):
    assert client.ask(target).body == b"ok\n"


# old-site: redirected


@pytest.mark.parametrize(
    "host",
    [
        "old.example.com",
        "OLD.Example.COM",
        "old.example.com:8080",
        "a.old.example.com",
        "a.b.old.example.com",
    ],
)
def test_the_old_site_moved_for_every_spelling_of_its_host(client, host):
    answer = client.ask("/new/page?a=1&b=%20&a=2", host=host)
    assert (answer.status, answer["location"]) == (308, "https://www.example.com/new/page?a=1&b=%20&a=2")


def test_the_redirect_of_a_path_without_query_has_no_question_mark(client):
    assert client.ask("/new/", host="old.example.com")["location"] == "https://www.example.com/new/"


def test_the_redirect_keeps_the_method_by_its_status(client):
    answer = client.ask("/new/", "POST", "old.example.com", b"a=b")
    assert (answer.status, answer["location"]) == (308, "https://www.example.com/new/")


@pytest.mark.parametrize("target", ["//evil.example", "/%2f/evil.example", "///evil.example/..;"])
def test_the_redirect_never_leads_to_another_host(client, target):
    answer = client.ask(target, host="old.example.com")
    assert answer.status == 400 or answer["location"].startswith("https://www.example.com/")


@pytest.mark.parametrize(
    "host", ["bold.example.com", "old.example.com.evil.net", "example.com", "oldexample.com"]
)
def test_other_hosts_stay(client, host):
    assert client.ask("/new/", host=host).status == 404


def test_the_first_match_wins_health_before_old_site(client):
    assert client.ask("/healthz", host="old.example.com").body == b"ok\n"


# beta, version-2, paying: to green by header, query string and cookie


def test_without_a_mark_the_application_is_blue(client):
    assert client.ask("/app/").member in BLUE


@pytest.mark.parametrize("field", ["x_beta", "X_Beta", "X_BETA"])
def test_the_header_decides_in_any_case_of_its_name(client, field):
    assert client.ask("/app/page", **{field: "1"}).member in GREEN


@pytest.mark.parametrize("value", ["2", "11", "true", ""])
def test_another_value_of_the_header_does_not_decide(client, value):
    assert client.ask("/app/", x_beta=value).member in BLUE


@pytest.mark.parametrize(
    "query",
    ["version=2", "a=b&version=2", "version=2&a=b", "version=1&version=2", "%76ersion=%32", "version=2&"],
)
def test_the_query_string_decides_wherever_the_field_stands(client, query):
    answer = client.ask(f"/app/?{query}")
    assert answer.member in GREEN
    assert answer.told["target"] == f"/app/?{query}"


@pytest.mark.parametrize(
    "query", ["version=22", "version=", "version", "Version=2", "aversion=2", "x=version=2"]
)
def test_another_query_string_does_not_decide(client, query):
    assert client.ask(f"/app/?{query}").member in BLUE


@pytest.mark.parametrize("cookie", ["plan=pro", "plan=team", "a=b; plan=team", "plan=pro; a=b"])
@pytest.mark.parametrize("target", ["/", "/anything", "/app/"])
def test_the_cookie_decides_on_every_path(client, cookie, target):
    assert client.ask(target, Cookie=cookie).member in GREEN


@pytest.mark.parametrize(
    "cookie", ["plan=professional", "plan=free", "plan=PRO", "xplan=pro", "plan=", "a=plan=pro"]
)
def test_another_cookie_does_not_decide(client, cookie):
    assert client.ask("/", Cookie=cookie).status == 404


# writes: method and regular expression


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_writes_keep_their_path(client, method):
    answer = client.ask("/api/v12/orders?a=b", method, body=b"order")
    assert answer.member in BLUE
    assert (answer.told["method"], answer.told["target"]) == (method, "/api/v12/orders?a=b")
    assert answer.told["body"] == "order"
    assert "server" in answer.names  # only the route below removes it


@pytest.mark.parametrize("target", ["/api/v/orders", "/api/v1", "/api/vx/orders", "/api/orders"])
def test_a_path_that_the_expression_does_not_fit_goes_to_the_next_route(client, target):
    assert client.ask(target, "POST").told["target"] == target.removeprefix("/api")


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_reading_is_no_write(client, method):
    answer = client.ask("/api/v1/orders", method)
    assert answer["x-frame-options"] == "DENY"


# office, internal-closed: source address


@pytest.mark.parametrize(
    "target", ["/internal/", "/internal/x", "/%69nternal/", "/app/../internal/", "//internal/"]
)
def test_strangers_are_kept_out_of_the_inside_however_they_write_it(client, target):
    assert client.ask(target).status == 403


def test_address_claimed_by_an_untrusted_client_is_ignored(client):
    assert client.ask("/internal/", X_Forwarded_For="10.1.2.3").status == 403


@pytest.mark.parametrize("source", ["10.0.0.0", "10.255.255.255", "fd00::1", "FDFF:0::1", "::ffff:10.1.2.3"])
def test_the_office_is_let_in(behind_a_proxy, source):
    assert behind_a_proxy.ask("/internal/x", X_Forwarded_For=source).member in BLUE


@pytest.mark.parametrize(
    "source", ["11.0.0.1", "9.255.255.255", "fc00::1", "192.0.2.1, 127.0.0.1", "10.1.2.3, 192.0.2.1"]
)
def test_others_are_not(behind_a_proxy, source):
    assert behind_a_proxy.ask("/internal/", X_Forwarded_For=source).status == 403


def test_the_inside_without_its_slash_is_another_path(client):
    assert client.ask("/internal").status == 404


# api: what the member sees and what the client sees


@pytest.mark.parametrize(
    ("target", "seen"),
    [
        ("/api/users", "/users"),
        ("/api/users?a=1&b=2", "/users?a=1&b=2"),
        ("/api/", "/"),
        ("/api/?a", "/?a"),
        ("/api/api/users", "/api/users"),
        ("/api/a%2Fb/%C3%A9", "/a%2Fb/%C3%A9"),
        ("/%61pi/users", "/users"),
        ("/x/../api/./users", "/users"),
    ],
)
def test_the_member_sees_the_path_without_its_prefix(client, target, seen):
    assert client.ask(target).told["target"] == seen


@pytest.mark.parametrize("target", ["/api", "/apix/users"])
def test_a_prefix_is_of_whole_segments(client, target):
    assert client.ask(target).status == 404


def test_request_headers_are_set_and_removed(client):
    answer = client.ask("/api/users", X_From="someone", X_Debug="1", X_Other="kept")
    assert answer.told_field("x-from") == ["adc"]
    assert answer.told_field("x-debug") == []
    assert answer.told_field("x-other") == ["kept"]


def test_response_headers_are_set_and_removed(client):
    answer = client.ask("/api/users")
    assert answer["x-frame-options"] == "DENY"
    assert "server" not in answer.names


def test_edits_of_one_route_touch_no_other(client):
    answer = client.ask("/app/", X_Debug="1")
    assert answer.told_field("x-debug") == ["1"]
    assert "x-frame-options" not in answer.names
    assert "server" in answer.names


# canary: shares


def test_one_in_ten_goes_to_the_canary(client):
    drawn = Counter(client.ask("/shop/").member in GREEN for _ in range(1000))
    assert (
        50 <= drawn[True] <= 150
    )  # 100 expected; further off than 5.3 standard deviations: once in 10 million


# pools


def test_weights_of_least_connections_share_1_to_3_when_idle(client):
    assert Counter(client.ask("/app/").member for _ in range(40)) == {"blue-1": 10, "blue-2": 30}


def test_weights_of_least_connections_share_1_to_3_of_what_is_in_flight(served):
    connections = [served.connect() for _ in range(8)]
    blues = [served.members[9001], served.members[9002]]
    try:
        for connection in connections:
            connection.send("/app/hold")
        assert all(blues[0].held.acquire(timeout=10) for _ in range(2))
        assert all(blues[1].held.acquire(timeout=10) for _ in range(6))
        for member in blues:
            member.go_on.set()
        assert Counter(each.answer().member for each in connections) == {"blue-1": 2, "blue-2": 6}
    finally:
        for member in blues:
            member.go_on.clear()
        for connection in connections:
            connection.close()


def test_a_user_stays_with_one_member_and_users_spread_over_both(client):
    first = {user: client.ask("/app/", x_beta="1", x_user=f"u{user}").member for user in range(60)}
    again = {user: client.ask("/app/?version=2", x_user=f"u{user}").member for user in reversed(range(60))}
    assert first == again
    assert set(first.values()) == GREEN
    assert (
        min(Counter(first.values()).values()) >= 10
    )  # of 30 expected; fixed users, so the same on every run


def test_requests_without_a_user_have_a_member_too(client):
    assert len({client.ask("/app/", x_beta="1").member for _ in range(10)}) == 1


# rest, and nothing


@pytest.mark.parametrize("target", ["/app/", "/app/x", "/%61pp/", "/app/%2e%2e/app/", "/app//x"])
def test_the_rest_of_the_application_is_blue(client, target):
    assert client.ask(target).member in BLUE


@pytest.mark.parametrize(
    "target", ["/", "/app", "/apple/", "/App/", "/unknown", "/app%2Fx", "/app/..", "/app/../x"]
)
def test_request_without_a_route_is_not_found(client, target):
    assert client.ask(target).status == 404


@pytest.mark.parametrize(
    "target", ["/../internal/", "/app/%00", "/app/%zz", "/app/..%2f..%2finternal/", "/app\\..\\x"]
)
def test_targets_that_members_might_read_differently_are_refused(served, target):
    assert served.ask(target).status == 400


def test_head_is_routed_as_get_here_and_has_no_content(client):
    answer = client.ask("/app/", "HEAD")
    assert (answer.status, answer.body) == (200, b"")
    assert client.ask("/app/").member in BLUE


def test_the_whole_address_as_target_counts_its_host(client):
    answer = client.ask("http://old.example.com/new/?a=b", host="other.example.com")
    assert answer.status == 400 or answer["location"] == "https://www.example.com/new/?a=b"


def test_options_of_the_server_as_a_whole_matches_no_path(client):
    assert client.ask("*", "OPTIONS").status == 404
