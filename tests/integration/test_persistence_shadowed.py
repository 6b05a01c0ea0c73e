"""What pages do not show is kept as well, and comes up in its turn: --push.disable-consistency-check."""

import random

import pytest

import protobuf
from exposition import OPENMETRICS_HEADERS
from persistence import ENDINGS, everything, overwrite, own_metric
from test_persistence import MF2, MF5, MF_HIST, RICH, TEXT


@pytest.fixture
def unchecked(kept):
    kept.flags = ["--push.disable-consistency-check", "--push.enable-utf8-names", "--web.enable-admin-api"]
    return kept


def hidden(weir):
    return own_metric(weir, "weir_shadowed_blocks"), own_metric(weir, "weir_shadowed_groups")


def put(weir, target, body, headers=None):
    answer = weir.put(target, body, headers)
    assert answer.status == 202, answer.text


def fill(weir):
    put(weir, "/metrics/job/open", RICH, OPENMETRICS_HEADERS)
    put(weir, "/metrics/job/text/instance/i", TEXT)
    put(weir, "/metrics/job/proto", protobuf.body(MF_HIST, MF2, MF5), protobuf.HEADERS)
    put(weir, "/metrics/job/own", 'own{instance="kept"} 1\n')
    # Shadowed, by another type, another group, a label of the group, itself.
    put(weir, "/metrics/job/other", "# TYPE t counter\nt 2\n")
    put(weir, "/metrics/job/own/instance@base64/=", "twin 1\n")
    put(weir, "/metrics/job/le/le/0.5", '# TYPE lh histogram\nlh_bucket{le="1"} 1\n')
    put(weir, "/metrics/job/wrong", protobuf.body(
        'name: "mismatch" type: COUNTER metric { gauge { value: 1 } }'), protobuf.HEADERS)
    put(weir, "/metrics/job/open/instance@base64/=", "twin 2\n")


def check_same(kept, before, count, way="kill"):
    weir = kept.again(way)
    assert everything(weir) == before
    assert hidden(weir) == count
    return weir


@pytest.mark.smoke
@pytest.mark.parametrize("way", ENDINGS)
def test_all_kinds(unchecked, way):
    weir = unchecked.start()
    fill(weir)
    before, count = everything(weir), hidden(weir)
    assert count[0] >= 3 and count[1] == 2
    for _ in range(3):
        weir = check_same(unchecked, before, count, way)
    # What was shadowed is shown when what it gave way to goes.
    assert "t 2" not in weir.get("/metrics").text
    weir.delete("/metrics/job/text/instance/i")
    assert 't{instance="",job="other"} 2' in weir.get("/metrics").text
    check_same(unchecked, everything(weir), hidden(weir), way)


def test_written_anew(unchecked):
    """What is still needed moves behind what is newer."""
    weir = unchecked.start()
    fill(weir)
    before, count = everything(weir), hidden(weir)
    for _ in range(3):
        overwrite(weir, 15)
        assert weir.delete("/metrics/job/churn").status == 202
        assert (everything(weir), hidden(weir)) == (before, count)
        weir = check_same(unchecked, before, count)


def types(number):
    return ["counter", "gauge", "summary", "untyped"][number % 4]


def contradict(weir, number):
    """Three groups want the same family to be of three types."""
    kind = types(number)
    lines = 's{quantile="0.5"} 1\ns_sum 1\ns_count 1\n' if kind == "summary" else f"s {number}\n"
    put(weir, f"/metrics/job/j{number}", f"# TYPE s {kind}\n{lines}")


@pytest.mark.parametrize("first", range(4))
def test_many_on_one_family(unchecked, first):
    """Who comes up next is the same before and after a restart."""
    weir = unchecked.start()
    for number in range(first, first + 6):
        contradict(weir, number)
    check_same(unchecked, everything(weir), hidden(weir))
    weir = unchecked.weir
    for number in range(first, first + 6):
        weir.delete(f"/metrics/job/j{number}")
        before, count = everything(weir), hidden(weir)
        weir = check_same(unchecked, before, count)
    assert count == (0, 0)


