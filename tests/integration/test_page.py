"""The web page at / and /status, with what a browser makes of it."""

import threading
import time
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

import pytest

from harness import wait_for

VOID = {"meta", "link", "input"}


class Parsed(HTMLParser):
    """Text, links and tags of a page; every tag that is opened must be closed in order."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.links, self.text = [], set(), {}, ""
        self.names, self.link = [], None
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        attributes = dict(attrs)
        assert not any(name.startswith("on") or name == "style" for name in attributes)
        if tag not in VOID:
            self.open.append(tag)
        if tag == "a":
            self.link = attributes["href"]
        if tag == "link":
            self.links["style"] = attributes["href"]
        self.is_name = attributes.get("class") == "name"

    def handle_endtag(self, tag):
        assert self.open.pop() == tag
        self.link = None

    def handle_data(self, data):
        self.text += data
        if self.link:
            self.links[data] = self.link
        if self.open and self.is_name:
            self.names.append(data)
            self.is_name = False


def page_of(weir, target="/"):
    answer = weir.get(target)
    assert answer.status == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    return Parsed(answer.text)


@pytest.mark.smoke
def test_page(weir):
    weir.put("/metrics/job/backup/instance/db1",
             "# HELP size_bytes How large it is.\n# TYPE size_bytes gauge\nsize_bytes 5.1e9\n"
             "# TYPE runs counter\nruns{state=\"good\"} 3\nruns{state=\"bad\"} 1\n")
    weir.put("/metrics/job/broken", "m 1 1000\n")
    page = page_of(weir)
    for text in ('job="backup"', 'instance="db1"', "size_bytes", "How large it is.", "gauge",
                 "5.1e9", "2 metrics, 3 series", 'runs{instance="db1",job="backup",state="bad"}',
                 "2 groups, 3 series", "last push failed", "web.enable-admin-api"):
        assert text in page.text
    assert page.text.count("last push failed") == 1
    assert page.names == ["runs", "size_bytes"]
    assert "script" not in page.tags


def test_both_paths_have_the_same_page(weir):
    weir.put("/metrics/job/j", "m 1\n")

    def are_equal():
        # Both tell the time, in seconds.
        return weir.get("/").text == weir.get("/status").text

    wait_for(are_equal, "both pages are of the same second")


def test_headers(weir):
    headers = weir.get("/").headers
    assert headers["cache-control"] == "no-cache, no-store, must-revalidate"
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "script" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert '<meta name="robots" content="noindex">' in weir.get("/").text
    assert weir.get("/", {"Accept-Encoding": "gzip"}).status == 200


@pytest.mark.parametrize("text", [
    "<script>alert(1)</script>", "</title><script>", '"><img src=x onerror=alert(1)>',
    "' onclick='x", "&lt;script&gt;", "Björn €", "a\\b"])
def test_what_was_pushed_is_text(start_weir, text):
    weir = start_weir("--push.enable-utf8-names")
    help_text = text.replace("\\", "\\\\")
    quoted = help_text.replace('"', '\\"')
    encoded = "".join(f"%{byte:02X}" for byte in text.encode())
    target = "/metrics/job/j" if "/" in text else f"/metrics/job/{encoded}/{encoded}/{encoded}"
    body = f'# HELP m {help_text}\nm{{l="{quoted}"}} 1\n{{"{quoted}",l="x"}} 1\n'
    assert weir.put(target, body).status == 200
    answer = weir.get("/").text
    page = Parsed(answer)
    assert page.tags.isdisjoint({"script", "img"})
    assert "<script" not in answer and "<img" not in answer
    assert text in page.names
    found = Parsed(weir.get(f"/?job={encoded}").text)
    assert found.tags.isdisjoint({"script", "img"})


def test_pages_show_every_group_once(weir):
    """In order, 50 a page, along the links."""
    with weir.connect() as connection:
        for number in range(173):
            connection.exchange("PUT", f"/metrics/job/j{number % 3}/n/{number:03}", b"m 1\n")
    target, seen, pages = "/", [], 0
    while target:
        page = page_of(weir, target)
        pages += 1
        seen += [word for word in page.text.split('n="')[1:]]
        assert f"page {pages} of 4" in page.text
        assert ("previous" in page.links) == (pages > 1)
        target = page.links.get("next")
        target = target and "/" + target
    numbers = [int(text[:3]) for text in seen if text[:3].isdigit() and text[3] == '"']
    shown = [number for index, number in enumerate(numbers)
             if index == 0 or number != numbers[index - 1]]
    assert shown == sorted(range(173), key=lambda number: (number % 3, number))
    assert pages == 4


def test_one_job(weir):
    for job in ("one", "two words", "x&page=9"):
        for number in range(60):
            weir.put(f"/metrics/job/{job.replace(' ', '%20')}/n/{number:03}", "m 1\n")
        encoded = job.replace(" ", "+").replace("&", "%26").replace("=", "%3D")
        page = page_of(weir, f"/?job={encoded}")
        assert f"60 groups of job {job}" in page.text
        page = page_of(weir, "/" + page.links["next"])
        assert "page 2 of 2" in page.text
        assert page.text.count(f'job="{job}"') >= 10


@pytest.mark.parametrize("flags,start,outside", [
    ([], "", None),
    (["--web.route-prefix=/in"], "/in", None),
    (["--web.external-url=http://ex.com/in/"], "/in", "/in"),
    (["--web.external-url=http://ex.com/out", "--web.route-prefix=/"], "", "/out"),
    (["--web.external-url=http://ex.com/out", "--web.route-prefix=/in",
      "--web.telemetry-path=/scrape"], "/in", "/out"),
])
def test_links_lead_somewhere(start_weir, flags, start, outside):
    """Behind a proxy they begin with what it takes away; otherwise they are relative."""
    weir = start_weir(*flags)
    weir.put(f"{start}/metrics/job/j", "m 1\n")
    for path in ("/", "/status"):
        page = page_of(weir, start + path)
        for name in ("style", "scrape", "as JSON"):
            link = page.links[name]
            target = urlsplit(urljoin(f"http://host{start}{path}", link)).path
            if outside is not None:
                assert link.startswith(outside + "/")
                target = start + target.removeprefix(outside)
            else:
                assert link.startswith("./")
            assert weir.get(target).status == 200


def test_style_is_cached_until_it_changes(weir):
    link = page_of(weir).links["style"].removeprefix(".")
    answer = weir.get(link)
    assert answer.headers["content-type"] == "text/css; charset=utf-8"
    assert answer.headers["cache-control"] == "public, max-age=3600"
    again = weir.get(link, {"If-None-Match": answer.headers["etag"]})
    assert (again.status, again.body) == (304, b"")
    assert weir.get(link, {"If-None-Match": '"other"'}).body == answer.body


def test_large_store(weir):
    """Thousands of groups: a page costs little, and others do not wait for it."""
    body = "".join(f"# HELP m{number} Help.\n# TYPE m{number} gauge\nm{number} {number}\n"
                   for number in range(12))
    with weir.connect() as connection:
        for first in range(0, 5000, 20):
            for number in range(first, first + 20):
                connection.request("PUT", f"/metrics/job/j/instance/{number}", body)
            for _ in range(20):
                assert connection.response().status == 200
    last = page_of(weir, "/?page=100")
    assert "page 100 of 100" in last.text
    assert len(weir.get("/").body) < 1_000_000
    waited, is_over = [], threading.Event()

    def ask():
        with weir.connect() as connection:
            while not is_over.is_set():
                began = time.monotonic()
                assert connection.exchange("GET", "/-/healthy").status == 200
                waited.append(time.monotonic() - began)

    asker = threading.Thread(target=ask)
    asker.start()
    began = time.monotonic()
    for number in range(20):
        assert weir.get(f"/?page={number * 5 + 1}").status == 200
    taken = time.monotonic() - began
    is_over.set()
    asker.join()
    # The loop is held for parts of a page only.
    assert len(waited) > 20 and max(waited) < max(taken, 1)


def test_enormous_group_is_cut(weir):
    many = "".join(f"m{number:05} 1\n" for number in range(20_000))
    wide = "".join(f'w{{n="{number}"}} 1\n' for number in range(20_000))
    long = f'l{{v="{"x" * 500_000}"}} 1\n'
    for job, body in (("many", many), ("wide", wide), ("long", long)):
        assert weir.put(f"/metrics/job/{job}", body).status == 200
    answer = weir.get("/")
    page = Parsed(answer.text)
    assert len(answer.body) < 200_000
    assert "and 19900 more metrics" in page.text
    assert "20 of 20000 series" in page.text
    assert "xxx…" in page.text


def test_page_while_everything_changes(weir):
    """Pushes, deletions and wipes from all sides: every page is whole."""
    is_over = threading.Event()

    def change(offset):
        number = offset
        with weir.connect() as connection:
            while not is_over.is_set():
                number += 1
                target = f"/metrics/job/j/n/{number % 400}"
                kind = number % 7
                if number % 500 == 0:
                    connection.exchange("PUT", "/api/v1/admin/wipe")
                elif kind == 0:
                    connection.exchange("DELETE", target)
                else:
                    connection.exchange("PUT", target, f"m{kind} 1\nall 1\n")

    changers = [threading.Thread(target=change, args=(offset,)) for offset in (0, 250)]
    for changer in changers:
        changer.start()
    try:
        for number in range(60):
            page = page_of(weir, f"/?page={number % 9 + 1}")
            # Each group was pushed as a whole.
            assert page.names.count("all") * 2 == len(page.names)
    finally:
        is_over.set()
        for changer in changers:
            changer.join()


def test_client_that_goes_away(weir):
    for number in range(60):
        weir.put(f"/metrics/job/j/n/{number}", "m 1\n")
    for _ in range(20):
        with weir.connect() as connection:
            connection.request("GET", "/")
    assert weir.get("/").status == 200
