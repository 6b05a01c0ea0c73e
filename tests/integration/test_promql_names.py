"""scripts/lib/promql.py: which series an expression asks for."""

import sys

import pytest

from harness import REPOSITORY

sys.path.insert(0, str(REPOSITORY / "scripts" / "lib"))

import promql  # noqa: E402

CASES = {
    "up": [("up",)],
    "sum": [("sum",)],
    "sum by (a, b) (rate(x{c=\"d\",e=~\"f\"}[5m]))": [("x", "c", "e")],
    "SUM(m) BY(job)": [("m",)],
    "sum without (a) (m)": [("m",)],
    "a / on (x) group_left (y) b": [("a",), ("b",)],
    "a / ignoring (x) group_right b": [("a",), ("b",)],
    "rate(m[5m:1m] offset 5m)": [("m",)],
    "m offset -1h and n": [("m",), ("n",)],
    "m @ start() + n @ 1609746000": [("m",), ("n",)],
    "time() - m": [("m",)],
    "topk(3, m{a=\"}, b=c\"})": [("m", "a")],
    "m{a='it\\'s',b=`\\`}": [("m", "a", "b")],
    "m{}": [("m",)],
    "m{a=\"1\",}": [("m", "a")],
    "{__name__=\"m\",a!=\"1\"}": [("m", "a")],
    "{\"http.requests\",\"http.code\"=\"200\"}": [("http.requests", "http.code")],
    "1e9 + 10E-3 - 0x1f * .5 / Inf % NaN ^ 1h30m": [],
    "a:b:c + :d": [("a:b:c",), (":d",)],
    "count_values(\"x\", m)": [("m",)],
    "a # b c\n + d": [("a",), ("d",)],
    "m > bool 3 or n unless o atan2 p": [("m",), ("n",), ("o",), ("p",)],
    "label_replace(m, \"a\", \"$1\", \"b\", \"(.*)\")": [("m",)],
    "-m ^ 2": [("m",)],
    "quantile_over_time(0.9, m[1h]) == n": [("m",), ("n",)],
}


@pytest.mark.parametrize("text", CASES)
def test_names_and_labels(text):
    found = [(selector.name, *selector.labels) for selector in promql.selectors(text)]
    assert found == CASES[text]


@pytest.mark.parametrize("text,labels", [
    ("sum by (a, b) (x)", {"a", "b"}), ("sum(x) by (a)", {"a"}), ("sum without (a) (x)", set()),
    ("a / on (x) group_left (y) b", {"x", "y"}), ("a / ignoring (x) b", set()), ("m", set()),
])
def test_listed_labels(text, labels):
    assert promql.listed(text) == labels


@pytest.mark.parametrize("text,labels", [
    ('label_replace(m, "a", "$1", "b", "(.*)")', {"a"}), ("m{a=\"b\"}", set()),
    ('label_replace(rate(m{c="d",e="f"}[5m]), "a", "", "", "") or label_join(n, "g", ",", "h")', {"a", "g"}),
])
def test_made_labels(text, labels):
    assert promql.made(text) == labels


def test_names_by_pattern():
    selector, = promql.selectors('{__name__=~"node_.*",job="x"}')
    assert (selector.name, selector.pattern, selector.labels) == ("", "node_.*", ("job",))


@pytest.mark.parametrize("text", ["m{a=\"b\"", "rate(m[5m)", "m)", "m{a}", "m{a=b}", "m{a=\"b\" c=\"d\"}",
                                  "m{a=\"b}", "m ? n", "$x"])
def test_what_cannot_be_read(text):
    with pytest.raises(promql.PromqlError):
        promql.selectors(text)