@pytest.mark.parametrize("more", ["", "other 1\n"])
def test_who_waits_is_pushed_again(unchecked, more):
    """It keeps its place among those that wait, whether its layout is the same or not."""
    weir = unchecked.start()
    put(weir, "/metrics/job/shown", "# TYPE t gauge\nt 1\n")
    put(weir, "/metrics/job/first", "# TYPE t counter\nt 2\n")
    put(weir, "/metrics/job/second", "# TYPE t summary\nt_sum 3\nt_count 3\n")
    put(weir, "/metrics/job/first", f"# TYPE t counter\nt 4\n{more}")
    weir = check_same(unchecked, everything(weir), hidden(weir))
    weir.delete("/metrics/job/shown")
    assert 't{instance="",job="first"} 4' in weir.get("/metrics").text
    weir = check_same(unchecked, everything(weir), hidden(weir))
    # Without a break in between: once it was gone, it comes last.
    weir.delete("/metrics/job/first")
    put(weir, "/metrics/job/first", "# TYPE t counter\nt 5\n")
    assert 't_sum{instance="",job="second"} 3' in weir.get("/metrics").text
    check_same(unchecked, everything(weir), hidden(weir))


def test_who_came_up_stays(unchecked):
    """Nothing is written for that alone."""
    weir = unchecked.start()
    put(weir, "/metrics/job/shown", "# TYPE t gauge\nt 1\n")
    put(weir, "/metrics/job/first", "# TYPE t counter\nt 2\n")
    put(weir, "/metrics/job/second", "# TYPE t summary\nt_sum 3\nt_count 3\n")
    put(weir, "/metrics/job/second", "# TYPE t summary\nt_sum 4\nt_count 4\n")
    put(weir, "/metrics/job/shown", "u 1\n")
    assert 't{instance="",job="first"} 2' in weir.get("/metrics").text
    weir = check_same(unchecked, everything(weir), hidden(weir))
    put(weir, "/metrics/job/shown", "# TYPE t gauge\nt 5\n")
    weir = check_same(unchecked, everything(weir), hidden(weir))
    put(weir, "/metrics/job/first", "u 6\n")
    assert 't_sum{instance="",job="second"} 4' in weir.get("/metrics").text
    check_same(unchecked, everything(weir), hidden(weir))


def test_who_is_shown_may_have_to_give_way(unchecked):
    """What has been there longer comes first, also when it begins to contradict only later."""
    weir = unchecked.start()
    put(weir, "/metrics/job/old", "# TYPE t gauge\nt 1\n")
    put(weir, "/metrics/job/a/instance/i", "# TYPE t gauge\nt 2\n")
    put(weir, "/metrics/job/old", "# TYPE t counter\nt 3\n")
    assert 't{instance="i",job="a"}' not in weir.get("/metrics").text
    weir = check_same(unchecked, everything(weir), hidden(weir))
    assert hidden(weir) == (1, 0)
    put(weir, "/metrics/job/old", "# TYPE t gauge\nt 4\n")
    assert hidden(weir) == (0, 0)
    check_same(unchecked, everything(weir), hidden(weir))


BODIES = ["# TYPE t gauge\nt 1\n", "# TYPE t counter\nt 2\n", "h_sum 3\n", 't{instance="i"} 4\n',
          "# TYPE h histogram\nh_sum 5\nh_count 5\n", "# TYPE h gauge\nh 6\nu 6\n", "u 7\n"]
TARGETS = ["/metrics/job/a", "/metrics/job/a/instance/i", "/metrics/job/a/instance@base64/=", "/metrics/job/b",
           "/metrics/job/c"]


