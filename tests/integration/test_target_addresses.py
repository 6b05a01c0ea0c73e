"""Where a target is scraped: addresses and paths that are some, and what only looks like one."""

import json

import pytest

from targets import TARGETS, create, data, error

BAD_ADDRESSES = ["[::1", "::1]", ":1", ":9100", "h:", "h:0", "h:65536", "h:99999", "h:http", "h:-1", "h:1:2", "a b", " h",
                 "h ", "h: 1", "a..b", ".h", "[]:1", "[h]:1", "[::1]9100", "[::1]:0", "256.0.0.1", "1.2.3", "h.7",
                 "http://h", "u@h"]


def place(weir, job):
    """Where Prometheus is told to scrape it."""
    listed = json.loads(weir.get("/api/v1/sd").body)
    return next((target["targets"], target["labels"]["__metrics_path__"]) for target in listed
                if target["labels"]["job"] == job)


@pytest.mark.parametrize("mode", ["pull", "static", "dns", "virtual", "push"])
def test_bad_addresses(shared_weir, mode):
    before = data(shared_weir.get(TARGETS))["total"]
    for address in BAD_ADDRESSES:
        sentence = error(shared_weir.post(TARGETS, json.dumps(
            {"labels": {"job": "bad"}, "mode": mode, "address": address})), 422)
        assert sentence.startswith('"address" has to be '), address
        assert "port" in sentence
    assert data(shared_weir.get(TARGETS))["total"] == before


@pytest.mark.parametrize("address, told", [
    ("host", "host"), ("h_1.example.:9100", "h_1.example.:9100"), ("192.0.2.7:65535", "192.0.2.7:65535"),
    ("[2001:db8::7]:1", "[2001:db8::7]:1"), ("[::1]", "[::1]"), ("2001:db8::7", "[2001:db8::7]"),
])
def test_good_addresses(weir, address, told):
    assert create(weir, {"job": "good"}, mode="pull", address=address)["address"] == address
    assert place(weir, "good") == ([told], "/metrics")


def test_a_patch_leaves_what_was_there(weir):
    target = create(weir, {"job": "j"}, mode="static", address="h:9100")
    url = f"{TARGETS}/{target['id']}"
    error(weir.request("PATCH", url, '{"address": "h:0"}'), 422)
    assert data(weir.get(url)) == target
    assert place(weir, "j") == (["h:9100"], "/metrics")


def test_a_bad_line_of_an_import(weir):
    lines = "".join(json.dumps({"labels": {"job": f"j{i}"}, "mode": "pull", "address": address}) + "\n"
                    for i, address in enumerate(["h:1", "[::1", "h:2"]))
    assert "line 2" in error(weir.post(f"{TARGETS}/import", lines), 422)
    assert data(weir.get(TARGETS))["total"] == 0


BAD_PATHS = {"m": "begins with /", " /m": "begins with /", "?x": "begins with /", "http://h/m": "begins with /",
             "/a b": "no blanks", "/a\n": "no blanks", "/\x7f": "no blanks",
             "/m?x=1": "params", "/m?": "params", "/m#x": "params", "/?": "params"}


@pytest.mark.parametrize("mode", ["pull", "push"])
def test_bad_paths(shared_weir, mode):
    for path, says in BAD_PATHS.items():
        sentence = error(shared_weir.post(TARGETS, json.dumps(
            {"labels": {"job": "bad"}, "mode": mode, "address": "h:1", "path": path})), 422)
        assert sentence.startswith('"path" has to ') and says in sentence, path


@pytest.mark.parametrize("path", ["/m", "/", "//m", "/a/b;c=d&e", "/m%3Fx", "/ä"])
def test_good_paths(weir, path):
    assert create(weir, {"job": "good"}, mode="pull", address="h:1", path=path)["path"] == path
    assert place(weir, "good") == (["h:1"], path)
