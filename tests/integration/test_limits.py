"""Every limit: a status and a sentence for who hits it, a counter that moves; nothing else does."""

import gzip

import pytest

from harness import Closed, chunked, wait_for

REFUSED = "weir_limit_refused_total"
MANY = "".join(f"f{n} {n}\n" for n in range(20))
WIDE = "m{" + ",".join(f'l{n}="v"' for n in range(20)) + "} 1\n"
LONG = 'm{l="' + "v" * 300 + '"} 1\n'

# limit: (its flag, a push that fits, one that does not, the status, the name of its counter)
PUSHES = {
    "body": ("--limit.body-bytes=200", "m 1\n", MANY * 2, 413, "body_bytes"),
    "groups": ("--limit.groups=1", "m 1\n", None, 429, "groups"),
    "series": ("--limit.series=10", "m 1\n", MANY, 429, "series"),
    "stored bytes": ("--limit.stored-bytes=4096", "m 1\n",
                     MANY + "".join(f'm{{l="{n:0200}"}} 1\n' for n in range(40)),
                     429, "stored_bytes"),
    "series per group": ("--limit.series-per-group=10", "m 1\n", MANY, 429, "series_per_group"),
    "labels": ("--limit.labels=10", 'm{a="b"} 1\n', WIDE, 413, "labels"),
    "label bytes": ("--limit.label-bytes=100", 'm{a="b"} 1\n', LONG, 413, "label_bytes"),
}


def refused(weir, limit):
    return weir.scrape().total(REFUSED, limit=limit)


@pytest.mark.smoke
@pytest.mark.parametrize("method", ["PUT", "POST"])
@pytest.mark.parametrize("name", PUSHES)
def test_push_beyond_a_limit(start_weir, method, name):
    flag, fitting, beyond, status, limit = PUSHES[name]
    weir = start_weir(flag)
    assert weir.put("/metrics/job/j", fitting).status == 200
    before, count = weir.scrape().stored(), refused(weir, limit)
    target = "/metrics/job/other" if beyond is None else "/metrics/job/j"
    answer = weir.request(method, target, beyond or fitting)
    assert answer.status == status, answer.text
    assert len(answer.text.split()) >= 3, f"no sentence: {answer.text!r}"
    assert weir.scrape().stored() == before
    assert refused(weir, limit) == count + 1
    assert weir.put("/metrics/job/j", fitting).status == 200


def test_every_limit_tells_its_maximum_and_what_it_holds(start_weir):
    weir = start_weir("--limit.groups=7", "--limit.series=100")
    weir.put("/metrics/job/j", MANY)
    page = weir.scrape()
    assert page.value("weir_limit", limit="groups") == 7
    assert page.value("weir_limit_used", limit="groups") == 1
    assert page.value("weir_limit", limit="series") == 100
    assert page.value("weir_limit_used", limit="series") >= 20


@pytest.mark.parametrize("target,limit", [
    ("/metrics/job/j/a/1/b/2/c/3/d/4", "labels"),
    ("/metrics/job/" + "j" * 60, "label_bytes"),
    ("/metrics/job/j/" + "l" * 60 + "/v", "label_bytes"),
])
def test_grouping_labels_are_limited(start_weir, target, limit):
    weir = start_weir("--limit.labels=4", "--limit.label-bytes=50")
    answer = weir.put(target, "m 1\n")
    assert answer.status == 413
    assert len(answer.text.split()) >= 3
    assert refused(weir, limit) == 1
    assert weir.scrape().pushed() == []


def test_what_is_deleted_makes_room(start_weir):
    weir = start_weir("--limit.groups=2", "--limit.series=30")
    for _ in range(5):
        assert weir.put("/metrics/job/a", MANY).status == 200
        assert weir.put("/metrics/job/b", MANY).status == 429
        assert weir.put("/metrics/job/b", "m 1\n").status == 200
        assert weir.put("/metrics/job/c", "m 1\n").status == 429
        weir.delete("/metrics/job/a")
        weir.delete("/metrics/job/b")
        wait_for(lambda: not weir.scrape().groups(), "the groups go")


def test_replacing_within_a_limit_is_no_growth(start_weir):
    weir = start_weir("--limit.series=25", "--limit.series-per-group=20")
    for _ in range(5):
        assert weir.put("/metrics/job/a", MANY).status == 200
        assert weir.post("/metrics/job/a", MANY).status == 200


