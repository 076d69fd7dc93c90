"""What requests, members and clients see of the plugin."""

import pytest
from adc_plugins.image.options import ImageOptions
from adc_plugins.image.plugin import Image

from adc.plugin.processes import JobFailed
from adc.plugin.testkit import OptionErrors, Trial, answer, request
from tests.kit.images import GPS, animated, noise, opened, photo, png_bomb, saved

BROWSER = "image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8"
PHOTO = photo()


def counted(trial):
    return {name: number for name, number in trial.counters.items() if number}


def run(options, body=PHOTO, content_type="image/jpeg", fields=(), status=200, **asked):
    asked.setdefault("headers", {"Accept": BROWSER})
    asked.setdefault("target", "/a.jpg")
    return Trial(Image, options).run(
        request(**asked), answer(status, [("Content-Type", content_type), ("ETag", '"1"'), *fields], body)
    )


@pytest.mark.parametrize(
    ("accept", "seen"),
    [
        (BROWSER, "image/avif"),
        ("image/webp,*/*", "image/webp"),
        ("image/avif;q=0, image/webp", "image/webp"),
        ("*/*", "image/jpeg"),
        ("image/*", "image/jpeg"),
        ("text/html,image/avif,*/*;q=0.8", "image/avif"),
    ],
)
def test_format_is_the_first_that_the_client_names(accept, seen):
    outcome = run({}, headers={"Accept": accept})
    assert outcome.response.headers.get(b"content-type") == seen.encode()
    assert opened(outcome.body).format == seen.rpartition("/")[2].upper()
    assert outcome.response.headers.get(b"vary") == b"Accept"
    assert outcome.response.headers.get(b"etag") == b'W/"1"'
    assert GPS not in outcome.body


def test_formats_come_in_the_order_of_the_options():
    outcome = run({"formats": ["webp", "avif"]})
    assert outcome.response.headers.get(b"content-type") == b"image/webp"


def test_no_formats_change_no_accept_and_vary_by_nothing():
    outcome = run({"formats": []}, target="/a.jpg?w=320")
    assert opened(outcome.body).size == (320, 160)
    assert b"vary" not in outcome.response.headers
    assert outcome.request.headers.get(b"accept") == BROWSER.encode()


@pytest.mark.parametrize("width", [10, 25, 32, 64, 75, 100, 128, 150, 200, 250, 300, 320])
def test_usual_widths_are_made_as_requested(width):
    assert opened(run({}, target=f"/a.jpg?w={width}").body).width == width


def test_other_widths_are_the_next_usual_one():
    assert opened(run({}, target="/a.jpg?w=201").body).width == 240


def test_clients_have_few_sizes_to_choose_from():
    assert len(ImageOptions().sizes().widths) <= 64


def test_width_of_the_query_is_snapped_and_leaves_the_query():
    outcome = run({"widths": [160, 320]}, target="/a.jpg?v=3&w=200&dpr=1.5")
    assert opened(outcome.body).size == (320, 160)
    assert outcome.request.target == "/a.jpg?v=3"
    assert outcome.request.query == "v=3"


def test_parameters_are_forwarded_in_their_normal_form_if_the_options_say_so():
    outcome = run({"forward_parameters": True}, target="/a.jpg?w=200&v=3&q=77")
    assert outcome.request.target == "/a.jpg?v=3&w=200&q=80"


@pytest.mark.parametrize("query", ["w=201", "w=abc", "q=81", "fit=x"])
def test_other_sizes_are_refused_if_the_options_say_so(query):
    outcome = run({"other_sizes": "refuse"}, target=f"/a.jpg?{query}")
    assert outcome.stopped
    assert outcome.response.status == 400
    assert "allowed" in str(outcome.messages)


def test_clients_of_the_same_variant_look_the_same_to_the_cache():
    seen = set()
    for accept in (BROWSER, "image/avif,*/*", "IMAGE/AVIF"):
        for target in ("/a.jpg?w=200", "/a.jpg?w=319&foo", "/a.jpg?q=80&w=160&dpr=2"):
            outcome = run({"widths": [160, 320]}, headers={"Accept": accept}, target=target)
            seen.add((outcome.cache_mark, outcome.request.headers.get(b"accept")))
    assert len(seen) == 1


def test_clients_of_different_variants_differ_to_the_cache():
    targets = ["", "?w=160", "?w=320", "?h=160", "?w=160&h=160", "?w=160&h=160&fit=cover", "?q=40"]
    marks = {
        run({}, target=f"/a.jpg{query}", headers={"Accept": accept}).cache_mark
        for query in targets
        for accept in (BROWSER, "*/*")
    }
    assert len(marks) == 14


def test_accept_of_other_requests_stays():
    outcome = run({}, b"{}", "application/json", target="/api", headers={"Accept": "application/json"})
    assert outcome.request.headers.get(b"accept") == b"application/json"
    assert outcome.body == b"{}"


@pytest.mark.parametrize(
    ("content_type", "fields", "status"),
    [
        ("image/svg+xml", [], 200),
        ("text/html", [], 200),
        ("image/jpeg", [("Cache-Control", "no-transform")], 200),
        ("image/jpeg", [], 404),
    ],
)
def test_response_that_must_not_change_stays_as_it_is(content_type, fields, status):
    outcome = run({}, content_type=content_type, fields=fields, status=status)
    assert outcome.body == PHOTO
    assert outcome.response.headers.get(b"etag") == b'"1"'


