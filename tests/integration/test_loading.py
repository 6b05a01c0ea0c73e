"""Requests while weir loads what is stored."""

import pytest

from harness import format_request, wait_for

GROUPS = 3000
BURST = 30  # requests that are sent before their answers are read


def fill(weir):
    with weir.connect() as connection:
        for first in range(0, GROUPS, BURST):
            connection.send(b"".join(
                format_request("PUT", f"/metrics/job/{number}", b"m 1\n")
                for number in range(first, first + BURST)))
            assert all(connection.response().status == 200 for _ in range(BURST))


@pytest.fixture
def restart(start_weir, tmp_path):
    """Starts a weir on what another one stored."""
    flags = [f"--state.url=sqlite:{tmp_path}/stored.db", "--state.sync=normal"]
    weir = start_weir(*flags)
    fill(weir)
    weir.stop()
    return lambda: start_weir(*flags)


def series(text):
    return {line for line in text.splitlines() if line.startswith("m{")}


@pytest.mark.smoke
def test_a_page_is_whole_or_none(restart):
    weir = restart()
    with weir.connect() as connection:
        answers = []
        while not answers or answers[-1].status != 200:
            answers.append(connection.exchange("GET", "/metrics"))
        assert all("is being loaded" in answer.text for answer in answers[:-1])
        assert len(series(answers[-1].text)) == GROUPS
        assert connection.exchange("GET", "/-/ready").status == 200


def test_changes_meanwhile_come_after_what_is_stored(restart):
    weir = restart()
    with weir.connect() as connection:
        connection.send(format_request("PUT", "/metrics/job/7", b"m 2\n")
                        + format_request("DELETE", "/metrics/job/8")
                        + format_request("POST", "/metrics/job/9", b"n 1\n")
                        + format_request("GET", "/metrics"))
        assert [connection.response().status for _ in range(3)] == [200, 202, 200]
        page = series(connection.response().text)
    assert len(page) == GROUPS - 1
    assert 'm{instance="",job="7"} 2' in page
    assert 'm{instance="",job="9"} 1' in page


def test_they_are_stored_like_others(restart):
    weir = restart()
    with weir.connect() as connection:
        assert connection.exchange("PUT", "/metrics/job/7", b"m 2\n").status == 200
    weir.stop()
    weir = restart()
    wait_for(lambda: weir.get("/-/ready").status == 200, "weir to be ready")
    assert 'm{instance="",job="7"} 2' in series(weir.get("/metrics").text)


def test_what_was_loaded_is_durable(restart):
    """What changes nothing has nothing to wait for."""
    weir = restart()
    wait_for(lambda: weir.get("/-/ready").status == 200, "weir to be ready")
    assert weir.delete("/metrics/job/none").status == 202


def test_an_end_meanwhile(restart):
    """Who waits then is refused, and what is stored stays as it is."""
    weir = restart()
    with weir.connect() as connection:
        connection.request("PUT", "/metrics/job/7", b"m 2\n")
        weir.signal()
        answer = connection.response()
    weir.stop()
    assert answer.status == 200 or "not carried out: weir ends" in answer.text
    weir = restart()
    wait_for(lambda: weir.get("/-/ready").status == 200, "weir to be ready")
    page = series(weir.get("/metrics").text)
    assert len(page) == GROUPS
    assert ('m{instance="",job="7"} 2' in page) == (answer.status == 200)