def test_refused_group_leaves_no_trace(start_weir):
    weir = start_weir("--limit.groups=1")
    weir.put("/metrics/job/a", "m 1\n")
    assert weir.put("/metrics/job/b", "m 1 1000\n").status in (400, 429)
    assert len(weir.scrape().groups()) == 1


BODIES = {
    "by its length": ({"Content-Length": "1000000"}, b""),
    "in chunks": ({"Transfer-Encoding": "chunked"}, chunked(*[b"# comment\n" * 100] * 20)),
}


@pytest.mark.parametrize("name", BODIES)
def test_body_is_refused_before_it_is_whole(start_weir, name):
    weir = start_weir("--limit.body-bytes=10000")
    headers, body = BODIES[name]
    with weir.connect() as connection:
        connection.request("PUT", "/metrics/job/j", headers=headers)
        connection.send(body)
        answer = connection.response()
    assert answer.status == 413
    assert refused(weir, "body_bytes") == 1
    assert weir.scrape().pushed() == []


def test_expecting_client_is_told_before_it_sends(start_weir):
    weir = start_weir("--limit.body-bytes=10000")
    with weir.connect() as connection:
        connection.request("PUT", "/metrics/job/j", headers={
            "Content-Length": "1000000", "Expect": "100-continue"})
        assert connection.response().status == 413


def test_gzip_bomb(start_weir):
    weir = start_weir("--limit.body-bytes=1000000")
    bomb = gzip.compress(b"# " + b"x" * 100_000_000 + b"\n", 9)
    assert len(bomb) < 200_000
    answer = weir.put("/metrics/job/j", bomb, {"Content-Encoding": "gzip"})
    assert answer.status == 413
    page = weir.scrape()
    assert page.pushed() == []
    assert page.total(REFUSED, limit="body_bytes") == 1
    assert page.value("process_resident_memory_bytes") < 400_000_000


def test_body_of_exactly_the_limit(start_weir):
    weir = start_weir("--limit.body-bytes=1000")
    body = "m 1\n" + "#" * 995 + "\n"
    assert len(body) == 1000
    assert weir.put("/metrics/job/j", body).status == 200
    coded = gzip.compress(body.encode())
    assert weir.put("/metrics/job/j", coded, {"Content-Encoding": "gzip"}).status == 200
    assert weir.put("/metrics/job/j", "#" + body).status == 413


@pytest.mark.parametrize("head", [
    "GET /-/healthy HTTP/1.1\r\nHost: x\r\nX-Long: " + "y" * 10_000 + "\r\n\r\n",
    "GET /-/healthy HTTP/1.1\r\nHost: x\r\n" + "X: y\r\n" * 2_000 + "\r\n",
    "GET /metrics/job/" + "j" * 10_000 + " HTTP/1.1\r\nHost: x\r\n\r\n",
    "GET /-/healthy HTTP/1.1\r\nHost: x\r\nX-Endless: " + "y" * 10_000,
])
def test_head_beyond_its_limit(start_weir, head):
    weir = start_weir("--limit.header-bytes=4096")
    with weir.connect() as connection:
        connection.send(head)
        answer = connection.response()
        assert answer.status == 431
        assert len(answer.text.split()) >= 3
        assert connection.is_closed_by_server()
    assert refused(weir, "header_bytes") == 1


def test_long_job_name_is_fine(weir):
    job = "j" * 7000
    assert weir.put(f"/metrics/job/{job}", "m 1\n").status in (200, 400)
    weir.scrape()


@pytest.mark.smoke
def test_connections(start_weir):
    weir = start_weir("--limit.connections=5")
    held = [weir.connect() for _ in range(5)]
    for connection in held:
        assert connection.exchange("GET", "/-/healthy").status == 200
    with weir.connect() as connection:
        connection.request("GET", "/-/healthy")
        answer = connection.response()
        assert answer.status == 503
        assert len(answer.text.split()) >= 3
        assert connection.is_closed_by_server()
    page = held[0].exchange("GET", "/metrics").text
    assert f'{REFUSED}{{limit="connections"}} 1\n' in page
    for connection in held:
        connection.close()
    wait_for(lambda: healthy(weir), "there is room again")


def healthy(weir):
    try:
        return weir.get("/-/healthy").status == 200
    except (Closed, OSError):
        return False
