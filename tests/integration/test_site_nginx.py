"""scripts/site/push-nginx: what a real nginx counts, and nothing of an earlier time when it does not answer."""

import re
import shutil

import pytest

from exposed_pages import DATA
from front import Front
from harness import curl, wait_for
from sites import FakeServer, Site, reply, small_tools

STATUS = "Active connections: 3 \nserver accepts handled requests\n 16 15 31 \nReading: 0 Writing: 1 Waiting: 2 \n"
LABELS = {"job": "nginx", "instance": "10.0.0.1"}


def shown(weir):
    """What there is of nginx, by the names without its own."""
    page = weir.scrape()
    return {name.removeprefix("nginx_"): float(value) for (name, labels), value in page.samples.items()
            if name.startswith("nginx_") and dict(labels) == LABELS}


@pytest.fixture
def front(tmp_path):
    return Front(tmp_path / "front", ["127.0.0.1:1", "127.0.0.1:2"], 3, [4, 5])


@pytest.mark.smoke
def test_a_real_nginx_comes_and_goes(cleared_weir, site, front):
    with front:
        url = f"127.0.0.1:{front.health}/status"
        site.succeed("push-nginx", url)
        first = shown(cleared_weir)
        assert first["up"] == 1 and first["connections_active"] >= 1 and first["connections_writing"] >= 1
        for _ in range(5):
            curl(f"http://127.0.0.1:{front.health}/")
        site.succeed("push-nginx", url)
        later = shown(cleared_weir)
        for name in ("connections_accepted", "connections_handled", "http_requests_total"):
            assert later[name] == first[name] + 6
        named = set(re.findall(r"^nginx_(\w+) ", (DATA / "nginx.prom").read_text(), re.M))
        assert set(later) == named
    assert "push-nginx: http://127.0.0.1" in site.fail("push-nginx", url)
    assert shown(cleared_weir) == {"up": 0}
    with front:
        site.succeed("push-nginx", NGINX_STATUS_URL=f"http://{url}")
        assert shown(cleared_weir)["up"] == 1


def test_again_and_again(cleared_weir, site, front):
    with site.running("push-nginx", "--every=0.3", f"http://127.0.0.1:{front.health}/status"):
        for _ in range(2):
            wait_for(lambda: shown(cleared_weir) == {"up": 0}, "it is away")
            with front:
                wait_for(lambda: shown(cleared_weir).get("up") == 1, "it is there")


@pytest.mark.parametrize("text", [
    "ok\n", STATUS[:-10], STATUS[:-10] + "\n", STATUS + "more\n", STATUS.replace("15", "-1"), STATUS.replace("31", ""),
    STATUS.replace("Active connections: 3 \n", ""), STATUS.replace("accepts handled", "handled accepts"), "\n" * 4])
def test_what_is_not_its_page_is_not_pushed(cleared_weir, site, text):
    answers = [STATUS, text]
    with FakeServer(lambda handler, request: reply(handler, body=answers.pop(0))) as server:
        site.succeed("push-nginx", f"{server.url}/status")
        assert shown(cleared_weir)["connections_handled"] == 15
        site.fail("push-nginx", f"{server.url}/status")
    assert shown(cleared_weir) == {"up": 0}


@pytest.mark.parametrize("does,words", [("hang", "timed out"), ("refuse", "answered 403"), ("empty", "empty")])
def test_nothing_old_stays(cleared_weir, site, does, words):
    def answer(handler, request):
        if does == "hang":
            server.hang()
        reply(handler, 403 if does == "refuse" else 200, "" if does == "empty" else "no\n")

    with FakeServer(answer) as server:
        assert words in site.fail("push-nginx", "--timeout=0.5", f"{server.url}/status")
    assert shown(cleared_weir) == {"up": 0}


def test_one_at_a_time(cleared_weir, site):
    with FakeServer(lambda handler, request: server.hang()) as server:
        with site.running("push-nginx", "--every=5", f"{server.url}/status"):
            wait_for(lambda: server.requests, "it asks")
            assert "another run is not done yet" in site.fail("push-nginx", f"{server.url}/status")


def test_with_few_tools(cleared_weir, tmp_path):
    site = Site(tmp_path / "small", cleared_weir.url, shell=[shutil.which("busybox"), "sh"],
                path=small_tools(tmp_path / "tools"))
    with FakeServer(lambda handler, request: reply(handler, body=STATUS)) as server:
        site.succeed("push-nginx", f"{server.url}/status")
    assert shown(cleared_weir)["http_requests_total"] == 31


@pytest.mark.parametrize("arguments,words", [
    (["--what"], "unknown option"), (["a", "b"], "are two"), (["ftp://a"], "begins with http"), (["a b"], "is no URL")])
def test_misuse(site, arguments, words):
    assert words in site.fail("push-nginx", *arguments, code=2)
