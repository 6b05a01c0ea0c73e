"""Whatever a fuzzed body brings, the page stays one that others accept.

The inputs are those of tests/fuzz/corpus, and of the directory WEIR_CORPUS, if
it is set: what scripts/fuzz has collected. Each is pushed to a group of its
own; those that weir takes are on one page together, in every format.
"""

import os
from pathlib import Path

import pytest
from harness import REPOSITORY, Connection, wait_for
from peers import Prometheus, promtool
from prometheus_client.openmetrics.parser import text_string_to_metric_families

CONTENT_TYPES = {
    "text": "text/plain; version=0.0.4",
    "openmetrics": "application/openmetrics-text; version=1.0.0",
    "protobuf": "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; "
                "encoding=delimited",
}
TOGETHER = 500  # inputs on one page

# Those that a Prometheus asks for the three formats with.
ACCEPTS = {
    "text": "text/plain",
    "openmetrics": "application/openmetrics-text; version=1.0.0",
    "protobuf": CONTENT_TYPES["protobuf"],
}


def inputs(name):
    """The bodies of a format that were collected."""
    roots = [REPOSITORY / "tests" / "fuzz" / "corpus"]
    if os.environ.get("WEIR_CORPUS"):
        roots.append(Path(os.environ["WEIR_CORPUS"]))
    paths = sorted(path for root in roots for path in (root / name).glob("*") if path.is_file())
    return [(path.name, path.read_bytes()) for path in paths]


def push_all(connection, name, bodies, start):
    """Pushes each body to a group of its own; how many were taken."""
    taken = 0
    for number, (path, body) in enumerate(bodies, start):
        answer = connection.exchange("PUT", f"/metrics/job/{name}/number/{number}", body,
                                     {"Content-Type": CONTENT_TYPES[name]})
        assert answer.status in (200, 400, 413, 429), f"{path}: {answer.status}"
        taken += answer.status == 200
    return taken


def page(connection, accept):
    answer = connection.exchange("GET", "/metrics", None, {"Accept": accept})
    assert answer.status == 200
    return answer.body


def check_with_promtool(connection):
    is_fatal, remarks = promtool(page(connection, ACCEPTS["text"]).decode())
    assert not is_fatal, remarks[-5:]


@pytest.mark.parametrize("name", CONTENT_TYPES)
def test_pages_are_accepted(start_weir, tmp_path, name):
    bodies = inputs(name)
    assert bodies
    server = start_weir("--push.enable-utf8-names", "--web.enable-admin-api")
    quiet = start_weir("--push.enable-utf8-names", "--web.enable-admin-api", "--web.openmetrics=false")
    targets = {"openmetrics": server.url, "text": quiet.url}
    native = {"protobuf": server.url}
    with Prometheus(tmp_path / "prometheus", targets) as plain, \
            Prometheus(tmp_path / "native", native, "--enable-feature=native-histograms") as other, \
            Connection(server.address) as connection, Connection(quiet.address) as second:
        for start in range(0, len(bodies), TOGETHER):
            some = bodies[start:start + TOGETHER]
            for pushed in (connection, second):
                pushed.exchange("PUT", "/api/v1/admin/wipe")
                push_all(pushed, name, some, start)
            check_with_promtool(connection)
            if name == "openmetrics":
                families = text_string_to_metric_families(
                    page(connection, ACCEPTS["openmetrics"]).decode())
                assert list(families)
            for prometheus, job in ((plain, "openmetrics"), (plain, "text"), (other, "protobuf")):
                accepts(prometheus, job)


def accepts(prometheus, job):
    """Prometheus has scraped since, and nothing was wrong with the page."""
    def last_scrape():
        target = prometheus.target(job)
        return target["lastScrape"] if target else ""

    before = wait_for(last_scrape, "the first scrape")
    wait_for(lambda: last_scrape() > before, "the next scrape")
    target = prometheus.target(job)
    assert target["health"] == "up", target["lastError"]


def test_openmetrics_alone(start_weir):
    """Each input by itself, so that none spoils what another would show."""
    server = start_weir("--push.enable-utf8-names", "--web.enable-admin-api")
    with Connection(server.address) as connection:
        for path, body in inputs("openmetrics"):
            connection.exchange("PUT", "/api/v1/admin/wipe")
            if push_all(connection, "openmetrics", [(path, body)], 0) == 1:
                text = page(connection, ACCEPTS["openmetrics"]).decode()
                try:
                    list(text_string_to_metric_families(text))
                except ValueError as fault:
                    raise AssertionError(f"{path}: {fault}") from None
