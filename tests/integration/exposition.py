"""Pages of every format, fetched as a scraper does and decoded by libraries that are not weir's.

All decoders give the same: the pushed samples as {(name, labels): value}, with
labels as a frozenset of pairs, empty ones left out, le and quantile as numbers,
and without weir's own families and the times of pushes.
"""

import math
import re

from prometheus_client import parser
from prometheus_client.openmetrics import parser as openmetrics_parser

import protobuf
from page import OWN, Page

TEXT = "text/plain; version=0.0.4; charset=utf-8"
OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"
PROTOBUF = protobuf.CONTENT_TYPE
TYPES = {"text": TEXT, "openmetrics": OPENMETRICS, "protobuf": PROTOBUF}
OPENMETRICS_HEADERS = {"Content-Type": OPENMETRICS}
BEFORE_EXEMPLAR = re.compile(r'((?:[^"]|"(?:[^"\\]|\\.)*")*?)(?: # \{.*)?$')
TIMES = ("push_time_seconds", "push_failure_time_seconds")


def fetch(weir, form, escaping="underscores", path="/metrics", **headers):
    """The body of a page, after a look at its status and its type."""
    accept = f"{TYPES[form]}; escaping={escaping}"
    answer = weir.get(path, {"Accept": accept, **headers})
    assert answer.status == 200, answer.text
    assert same_type(answer.headers["content-type"], accept), answer.headers["content-type"]
    return answer.body


def same_type(a, b):
    """Whether two content types are one; the order of parameters is free."""
    def parts(text):
        return {part.strip().lower() for part in text.split(";")}
    return parts(a) == parts(b)


def is_pushed(name, labels=()):
    """Whether a sample comes from a push; those of weir's own never have a job."""
    return name not in TIMES and ("job" in labels or not name.startswith(OWN))


def series(name, labels):
    """What tells a sample from others, whatever the format spells it like."""
    def pair(label, value):
        is_bound = label == "quantile" or (label == "le" and name.endswith("_bucket"))
        try:
            return (label, float(value)) if is_bound else (label, value)
        except ValueError:
            return label, value  # something else of that name
    return name, frozenset(pair(label, value) for label, value in labels.items() if value)


def collected(families):
    """The samples of a parsed page; none may come twice."""
    samples = {}
    for family in families:
        for sample in family.samples:
            if not is_pushed(sample.name, sample.labels):
                continue
            key = series(sample.name, sample.labels)
            assert key not in samples, f"series twice: {key}"
            samples[key] = float(sample.value)
    return samples


def text_samples(page):
    # This parser appends _total to what a counter's sample lacks it. Here names matter as they are.
    page = re.sub(r"(?m)^(# TYPE \S+(?<!_total)) counter$", r"\1 untyped", page.decode())
    return collected(parser.text_string_to_metric_families(page))


def openmetrics_families(page):
    return list(openmetrics_parser.text_string_to_metric_families(page.decode()))


def openmetrics_samples(page):
    return collected(openmetrics_families(page))


def openmetrics_lines(page):
    """The samples without a look at what is allowed, which this parser begrudges.

    For pages with families pushed in other formats, which need not obey OpenMetrics' rules.
    """
    assert page.endswith(b"# EOF\n"), page[-80:]
    samples = {}
    for line in page.decode().split("\n")[:-1]:
        assert line, "blank line"
        if line.startswith("# "):
            continue
        # Without the exemplar: one with a brace in a value is too much for this parser.
        sample = openmetrics_parser._parse_sample(BEFORE_EXEMPLAR.match(line)[1])
        if is_pushed(sample.name, sample.labels):
            key = series(sample.name, sample.labels)
            assert key not in samples, f"series twice: {key}"
            samples[key] = float(sample.value)
    return samples


def protobuf_families(page):
    """The pushed families by name."""
    families = protobuf.decode(page)
    names = [one.name for one in families]
    assert len(set(names)) == len(names), "a family twice"
    return {one.name: one for one in families
            if is_pushed(one.name, protobuf.labels_of(one.metric[0]))}


def protobuf_samples(page):
    samples = {}
    for family in protobuf_families(page).values():
        for metric in family.metric:
            labels = protobuf.labels_of(metric)
            assert len(labels) == len(metric.label), f"a label twice: {metric}"
            for name, further, value in samples_of_metric(family, metric):
                key = series(name, {**labels, **further})
                assert key not in samples, f"series twice: {key}"
                samples[key] = value
    return samples


def samples_of_metric(family, metric):
    """As lines would show it: (name, further labels, value)."""
    kind = protobuf.messages().MetricType.Name(family.type)
    if kind == "SUMMARY":
        return samples_of_summary(family.name, metric.summary)
    if kind.endswith("HISTOGRAM"):
        return samples_of_histogram(family.name, metric.histogram)
    field = kind.lower()
    assert metric.HasField(field), f"{family.name} has no {field}"
    return [(family.name, {}, getattr(metric, field).value)]


def samples_of_summary(name, summary):
    rows = [(name, {"quantile": repr(row.quantile)}, row.value) for row in summary.quantile]
    return [*rows, (name + "_sum", {}, summary.sample_sum),
            (name + "_count", {}, float(summary.sample_count))]


def samples_of_histogram(name, histogram):
    count = histogram.sample_count_float or float(histogram.sample_count)
    rows = [(row.upper_bound, row.cumulative_count_float or float(row.cumulative_count))
            for row in histogram.bucket]
    if math.inf not in dict(rows):
        rows.append((math.inf, count))
    return [*((name + "_bucket", {"le": repr(upper)}, value) for upper, value in rows),
            (name + "_sum", {}, histogram.sample_sum), (name + "_count", {}, count)]


def same_value(a, b):
    return a == b or (math.isnan(a) and math.isnan(b))


def difference(have, want):
    """What is too much, missing or of another value, in words; empty when nothing is."""
    words = [f"too much: {key}" for key in have.keys() - want.keys()]
    words += [f"missing: {key}" for key in want.keys() - have.keys()]
    words += [f"{key}: {have[key]} for {want[key]}" for key in have.keys() & want.keys()
              if not same_value(have[key], want[key])]
    return "; ".join(sorted(words)[:10])


def counters(weir):
    """weir's own counters, to see which of them move."""
    page = Page(fetch(weir, "text").decode(), in_order=False)
    return {key: float(value) for key, value in page.samples.items()
            if key[0].startswith("weir_") and key[0].endswith("_total")}
