"""weir's own metrics: a Pushgateway's four, and what it tells about itself."""

import pytest

HELP = {
    "pushgateway_http_requests_total":
        "Total HTTP requests processed by the Pushgateway, excluding scrapes.",
    "pushgateway_http_push_duration_seconds":
        "HTTP request duration for pushes to the Pushgateway.",
    "pushgateway_http_push_size_bytes": "HTTP request size for pushes to the Pushgateway.",
    "pushgateway_build_info":
        "A metric with a constant '1' value labeled by version, revision, branch, goversion from "
        "which pushgateway was built, and the goos and goarch for the build.",
}


def requests(page, **labels):
    return page.total("pushgateway_http_requests_total", **labels)


@pytest.mark.smoke
def test_names_and_helps(weir):
    weir.put("/metrics/job/j", "m 1\n")
    page = weir.scrape()
    for name, text in HELP.items():
        assert page.families[name].help == text
    assert page.families["pushgateway_http_requests_total"].type == "counter"
    assert page.families["pushgateway_http_push_duration_seconds"].type == "summary"
    assert page.families["pushgateway_http_push_size_bytes"].type == "summary"
    for name in ("cpu_seconds_total", "max_fds", "open_fds", "resident_memory_bytes",
                 "start_time_seconds", "virtual_memory_bytes", "virtual_memory_max_bytes"):
        assert page.value("process_" + name) is not None


def test_requests_are_counted_as_a_pushgateway_counts_them(weir):
    weir.get("/metrics")
    weir.get("/nowhere")
    weir.request("PATCH", "/metrics")
    weir.get("/metrics/")
    assert requests(weir.scrape()) == 0
    weir.put("/metrics/job/j", "m 1\n")
    weir.post("/metrics/job/j", "m 1\n")
    weir.post("/metrics/job/j", "bad\n")
    weir.delete("/metrics/job/j")
    weir.get("/-/healthy")
    weir.get("/-/ready")
    weir.get("/api/v1/metrics")
    weir.request("PUT", "/api/v1/admin/wipe")
    page = weir.scrape()
    assert requests(page, handler="push", method="put", code="200") == 1
    assert requests(page, handler="push", method="post", code="200") == 1
    assert requests(page, handler="push", method="post", code="400") == 1
    assert requests(page, handler="delete", method="delete", code="202") == 1
    assert requests(page, handler="healthy", method="get", code="200") == 1
    assert requests(page, handler="ready", method="get", code="200") == 1
    assert requests(page, handler="api/v1/metrics", method="get", code="200") == 1
    assert requests(page, handler="wipe", method="put", code="202") == 1
    assert requests(page) == 8
    assert page.value("pushgateway_http_push_duration_seconds_count", method="post") == 2
    assert page.value("pushgateway_http_push_size_bytes_count", method="put") == 1
    assert 50 < page.value("pushgateway_http_push_size_bytes_sum", method="put") < 1000


def test_what_is_stored_is_counted(weir):
    def counts():
        page = weir.scrape()
        return [page.value(f"weir_{name}") for name in ("groups", "blocks", "series")]

    empty = counts()
    weir.put("/metrics/job/a", 'm{x="1"} 1\nm{x="2"} 2\nn 3\n')
    weir.put("/metrics/job/b", "n 3\n")
    assert [now - then for now, then in zip(counts(), empty)] == [2, 3, 4]
    page = weir.scrape()
    assert page.value("weir_families") >= 2
    assert page.value("weir_stored_bytes") > 0
    weir.delete("/metrics/job/a")
    weir.delete("/metrics/job/b")
    assert counts() == empty


@pytest.mark.parametrize("reason,target,body", [
    ("syntax", "/metrics/job/j", "m one\n"),
    ("timestamp", "/metrics/job/j", "m 1 1000\n"),
    ("inconsistent", "/metrics/job/j", "m 1\nm 1\n"),
    ("url", "/metrics/job/j/odd", "m 1\n"),
    ("ttl", "/metrics/job/j?ttl=soon", "m 1\n"),
])
def test_refused_pushes_are_counted_by_reason(shared_weir, reason, target, body):
    before = shared_weir.scrape().value("weir_push_rejected_total", reason=reason)
    assert shared_weir.put(target, body).status == 400
    after = shared_weir.scrape().value("weir_push_rejected_total", reason=reason)
    assert after == before + 1


def test_unchanged_layouts_are_counted(weir):
    def unchanged():
        return weir.scrape().value("weir_push_unchanged_layout_total")

    for value in range(5):
        weir.put("/metrics/job/j", f'# TYPE m gauge\nm{{a="b"}} {value}\n')
    assert unchanged() == 4
    weir.put("/metrics/job/j", '# TYPE m gauge\nm{a="c"} 1\n')
    assert unchanged() == 4
    assert weir.scrape().value("m", job="j", a="c") == 1


def test_connections_and_scrapes_are_counted(weir):
    with weir.connect() as connection:
        connection.exchange("GET", "/metrics")
        page = weir.scrape()
        assert page.value("weir_limit_used", limit="connections") == 2
        assert page.value("weir_connections_accepted_total") == 2
        assert page.value("weir_scrape_duration_seconds_count") == 1


def test_bad_requests_are_counted(weir):
    with weir.connect() as connection:
        connection.send("nonsense\r\n\r\n")
        assert connection.response().status == 400
    assert weir.scrape().value("weir_bad_requests_total") == 1
