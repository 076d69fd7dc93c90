"""The short jobs of the documentation, as they stand there: each in four lines or fewer, over sockets."""

import base64
import contextlib
import re
from pathlib import Path

import pytest
import yaml

from tests.kit.client import get
from tests.kit.member import Member, answering, response
from tests.kit.proxy import serving

PAGE = (Path(__file__).parents[2] / "docs/howto/short-jobs.md").read_text("utf-8")
JOBS = dict(re.findall(r"^## (.+?)\n.*?^```yaml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL))


@contextlib.asynccontextmanager
async def doing(folder, job, reply):
    """A client of a proxy with the route of `job`, in front of a member that gives `reply`."""
    (folder / "pages").mkdir()
    (folder / "pages/5xx.html").write_text("sorry {{ status }}")
    (folder / "public/static").mkdir(parents=True)
    (folder / "public/static/app.js").write_text("script")
    (folder / "users.htpasswd").write_text(hashed("alice", "secret"))
    async with Member(answering(reply)) as member:
        mapping = {
            "listeners": [{"name": "web", "bind": "127.0.0.1:0"}],
            "routes": yaml.safe_load(JOBS[job]),
            "pools": {"app": {"members": [member.address]}},
        }
        async with serving(folder, mapping) as proxy, proxy.client() as client:
            yield client


def hashed(user, password):
    import bcrypt

    return f"{user}:{bcrypt.hashpw(password.encode(), bcrypt.gensalt(4)).decode()}\n"


@pytest.mark.parametrize("job", JOBS)
def test_each_job_is_four_lines_or_fewer(job):
    assert len(JOBS[job].splitlines()) <= 4


async def test_passwords(tmp_path):
    async with doing(tmp_path, "Passwords for a part of the site", response(b"inside")) as client:
        refused = await client.ask(get("/internal/"))
        assert refused.status == 401
        assert refused[b"www-authenticate"].startswith(b"Basic")
        for password, status in (("wrong", 401), ("secret", 200)):
            credentials = base64.b64encode(f"alice:{password}".encode()).decode()
            reply = await client.ask(get("/internal/", f"Authorization: Basic {credentials}"))
            assert reply.status == status


async def test_rate_limit(tmp_path):
    async with doing(tmp_path, "A rate limit", response(b"page")) as client:
        replies = [await client.ask(get("/")) for _ in range(60)]
        assert [reply.status for reply in replies[:10]] == 10 * [200]
        refused = [reply for reply in replies if reply.status == 429]
        assert int(refused[0][b"retry-after"]) >= 1


async def test_cors(tmp_path):
    async with doing(tmp_path, "An API for pages of another origin (CORS)", response(b"data")) as client:
        origin = "Origin: https://app.example.com"
        preflight = await client.ask(
            get("/api/x", origin, "Access-Control-Request-Method: PUT", method="OPTIONS")
        )
        assert preflight[b"access-control-allow-origin"] == b"https://app.example.com"
        assert b"PUT" in preflight[b"access-control-allow-methods"]
        reply = await client.ask(get("/api/x", origin))
        assert (reply.body, reply[b"access-control-allow-origin"]) == (b"data", b"https://app.example.com")
        assert b"access-control-allow-origin" not in await client.ask(get("/api/x", "Origin: https://x.test"))


async def test_own_error_page(tmp_path):
    broken = response(b"stack trace", "Retry-After: 9", status=502)
    async with doing(tmp_path, "Your own page for the application's errors", broken) as client:
        reply = await client.ask(get("/"))
        assert (reply.status, reply.body, reply[b"retry-after"]) == (502, b"sorry 502", b"9")


async def test_application_under_a_prefix(tmp_path):
    moved = response(b"", "Location: /cart?a=1", "Set-Cookie: id=1; Path=/; HttpOnly", status=302)
    async with doing(tmp_path, "An application under a prefix", moved) as client:
        reply = await client.ask(get("/shop/login"))
        assert reply[b"location"] == b"/shop/cart?a=1"
        assert b"Path=/shop" in reply[b"set-cookie"]


async def test_static_files(tmp_path):
    async with doing(tmp_path, "Static files", response(b"")) as client:
        reply = await client.ask(get("/static/app.js"))
        assert (reply.status, reply.body) == (200, b"script")
        assert reply[b"content-type"] == b"text/javascript; charset=utf-8"
        assert (await client.ask(get("/static/none.js"))).status == 404


def test_every_job_is_tested():
    tested = Path(__file__).read_text("utf-8")
    assert len(JOBS) == 6
    assert all(f'"{job}"' in tested for job in JOBS)
