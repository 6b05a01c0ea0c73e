"""Pushes that repeat the layout of the one before. Values are replaced; nothing else may slip."""

import pytest

PAGE = """\
# HELP g A gauge.
# TYPE g gauge
g{{a="x 1"}} {0}
g{{a="y"}} {1}
# TYPE h histogram
h_bucket{{le="1"}} {0}
h_bucket{{le="+Inf"}} {1}
h_sum {0}
h_count {1}
# TYPE s summary
s{{quantile="0.5"}} {0}
s_sum {1}
s_count {1}
# TYPE c counter
c {0}
"""


def shown(weir):
    page = weir.scrape()
    return {
        "g": (page.value("g", job="j", a="x 1"), page.value("g", job="j", a="y")),
        "h": (page.value("h_bucket", job="j", le="1"), page.value("h_count", job="j")),
        "s": (page.value("s", job="j", quantile="0.5"), page.value("s_count", job="j")),
        "c": page.value("c", job="j"),
    }


@pytest.mark.parametrize("method", ["PUT", "POST"])
def test_values_of_other_lengths(weir, method):
    for first, second in ((1, 2), (10, 200000), (0.5, 3), (123456.5, 7), (1, 2)):
        body = PAGE.format(first, second)
        assert weir.request(method, "/metrics/job/j", body).status == 200
        assert shown(weir) == {"g": (first, second), "h": (first, second),
                               "s": (first, second), "c": first}


@pytest.mark.parametrize("value", ["x", "", "1_0", "0x1", "1 1000", "1 ", "+NaN"])
def test_bad_value_in_a_known_layout(weir, value):
    weir.put("/metrics/job/j", "a 1\nb 2\nc 3\n")
    weir.put("/metrics/job/j", "a 4\nb 5\nc 6\n")
    before = weir.scrape().stored()
    assert weir.put("/metrics/job/j", f"a 7\nb {value}\nc 9\n").status == 400
    assert weir.scrape().stored() == before


def test_negative_count_in_a_known_layout(weir):
    weir.put("/metrics/job/j", PAGE.format(1, 2))
    weir.put("/metrics/job/j", PAGE.format(1, 3))
    before = weir.scrape().stored()
    assert weir.put("/metrics/job/j", PAGE.format(1, -2)).status == 400
    assert weir.scrape().stored() == before


def test_count_of_a_summary_stays_whole(weir):
    for count, whole in ((4, "4"), (4.7, "4"), (1e3, "1000")):
        weir.put("/metrics/job/j", f"# TYPE s summary\ns_sum 1\ns_count {count}\n")
        assert f's_count{{instance="",job="j"}} {whole}' in weir.scrape().stored()


def test_histogram_that_is_completed_each_time(weir):
    """The page has lines that the body has not; their values come from others."""
    for count in (1, 22, 333):
        weir.put("/metrics/job/j",
                 f'# TYPE h histogram\nh_bucket{{le="1.0"}} {count}\nh_count {count + 1}\n')
        page = weir.scrape()
        assert page.value("h_bucket", job="j", le="+Inf") == count + 1
        assert page.value("h_bucket", job="j", le="1") == count


def test_post_between_puts_of_the_same_layout(weir):
    weir.put("/metrics/job/j", "a 1\nb 1\n")
    weir.post("/metrics/job/j", "c 1\n")
    weir.put("/metrics/job/j", "a 2\nb 2\n")
    page = weir.scrape()
    assert page.value("c", job="j") is None
    assert (page.value("a", job="j"), page.value("b", job="j")) == (2, 2)


def test_delete_between_puts_of_the_same_layout(weir):
    weir.put("/metrics/job/j", "a 1\n")
    weir.delete("/metrics/job/j")
    weir.put("/metrics/job/k", "# TYPE a gauge\na 1\n")
    assert weir.put("/metrics/job/j", "a 2\n").status == 400
    assert weir.scrape().value("a", job="j") is None


def test_interleaved_layouts(weir):
    for turn in range(6):
        body = "a 1\n" if turn % 2 else 'a{x="1"} 2\nb 3\n'
        weir.put("/metrics/job/j", body)
        page = weir.scrape()
        assert page.value("a", job="j") == (1 if turn % 2 else None)
        assert page.value("b", job="j") == (None if turn % 2 else 3)


def test_reordered_lines_are_another_layout(weir):
    weir.put("/metrics/job/j", "a 1\nb 2\n")
    weir.put("/metrics/job/j", "b 3\na 4\n")
    page = weir.scrape()
    assert (page.value("a", job="j"), page.value("b", job="j")) == (4, 3)


def test_same_layout_in_other_groups(weir):
    for group in range(20):
        weir.put(f"/metrics/job/j/instance/{group}", f"a {group}\n")
    page = weir.scrape()
    assert all(page.value("a", job="j", instance=str(group)) == group for group in range(20))


def test_comments_and_blanks_may_change(weir):
    weir.put("/metrics/job/j", "# one\na 1\n")
    weir.put("/metrics/job/j", "# two\n\n  a   2\n")
    assert weir.scrape().value("a", job="j") == 2


def test_help_may_change(weir):
    weir.put("/metrics/job/j", "# HELP a One.\na 1\n")
    weir.put("/metrics/job/j", "# HELP a Two.\na 1\n")
    assert weir.scrape().families["a"].help == "Two."