@pytest.mark.parametrize("seed", range(3))
def test_anything(unchecked, seed):
    weir = unchecked.start()
    chance = random.Random(seed)
    for number in range(60):
        target = chance.choice(TARGETS)
        what = chance.choice(["PUT", "POST", "POST", "DELETE"])
        with weir.connect() as connection:
            body = None if what == "DELETE" else chance.choice(BODIES)
            assert connection.exchange(what, target, body).status == 202
        if number % 6 == 5:
            weir = check_same(unchecked, everything(weir), hidden(weir))


def test_winner_is_pushed_again(unchecked):
    """The one that is shown is the newer one on disk, too."""
    weir = unchecked.start()
    put(weir, "/metrics/job/shown", "# TYPE t gauge\nt 1\n")
    put(weir, "/metrics/job/hidden", "# TYPE t counter\nt 2\n")
    for number in range(3):
        put(weir, "/metrics/job/shown", f"# TYPE t gauge\nt {number}\nu 1\n")
        weir = check_same(unchecked, everything(weir), hidden(weir))
        put(weir, "/metrics/job/hidden", f"# TYPE t counter\nt {number}\n")
        weir = check_same(unchecked, everything(weir), hidden(weir))
    assert weir.post("/metrics/job/hidden", "# TYPE t counter\nt 7\n").status == 202
    weir = check_same(unchecked, everything(weir), hidden(weir))
    assert "t 7" not in weir.get("/metrics").text
    weir.delete("/metrics/job/shown")
    assert 't{instance="",job="hidden"} 7' in weir.get("/metrics").text


def test_parts_of_groups(unchecked):
    """POSTs, of which some are shown and some are not."""
    weir = unchecked.start()
    for name in "abcd":
        put(weir, f"/metrics/job/first_{name}", f"# TYPE {name} gauge\n{name} 1\n")
    for number in range(12):
        name = "abcdxyz"[number % 7]
        assert weir.post("/metrics/job/mixed", f"# TYPE {name} counter\n{name} {number}\n").status == 202
    weir = check_same(unchecked, everything(weir), hidden(weir))
    weir.delete("/metrics/job/first_b")
    weir = check_same(unchecked, everything(weir), hidden(weir))
    assert weir.post("/metrics/job/mixed", "# TYPE a counter\na 99\n").status == 202
    weir = check_same(unchecked, everything(weir), hidden(weir))
    put(weir, "/metrics/job/mixed", "# TYPE d counter\nd 5\n")
    weir = check_same(unchecked, everything(weir), hidden(weir))
    for name in "acd":
        weir.delete(f"/metrics/job/first_{name}")
        weir = check_same(unchecked, everything(weir), hidden(weir))
    assert hidden(weir) == (0, 0)


def test_twin_groups(unchecked):
    """Of two keys that are the same but for empty labels, one is shown."""
    weir = unchecked.start()
    put(weir, "/metrics/job/j", "m 1\n")
    put(weir, "/metrics/job/j/instance@base64/=", "m 2\nn 2\n")
    weir = check_same(unchecked, everything(weir), hidden(weir))
    put(weir, "/metrics/job/j/instance@base64/=", "m 4\nn 4\n")
    put(weir, "/metrics/job/j", "m 5\n")
    weir = check_same(unchecked, everything(weir), hidden(weir))
    weir.delete("/metrics/job/j")
    weir = check_same(unchecked, everything(weir), hidden(weir))
    put(weir, "/metrics/job/j", "m 6\n")
    check_same(unchecked, everything(weir), hidden(weir))


def test_checked_again_after_a_restart(unchecked):
    """With checks on, what is hidden stays as it is, until it can be shown."""
    weir = unchecked.start()
    fill(weir)
    before, count = everything(weir), hidden(weir)
    unchecked.flags = ["--push.enable-utf8-names"]
    weir = check_same(unchecked, before, count)
    assert weir.put("/metrics/job/other", "# TYPE t counter\nt 2\n").status == 400
    weir.delete("/metrics/job/text/instance/i")
    assert weir.put("/metrics/job/other", "# TYPE t counter\nt 2\n").status == 200
    check_same(unchecked, everything(weir), hidden(weir))
