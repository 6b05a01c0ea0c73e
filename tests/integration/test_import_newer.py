"""POST /api/v1/import?if=newer: what was pushed later than what is imported stays."""

import json
import time

import pytest

from test_export import ADMIN, export, gauge, group, lines_of, load, run

PATH = "/api/v1/import?if=newer"
FUTURE = "4000000000.5"


def load_newer(weir, text):
    answer = weir.post(PATH, text)
    assert answer.status == 200, answer.text
    return json.loads(answer.text)["data"]


def stored(weir, job="j"):
    """A group as an export has it: (pushed, failed, values)."""
    line, = (line for line in lines_of(export(weir)) if line.get("labels") == {"job": job})
    values = {family["name"]: family["samples"][0]["value"] for family in line["families"]}
    return line.get("pushed"), line.get("failed"), values


def test_only_newer(weir):
    assert weir.put("/metrics/job/j", "m 1\n").status == 200
    before = stored(weir)
    outcome = load_newer(weir, group("j", [gauge(value="2")]) + group("other", [gauge("n")]))
    assert (outcome["groups"], outcome["kept"], outcome["refused"]) == (1, 1, 0)
    assert stored(weir) == before

    outcome = load_newer(weir, group("j", [gauge(value="3")], pushed=FUTURE))
    assert (outcome["groups"], outcome["kept"]) == (1, 0)
    assert stored(weir) == (FUTURE, None, {"m": "3"})

    # Unconditionally, whatever the times.
    assert "kept" not in load(weir, group("j", [gauge(value="4")]))
    assert stored(weir)[2] == {"m": "4"}


def test_same_push(weir):
    """A push that is there already is replaced by what is said of it now."""
    load(weir, group("j", [gauge(value="1")]))
    outcome = load_newer(weir, group("j", [gauge(value="1")]))
    assert (outcome["groups"], outcome["unchanged"], outcome["kept"]) == (1, 1, 0)
    load_newer(weir, group("j", [gauge(value="1"), gauge("n")]))
    assert stored(weir)[2] == {"m": "1", "n": "1"}


def test_refused_pushes(weir):
    """The later time of a refused push is kept, whichever side has it."""
    load(weir, group("j", [gauge()], failed="1600000000"))
    load_newer(weir, group("j", [gauge()], pushed=FUTURE, failed="1500000000"))
    assert stored(weir)[:2] == (FUTURE, "1600000000")
    load_newer(weir, group("j", [gauge()], pushed=FUTURE, failed="1700000000"))
    assert stored(weir)[:2] == (FUTURE, "1700000000")
    # Nothing but a refused push is older than any push.
    line = json.dumps({"labels": {"job": "j"}, "failed": "1800000000", "families": []}) + "\n"
    assert load_newer(weir, line)["kept"] == 1


def test_large_group(weir):
    """All lines of a group that stays are left out, and none of them is a fault."""
    lines = (group("j", [gauge("a")]) + group("j", [gauge("b")], adds=True)
             + group("k", [gauge("c")]) + group("k", [gauge("d")], adds=True))
    assert weir.put("/metrics/job/j", "m 1\n").status == 200
    outcome = load_newer(weir, lines)
    assert (outcome["groups"], outcome["kept"], outcome["refused"]) == (1, 1, 0)
    assert stored(weir)[2] == {"m": "1"}
    assert stored(weir, "k")[2] == {"c": "1", "d": "1"}


@pytest.mark.parametrize("query", ["if=older", "if=", "if=newer%"])
def test_unknown_condition(weir, query):
    answer = weir.post(f"/api/v1/import?{query}", group("j", [gauge()]))
    assert answer.status == 400
    assert "if=newer" in answer.text


def test_escaped_condition(weir):
    assert weir.put("/metrics/job/j", "m 1\n").status == 200
    answer = weir.post("/api/v1/import?if=%6eewer", group("j", [gauge(value="2")]))
    assert answer.status == 200
    assert stored(weir)[2] == {"m": "1"}


def test_beside_pushes(start_weir):
    """However pushes and imports meet, no push is undone."""
    weir = start_weir(ADMIN)
    families = [gauge(f"m{i}") for i in range(3000)]  # applied in slices
    text = "".join(group("j", families, pushed=f"{time.time():.6f}") for _ in range(3))
    with weir.connect() as importer, weir.connect() as pusher:
        for number in range(20):
            importer.request("POST", PATH, text)
            pusher.exchange("PUT", "/metrics/job/j", f"m0 {number + 100}\n")
            assert importer.response().status == 200
            assert stored(weir)[2] == {"m0": str(number + 100)}


def test_command(weir):
    """weir import --newer"""
    assert weir.put("/metrics/job/j", "m 1\n").status == 200
    lines = group("j", [gauge(value="2")]) + group("other", [gauge("n")])
    code, _, err = run("import", f"--url={weir.url}", "--newer", data=lines)
    assert (code, err) == (0, "imported 1 groups, 1 series, 1 kept since weir's is newer\n")
    assert stored(weir)[2] == {"m": "1"}
    code, _, err = run("import", f"--url={weir.url}", data=lines)
    assert (code, err) == (0, "imported 2 groups, 2 series, 1 unchanged\n")
    assert stored(weir)[2] == {"m": "2"}
