"""The explorer's server: who is answered, and with what."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import numpy as np
import pytest

from fieldstone.explain.explorer import server as module
from fieldstone.explain.explorer.server import Explorer
from live_pages import bomb, png, serving


@pytest.fixture
def server() -> Iterator[Explorer]:
    with serving() as explorer:
        yield explorer


def asked(
    server: Explorer, path: str, *, body: bytes | None = None, headers: dict[str, str] | None = None
) -> tuple[int, bytes, dict[str, str]]:
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=20)
    try:
        connection.request("GET" if body is None else "POST", path, body, headers or {})
        answer = connection.getresponse()
        return answer.status, answer.read(), dict(answer.getheaders())
    finally:
        connection.close()


def fault(content: bytes) -> tuple[str, dict[str, Any]]:
    """The key that the page has words for, and the values in them."""
    told = json.loads(content)
    return told["key"], told["values"]


def inside(server: Explorer, rest: str = "") -> str:
    return urlsplit(server.address).path + rest


def test_the_page_is_whole_and_kept_nowhere(server: Explorer) -> None:
    status, content, headers = asked(server, inside(server))
    assert status == 200
    assert b"first.png" in content
    assert headers["Cache-Control"] == "no-store"
    assert headers["Content-Type"] == "text/html; charset=utf-8"


def test_arrays_are_the_maps_float32_little_endian(server: Explorer) -> None:
    status, content, _ = asked(server, inside(server, f"arrays/{quote('map/1', safe='')}?image=1"))
    assert status == 200
    expected = server.seen(1).recording.maps["1"].numpy()
    np.testing.assert_array_equal(np.frombuffer(content, "<f4").reshape(expected.shape), expected)


@pytest.mark.parametrize("path", ["/", "/wrong/", "/wrong/arrays/map%2F1?image=1", "//", "/favicon.ico"])
def test_without_the_token_nothing_is_there(server: Explorer, path: str) -> None:
    status, content, _ = asked(server, path)
    assert (status, fault(content)) == (404, ("nothing", {}))


def test_the_token_is_long_and_new_each_time(server: Explorer) -> None:
    with Explorer(server.seen(1), lambda data, name: server.seen(1)) as other:
        assert other.token != server.token
        assert len(other.token) >= 40


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1", "127.0.0.1:1", "localhost.evil.example", ""])
def test_another_host_is_refused(server: Explorer, host: str) -> None:
    status, content, _ = asked(server, inside(server), headers={"Host": host})
    assert status == 403
    assert b"three-conv" not in content


def test_localhost_is_this_machine(server: Explorer) -> None:
    assert asked(server, inside(server), headers={"Host": f"localhost:{server.server_port}"})[0] == 200


def test_another_page_may_not_ask(server: Explorer) -> None:
    status, _, _ = asked(server, inside(server, "image"), body=png(1), headers={"Origin": "https://evil.example"})
    assert status == 403


def test_a_dropped_image_is_a_new_payload_and_the_first_stays(server: Explorer) -> None:
    status, content, _ = asked(server, inside(server, "image?name=" + quote("내 고양이.png")), body=png(2, (70, 90)))
    assert status == 200
    payload = json.loads(content)
    assert payload["image"]["name"] == "내 고양이.png"
    assert payload["image"]["original"] == [70, 90]
    number = payload["live"]["number"]
    first, second = (
        asked(server, inside(server, f"arrays/{quote('map/1', safe='')}?image={one}"))[1] for one in (1, number)
    )
    assert first != second
    expected = server.seen(number).recording.maps["1"].numpy()
    np.testing.assert_array_equal(np.frombuffer(second, "<f4").reshape(expected.shape), expected)


@pytest.mark.parametrize(
    ("body", "key", "values"),
    [
        (b"no image", "unreadable", set()),
        (b"", "unreadable", set()),
        (png(3)[:200], "damaged", {"detail"}),
        (bomb(), "pixels", {"most"}),
    ],
    ids=["text", "nothing", "cut", "bomb"],
)
def test_what_is_no_image_is_said(server: Explorer, body: bytes, key: str, values: set[str]) -> None:
    status, content, headers = asked(server, inside(server, "image?name=" + quote("<b>내 x.png")), body=body)
    assert (status, headers["Content-Type"]) == (400, "application/json")
    found, told = fault(content)
    assert (found, told.keys()) == (key, {"name", *values})
    assert told["name"] == "<b>내 x.png"
    assert asked(server, inside(server))[0] == 200


def test_a_body_is_bounded_before_it_is_read(server: Explorer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_BODY", 100)
    status, content, _ = asked(server, inside(server, "image"), headers={"Content-Length": "101"}, body=b"x" * 101)
    assert (status, fault(content)) == (413, ("large", {"most": 0}))


def test_old_images_are_forgotten(server: Explorer) -> None:
    for number in range(module.MOST_SEEN):
        server.keep(server.seen(number + 1))
    status, content, _ = asked(server, inside(server, f"arrays/{quote('map/1', safe='')}?image=1"))
    assert (status, fault(content)) == (410, ("gone", {}))


def test_why_is_measured_when_it_is_asked(server: Explorer) -> None:
    status, content, _ = asked(server, inside(server, "why?class=3&image=1"))
    assert status == 200
    answer = json.loads(content)
    assert answer["why"]["classes"] == [3]
    for name in ("gradcam/3", "occlusion/3", "effective/1"):
        shape = answer["arrays"][name]["shape"]
        numbers = asked(server, inside(server, f"arrays/{quote(name, safe='')}?image=1"))[1]
        assert len(numbers) == 4 * int(np.prod(shape))


@pytest.mark.parametrize("path", ["why?class=10&image=1", "why?class=-1&image=1", "why?image=1"])
def test_a_class_that_is_none_is_said(server: Explorer, path: str) -> None:
    assert asked(server, inside(server, path))[0] == 400


def test_files_are_not_served(server: Explorer, tmp_path: Path) -> None:
    for path in ("arrays/..%2F..%2Fetc%2Fpasswd?image=1", "../../etc/passwd", "arrays/?image=1"):
        assert asked(server, inside(server, path))[0] == 404


def test_why_asked_twice_is_answered_the_same(server: Explorer) -> None:
    answers = [json.loads(asked(server, inside(server, "why?class=3&image=1"))[1]) for _ in range(2)]
    assert answers[0] == answers[1]
    assert "gradcam/3" in answers[1]["arrays"]


@pytest.mark.parametrize("path", ["x", "//[", "/%zz", "*"])
def test_an_odd_address_is_refused_and_ends_nothing(server: Explorer, path: str) -> None:
    assert asked(server, path)[0] in (400, 404)
    assert asked(server, inside(server))[0] == 200


@pytest.mark.parametrize("origin", ["http://[x", "null", "https://127.0.0.1:1", ""])
def test_an_odd_origin_is_refused(server: Explorer, origin: str) -> None:
    assert asked(server, inside(server), headers={"Origin": origin})[0] == 403


@pytest.mark.parametrize("number", ["9" * 5000, "١", "1.0", "-1"])
def test_an_odd_number_is_refused(server: Explorer, number: str) -> None:
    assert asked(server, inside(server, f"why?class={quote(number)}&image=1"))[0] == 400
    assert asked(server, inside(server, f"why?class=1&image={quote(number)}"))[0] == 410


def test_too_little_memory_is_said(server: Explorer, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(content: bytes, name: str) -> None:
        raise RuntimeError("not enough memory")

    monkeypatch.setattr(server, "look", failing)
    status, content, _ = asked(server, inside(server, "image"), body=png(1))
    assert (status, fault(content)) == (500, ("network", {"detail": "not enough memory"}))


def test_the_networks_own_page_may_ask(server: Explorer) -> None:
    headers = {"Origin": f"http://127.0.0.1:{server.server_port}"}
    assert asked(server, inside(server, "image?name=x.png"), body=png(1), headers=headers)[0] == 200
