"""Single pushes that would break the scrape for everybody. Each is refused without a trace."""

import pytest

HISTOGRAM = '# TYPE h histogram\nh_bucket{le="1"} 1\nh_bucket{le="+Inf"} 2\nh_sum 3\nh_count 2\n'
EQUAL_LE = '# TYPE h histogram\nh_bucket{le="1"} 1\nh_bucket{le="1"} 2\nh_count 2\n'
EQUAL_LE_OTHER_SPELLING = EQUAL_LE.replace('le="1"} 2', 'le="1.0"} 2')
EQUAL_QUANTILE = '# TYPE s summary\ns{quantile="0.5"} 1\ns{quantile="0.50"} 2\ns_count 2\n'

# Neither the page nor the group may show that these were tried.
TRACELESS = {
    "the same group by an empty label": ("/metrics/job/x/instance@base64/=", "m 1\n"),
    "invalid UTF-8 in a grouping value": ("/metrics/job/x%FF", "m 1\n"),
    "invalid UTF-8 behind base64": ("/metrics/job@base64/_w", "m 1\n"),
    "le as a grouping label": ("/metrics/job/q/le/0.5", HISTOGRAM),
    "two equal le": ("/metrics/job/q", EQUAL_LE),
    "two equal le in two spellings": ("/metrics/job/q", EQUAL_LE_OTHER_SPELLING),
}

# Inconsistent, as a duplicate series is: the group shows a failed push.
INCONSISTENT = {
    "two equal quantiles": ("/metrics/job/q", EQUAL_QUANTILE),
    "quantile as a grouping label": ("/metrics/job/q/quantile/0.5",
                                     '# TYPE s summary\ns{quantile="0.5"} 1\n'),
}


@pytest.mark.smoke
@pytest.mark.parametrize("method", ["POST", "PUT"])
@pytest.mark.parametrize("name", TRACELESS)
def test_poison_leaves_no_trace_and_others_go_on(weir, method, name):
    weir.put("/metrics/job/x", "present 1\n")
    before = weir.scrape().pushed()
    answer = weir.request(method, *TRACELESS[name])
    assert answer.status == 400, answer.text
    assert len(answer.text.splitlines()[0]) > 20, "a sentence tells why"
    assert weir.scrape().pushed() == before
    assert weir.put("/metrics/job/other", "present 2\n").status == 200
    assert weir.scrape().value("present", job="other") == 2


@pytest.mark.parametrize("name", INCONSISTENT)
def test_inconsistent_push_stores_nothing(weir, name):
    weir.put("/metrics/job/x", "present 1\n")
    before = weir.scrape().stored()
    answer = weir.put(*INCONSISTENT[name])
    assert answer.status == 400, answer.text
    assert weir.scrape().stored() == before


def test_escaped_reserved_label_name(weir):
    """U______a would decode to __a where names are decoded; here it is a name like others."""
    assert weir.post("/metrics/job/y/U______a/v", "m 1\n").status in (200, 400)
    weir.scrape()
    assert weir.post("/metrics/job/z", "m 2\n").status == 200
    assert weir.scrape().value("m", job="z") == 2


def test_same_group_by_an_empty_label_first(weir):
    assert weir.put("/metrics/job/x/instance@base64/=", "m 1\n").status == 200
    before = weir.scrape().pushed()
    assert weir.put("/metrics/job/x", "m 2\n").status == 400
    assert weir.scrape().pushed() == before


def test_refused_histogram_does_not_hide_the_old_one(weir):
    weir.put("/metrics/job/q", HISTOGRAM)
    before = weir.scrape().stored()
    assert weir.put("/metrics/job/q", EQUAL_LE).status == 400
    assert weir.scrape().stored() == before


@pytest.mark.parametrize("body", [
    "{} 1\n", "\0\n", "a" * 100_000, "m{" + "a" * 100_000 + "\n", "\ufeffm 1\n",
    "# TYPE m histogram\nm_bucket 1\n", '# TYPE m histogram\nm_bucket{le="NaN"} 1\n',
    "#" * 100_000 + "\n", '{"m","m"} 1\n', "m{,} 1\n", "m 1 1 1\n", "m 1e999999999\n",
])
def test_odd_bodies_are_answered(weir, body):
    answer = weir.put("/metrics/job/j", body)
    assert answer.status in (200, 400)
    weir.scrape()
    assert weir.put("/metrics/job/k", "n 1\n").status == 200
