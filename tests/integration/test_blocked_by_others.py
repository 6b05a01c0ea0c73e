"""One group can stand in another's way: whoever is refused is told by whom, and how it ends."""

import pytest

from harness import wait_for

STANDS = "what stands against it:\n"


def holder(answer):
    """What the answer says is in the way; None when it says nothing of that kind."""
    _, found, rest = answer.text.partition(STANDS)
    return rest.splitlines()[0].strip() if found else None


@pytest.mark.parametrize("first,second,series", [
    ("# TYPE m gauge\nm 1\n", "# TYPE m counter\nm 1\n", 'm{instance="",job="a"}'),
    ("# TYPE h histogram\nh_sum 1\nh_count 1\n", "h_count 1\n",
     'h_bucket{instance="",job="a",le="+Inf"}'),
    ("h_count 1\n", "# TYPE h histogram\nh_sum 1\nh_count 1\n", 'h_count{instance="",job="a"}'),
    ("# TYPE s summary\ns_sum 1\ns_count 1\n", "s_sum 1\n", 's_sum{instance="",job="a"}'),
])
def test_a_type(weir, first, second, series):
    assert weir.put("/metrics/job/a", first).status == 200
    answer = weir.put("/metrics/job/b", second)
    assert answer.status == 400
    assert answer.text.startswith("pushed metrics are invalid or inconsistent with existing metrics")
    assert holder(answer) == series
    weir.delete("/metrics/job/a")
    assert weir.put("/metrics/job/b", second).status == 200


def test_a_series(weir):
    assert weir.put("/metrics/job/b", 'm{instance="i"} 1\n').status == 200
    answer = weir.put("/metrics/job/b/instance/i", "m 1\n")
    assert answer.status == 400
    assert "was collected before with the same name and label values" in answer.text
    assert holder(answer) == '{instance="",job="b"}'
    weir.delete("/metrics/job/b")
    assert weir.put("/metrics/job/b/instance/i", "m 1\n").status == 200


def test_nobody_else(weir):
    """What a push contradicts in itself, or in weir's own metrics, is nobody's fault."""
    assert holder(weir.put("/metrics/job/a", "m 1\nm 1\n")) is None
    assert holder(weir.put("/metrics/job/a", "# TYPE go_info counter\ngo_info 1\n")) is None
    assert holder(weir.put("/metrics/job/a", "m 1 5\n")) is None


def test_it_ends_when_the_other_expires(weir):
    weir.put("/metrics/job/a?ttl=100ms", "# TYPE m gauge\nm 1\n")
    body = "# TYPE m counter\nm 1\n"
    wait_for(lambda: weir.put("/metrics/job/b", body).status == 200, "the way is free")


def test_a_holder_with_odd_labels_is_printable(weir):
    weir.put("/metrics/job/a%0D%1B%00b", "# TYPE m gauge\nm 1\n")
    answer = weir.put("/metrics/job/b", "# TYPE m counter\nm 1\n")
    assert answer.status == 400
    shown = answer.text.partition(STANDS)[2]
    assert all(character.isprintable() or character == "\n" for character in shown)


def test_unchecked_nobody_is_kept_out(start_weir):
    """The second is kept, not shown, and takes its place when the first goes."""
    weir = start_weir("--push.disable-consistency-check")
    weir.put("/metrics/job/a", "# TYPE m gauge\nm 1\n")
    assert weir.put("/metrics/job/b", "# TYPE m counter\nm 2\n").status == 202
    assert weir.scrape().value("m", job="a") == 1
    assert weir.scrape().value("m", job="b") is None
    weir.delete("/metrics/job/a")
    wait_for(lambda: weir.scrape().value("m", job="b") == 2, "the other is shown")