def test_post_is_not_converted():
    outcome = run({}, method="POST", target="/a.jpg?w=100")
    assert outcome.body == PHOTO
    assert outcome.request.target == "/a.jpg?w=100"


def test_content_over_the_limit_passes():
    outcome = run({"max_size": "1KB"})
    assert outcome.body == PHOTO
    assert outcome.response.headers.get(b"etag") == b'"1"'


def test_content_of_unknown_length_over_the_limit_passes():
    head, _ = answer(200, {"Content-Type": "image/jpeg"})
    head.body_length = -1
    chunks = [PHOTO[:1000], PHOTO[1000:]]
    outcome = Trial(Image, {"max_size": "2KB"}).run(request(target="/a.jpg"), (head, chunks))
    assert outcome.body == PHOTO
    assert outcome.response.status == 200


def test_head_has_the_type_of_the_get():
    outcome = run({}, method="HEAD")
    assert outcome.response.headers.get(b"content-type") == b"image/avif"


def test_animated_image_keeps_its_type():
    data = animated("GIF")
    outcome = run({}, data, "image/gif")
    assert outcome.body == data
    assert outcome.response.headers.get(b"content-type") == b"image/gif"


@pytest.mark.parametrize(("policy", "status"), [("pass", 200), ("reject", 502)])
def test_bomb_is_rejected_or_passed_by_policy(policy, status):
    data = png_bomb()
    outcome = run({"on_oversized": policy}, data, "image/png")
    assert outcome.response.status == status
    assert (outcome.body == data) == (status == 200)


@pytest.mark.parametrize(("policy", "status"), [("pass", 200), ("reject", 502)])
def test_broken_image_is_passed_or_rejected_by_policy(policy, status):
    data = saved(noise(), "PNG")[:5000]
    outcome = run({"on_broken": policy}, data, "image/png")
    assert outcome.response.status == status
    assert (outcome.body == data) == (status == 200)


@pytest.mark.parametrize(("policy", "status"), [("pass", 200), ("reject", 503)])
async def test_full_queue_passes_or_rejects_by_policy_and_nothing_is_kept(policy, status):
    async with Trial(Image, {"on_busy": policy}) as trial:
        trial.processes.full = True
        fields = {"Content-Type": "image/jpeg", "Cache-Control": "max-age=9", "Expires": "x"}
        outcome = await trial.exchange(request(target="/a.jpg"), answer(headers=fields, body=PHOTO))
        assert outcome.response.status == status
        assert counted(trial) == {"busy": 1}
        if status == 200:
            assert outcome.response.headers.get(b"cache-control") == b"no-store"
            assert b"expires" not in outcome.response.headers
            assert GPS not in outcome.body
            assert opened(outcome.body).size == (400, 200)
        else:
            assert outcome.response.headers.get(b"retry-after") == b"1"


@pytest.mark.parametrize(("policy", "status"), [("pass", 200), ("reject", 502)])
async def test_job_without_result_passes_or_rejects_by_policy(policy, status):
    async with Trial(Image, {"on_broken": policy}) as trial:
        trial.processes.failure = JobFailed("out of memory", memory=True)
        outcome = await trial.exchange(
            request(target="/a.jpg"), answer(headers={"Content-Type": "image/jpeg"}, body=PHOTO)
        )
        assert outcome.response.status == status
        assert counted(trial) == {"broken": 1}


async def test_images_are_counted():
    async with Trial(Image, {}) as trial:
        for data, kind in ((PHOTO, "jpeg"), (animated("GIF"), "gif"), (b"no", "png"), (PHOTO, "jpeg")):
            await trial.exchange(
                request(target="/a"), answer(headers={"Content-Type": f"image/{kind}"}, body=data)
            )
        assert counted(trial) == {"converted": 2, "kept": 1, "broken": 1}
        assert trial.processes.jobs == ["convert"] * 4


def test_client_hints_count_if_the_options_say_so():
    fields = {"Accept": "*/*", "Sec-CH-Width": "300", "Save-Data": "on"}
    outcome = run({"client_hints": True}, headers=fields)
    assert opened(outcome.body).size == (300, 150)
    assert outcome.response.headers.get(b"vary") == b"Accept, Sec-CH-Width, Sec-CH-DPR, Save-Data"
    assert b"save-data" not in outcome.request.headers
    ignored = run({}, headers=fields)
    assert opened(ignored.body).size == (400, 200)
    assert ignored.response.headers.get(b"vary") == b"Accept"


def test_vary_of_the_member_is_added_to():
    outcome = run({}, fields=[("Vary", "accept, Origin")])
    assert outcome.response.headers.get_all(b"vary") == [b"accept, Origin"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"formats": ["jxl"]}, "avif"),
        ({"quality": 0}, "quality"),
        ({"widths": [4000]}, "4000.*above the maximum of 2048"),
        ({"widths": []}, "widths is empty"),
        ({"content_types": ["jpeg"]}, "media type"),
        ({"memory": "1MB"}, "memory"),
        ({"wait": "1m"}, "wait"),
        ({"on_busy": "wait"}, "pass"),
        ({"nice": 20}, "nice"),
    ],
)
def test_options_that_cannot_be_are_refused(options, message):
    with pytest.raises(OptionErrors, match=message):
        Trial(Image, options)
