"""Random pushes in all formats: every page, decoded by somebody else's code, says the same.

A model of what was pushed is kept beside. What the formats cannot all say is in
docs/formats/README.md; here it is left out, or undone where a page is compared.
"""

import json
import math
import random

import pytest

import exposition
import peers
import protobuf
from exposition import OPENMETRICS_HEADERS, difference, fetch
from page import Page

ROUNDS = 30
PUSHES = 6  # in each round

# Which formats can push what.
KINDS = {
    "counter": ("text", "openmetrics", "protobuf"),
    "plain_counter": ("text", "protobuf"),
    "gauge": ("text", "openmetrics", "protobuf"),
    "unknown": ("text", "openmetrics", "protobuf"),
    "summary": ("text", "openmetrics", "protobuf"),
    "histogram": ("text", "openmetrics", "protobuf"),
    "float_histogram": ("text", "protobuf"),
    "gaugehistogram": ("openmetrics",),
    "protobuf_gaugehistogram": ("protobuf",),
    "info": ("openmetrics",),
    "stateset": ("openmetrics",),
}
TEXT_TYPES = {"counter": "counter", "plain_counter": "counter", "gauge": "gauge",
              "unknown": "untyped", "summary": "summary", "histogram": "histogram",
              "float_histogram": "histogram"}
PROTOBUF_TYPES = {**{kind: name.upper() for kind, name in TEXT_TYPES.items()},
                  "protobuf_gaugehistogram": "GAUGE_HISTOGRAM"}
BOUNDS = (-1e6, -1.5, 0.0, 1e-7, 0.005, 0.1, 0.5, 1.0, 2.5, 10.0, 1e5, 1e6, 1e21, math.inf)
TEXTS = ("", "a", "b", "a b", 'say "hi"', "back\\slash", "two\nlines", "Ünï", "東京", "☃", "{}",
         "a=b,c", "# EOF", " # x", "1e3", "tab\there", "x" * 200, "\\n", "/var/tmp", "\u2028",
         "\x7f")
LABELS = ("a", "b", "code", "le_", "region", "under_", "Capital", "x1")


def escape(text):
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


def number(value, random_source):
    """A spelling of the value that all parsers take."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    spellings = [repr(value), f"{value:.17g}", f"{value:.17e}"]
    if value == int(value) and abs(value) < 1e15:
        spellings += [str(int(value)), f"{int(value)}.0"]
    return random_source.choice(spellings)


class Metric:
    """One metric of a family: labels, and rows (suffix, further label, value) in order."""

    def __init__(self, labels, rows):
        self.labels, self.rows = labels, rows


class Family:
    """A family as it is pushed, in whichever format."""

    def __init__(self, source, number_of, kind):
        self.source, self.kind = source, kind
        stem = f"{kind}_{number_of}"
        self.name = stem + "_total" if kind == "counter" else stem
        self.help = source.choice(TEXTS)
        self.metrics = [Metric(labels, list(self._rows())) for labels in self._labels()]

    def _labels(self):
        """Sets of labels that differ, also when empty ones do not count."""
        names = self.source.sample(LABELS, self.source.randrange(4))
        seen = set()
        for _ in range(self.source.randrange(1, 5)):
            labels = {name: self.source.choice(TEXTS) for name in names}
            identity = frozenset(pair for pair in labels.items() if pair[1])
            if identity not in seen:
                seen.add(identity)
                yield labels

    def _value(self, smallest=-math.inf):
        source = self.source
        choices = [lambda: source.uniform(0, 100), lambda: float(source.randrange(10**6)),
                   lambda: 10 ** source.uniform(-300, 300), lambda: 0.0]
        if smallest < 0:
            choices += [lambda: -source.expovariate(0.1), lambda: math.nan, lambda: math.inf,
                        lambda: -math.inf, lambda: 5e-324]
        return source.choice(choices)()

    def _rows(self):
        kind = self.kind
        if kind == "summary":
            yield from self._summary()
        elif kind.endswith("histogram"):
            yield from self._histogram()
        elif kind == "info":
            yield "_info", None, 1.0
        elif kind == "stateset":
            for state in ("on", "off", "östlich"):
                yield "", (self.name, state), float(self.source.randrange(2))
        else:
            yield "", None, self._value(0 if kind.endswith("counter") else -math.inf)

    def _summary(self):
        quantiles = sorted(self.source.sample((0.0, 0.01, 0.25, 0.5, 0.9, 0.99, 1.0),
                                              self.source.randrange(4)))
        for quantile in quantiles:
            yield "", ("quantile", quantile), abs(self._value(0))
        yield "_sum", None, self._value(0)
        yield "_count", None, float(self.source.randrange(10**9))

    def _histogram(self):
        source, kind = self.source, self.kind
        bounds = [bound for bound in BOUNDS if bound == math.inf or source.random() < 0.4]
        if kind in ("histogram", "float_histogram"):
            bounds = [bound for bound in bounds if bound >= 0]  # else there would be no sum
        step = source.random if kind == "float_histogram" else lambda: source.randrange(1000)
        total = 0.0
        for bound in bounds:
            total += step()
            yield "_bucket", ("le", bound), total
        g = "g" if kind == "gaugehistogram" else ""
        yield f"_{g}sum", None, self._value(0)
        yield f"_{g}count", None, total

    def samples(self, grouping):
        """What is exposed of it, as exposition.py has samples."""
        found = {}
        for metric in self.metrics:
            for suffix, further, value in metric.rows:
                labels = {**metric.labels, **({further[0]: further[1]} if further else {}),
                          **grouping}
                found[self.name + suffix, frozenset(
                    pair for pair in labels.items() if pair[1] != "")] = value
        return found

    def text(self, openmetrics):
        name, kind = self.name, self.kind
        if openmetrics:
            name = name.removesuffix("_total")
        else:
            kind = TEXT_TYPES[kind]
        lines = [f"# TYPE {name} {kind}\n", f"# HELP {name} {self._help(openmetrics)}\n"]
        self.source.shuffle(lines)
        for metric in self.metrics:
            for suffix, further, value in metric.rows:
                labels = list(metric.labels.items())
                if further:
                    bound = further[1]
                    labels.append((further[0], bound if isinstance(bound, str)
                                   else spelt_bound(bound)))
                self.source.shuffle(labels)
                pairs = ",".join(f'{label}="{escape(text)}"' for label, text in labels)
                braces = f"{{{pairs}}}" if pairs else ""
                spelling = number(value, self.source)
                lines.append(f"{self.name}{suffix}{braces} {spelling}\n")
        return "".join(lines)

    def _help(self, openmetrics):
        escaped = escape(self.help)
        return escaped if openmetrics else escaped.replace('\\"', '"')

    def message(self):
        types = protobuf.messages().MetricType
        one = protobuf.messages().MetricFamily(name=self.name, help=self.help,
                                               type=types.Value(PROTOBUF_TYPES[self.kind]))
        for metric in self.metrics:
            added = one.metric.add()
            for label, text in metric.labels.items():
                added.label.add(name=label, value=text)
            rows = metric.rows
            if self.kind == "summary":
                fill_summary(added.summary, rows)
            elif self.kind.endswith("histogram"):
                fill_histogram(added.histogram, rows, self.kind == "float_histogram")
            else:
                field = PROTOBUF_TYPES[self.kind].lower()
                getattr(added, field).value = rows[0][2]
        return one


def spelt_bound(bound):
    return "+Inf" if bound == math.inf else repr(bound)


def fill_summary(summary, rows):
    for suffix, further, value in rows:
        if further:
            summary.quantile.add(quantile=further[1], value=value)
        elif suffix == "_sum":
            summary.sample_sum = value
        else:
            summary.sample_count = int(value)


def fill_histogram(histogram, rows, in_floats):
    for suffix, further, value in rows:
        if further and in_floats:
            histogram.bucket.add(upper_bound=further[1], cumulative_count_float=value)
        elif further:
            histogram.bucket.add(upper_bound=further[1], cumulative_count=int(value))
        elif suffix == "_sum":
            histogram.sample_sum = value
        elif in_floats:
            histogram.sample_count_float = value
        else:
            histogram.sample_count = int(value)


class Model:
    """What a weir holds after the pushes it was sent."""

    def __init__(self, source, formats):
        self.source, self.formats = source, formats
        self.groups = {}  # the path's labels -> {family name: family}
        self.pool = [kind for kind, able in KINDS.items() if set(able) & set(formats)
                     for _ in range(2)]

    def push(self, weir):
        source = self.source
        form = source.choice(self.formats)
        grouping = {"job": source.choice(("j", "k")), **source.choice(
            ({}, {"instance": "i"}, {"zone": "n"}))}
        numbers = [number_of for number_of, kind in enumerate(self.pool) if form in KINDS[kind]]
        chosen = source.sample(numbers, source.randrange(len(numbers) + 1))
        families = [Family(source, number_of, self.pool[number_of]) for number_of in chosen]
        method = source.choice(("PUT", "POST"))
        path = "/metrics/job/" + grouping["job"] + "".join(
            f"/{name}/{value}" for name, value in grouping.items() if name != "job")
        answer = weir.request(method, path, *encoded(form, families))
        assert answer.status == 200, f"{answer.text}\n{encoded(form, families)[0]!r}"
        group = self.groups.setdefault(frozenset(grouping.items()), {})
        if method == "PUT":
            group.clear()
        group.update((family.name, family) for family in families)

    def samples(self):
        found = {}
        for grouping, families in self.groups.items():
            for family in families.values():
                for key, value in family.samples(dict(grouping)).items():
                    found[key] = value
        return found


def encoded(form, families):
    if form == "protobuf":
        return protobuf.body(*(family.message() for family in families)), protobuf.HEADERS
    text = "".join(family.text(form == "openmetrics") for family in families)
    if form == "openmetrics":
        return text + "# EOF\n", OPENMETRICS_HEADERS
    return text, {}


def with_plain_suffixes(samples):
    """Protobuf has one name for the sum of both kinds of histogram."""
    def plain(name):
        return name.replace("_gsum", "_sum").replace("_gcount", "_count")
    return {(plain(name), labels): value for (name, labels), value in samples.items()}


@pytest.mark.parametrize("formats", [["openmetrics"], ["text", "openmetrics", "protobuf"]],
                         ids=["openmetrics", "all"])
@pytest.mark.parametrize("seed", range(ROUNDS // 2))
def test_every_page_says_the_same(shared_weir, formats, seed):
    shared_weir.request("PUT", "/api/v1/admin/wipe")
    model = Model(random.Random(f"{seed} {formats}"), formats)
    for _ in range(PUSHES):
        model.push(shared_weir)
    want = model.samples()
    text = fetch(shared_weir, "text")
    Page(text.decode())
    assert difference(exposition.text_samples(text), want) == ""
    page = fetch(shared_weir, "openmetrics")
    decode = (exposition.openmetrics_samples if formats == ["openmetrics"]
              else exposition.openmetrics_lines)
    assert difference(decode(page), want) == ""
    page = fetch(shared_weir, "protobuf")
    assert difference(exposition.protobuf_samples(page), with_plain_suffixes(want)) == ""
    is_fatal, remarks = peers.promtool(text.decode())
    assert not is_fatal, remarks


def test_json_says_it_too(shared_weir):
    """By counts: its form is another, tested with the API."""
    shared_weir.request("PUT", "/api/v1/admin/wipe")
    model = Model(random.Random(1), ["text", "openmetrics", "protobuf"])
    for _ in range(PUSHES):
        model.push(shared_weir)
    data = json.loads(shared_weir.get("/api/v1/metrics").body)["data"]
    found = {frozenset(pair for pair in group["labels"].items() if pair[1]): {
        name: len(what["metrics"]) for name, what in group.items()
        if isinstance(what, dict) and "metrics" in what and exposition.is_pushed(name)}
        for group in data}
    for grouping, families in model.groups.items():
        assert set(found[grouping]) == {exposed_name(family) for family in families.values()}


def exposed_name(family):
    return family.name + "_info" if family.kind == "info" else family.name


def test_same_layout_with_other_values(shared_weir):
    """A client pushes the same lines again and again; everything that changed must be seen."""
    for turn in (1, 2, 30, 4, 5):
        body = (f'# TYPE c counter\nc_total {turn} # {{trace_id="t"}} {turn}.5 {turn}\n'
                f"c_created {turn}00\n# TYPE h histogram\n"
                f'h_bucket{{le="+Inf"}} {turn} # {{trace_id="{turn}"}} {turn}\n'
                f"h_count {turn}\nh_sum {turn}.25\n# TYPE g gauge\ng {turn}e-3\n# EOF\n")
        assert shared_weir.put("/metrics/job/same", body, OPENMETRICS_HEADERS).status == 200
        lines = [line.replace('instance="",job="same",', "").replace(
            '{instance="",job="same"}', "")
            for line in fetch(shared_weir, "openmetrics").decode().split("\n")
            if 'job="same"' in line]
        assert set(body.split("\n")[:-2]) - {
            "# TYPE c counter", "# TYPE h histogram", "# TYPE g gauge"} <= set(lines)
        assert shared_weir.scrape().value("h_sum", job="same") == turn + 0.25
    shared_weir.delete("/metrics/job/same")


@pytest.mark.parametrize("order", [("text", "openmetrics", "text"),
                                   ("openmetrics", "text", "openmetrics")], ids="-".join)
def test_same_bytes_as_two_formats(weir, order):
    """They mean something else in each."""
    body = '# TYPE c counter\nc_total {}\n# TYPE h histogram\nh_bucket{{le="+Inf"}} {}\n# EOF\n'
    for turn, form in enumerate(order):
        headers = OPENMETRICS_HEADERS if form == "openmetrics" else {}
        assert weir.put("/metrics/job/j", body.format(turn, turn), headers).status == 200
        page = weir.scrape()
        assert page.families["c_total"].type == ("counter" if form == "openmetrics" else "untyped")
        assert page.value("c_total", job="j") == turn
        assert page.value("h_bucket", job="j", le="+Inf") == turn
        assert page.value("h_count", job="j") == (None if form == "openmetrics" else 0)


def test_same_protobuf_with_other_values(shared_weir):
    for turn in (1, 2, 30):
        pushed = protobuf.family(f"""
            name: "c_total" type: COUNTER metric {{ counter {{ value: {turn} exemplar {{
              label {{ name: "t" value: "x" }} value: {turn} timestamp {{ seconds: {turn} }} }}
              created_timestamp {{ seconds: {turn} }} }} }}""")
        assert shared_weir.put("/metrics/job/pb", protobuf.body(pushed),
                               protobuf.HEADERS).status == 200
        exposed = exposition.protobuf_families(fetch(shared_weir, "protobuf"))["c_total"]
        assert str(exposed) == str(protobuf.in_group(pushed, job="pb"))
    shared_weir.delete("/metrics/job/pb")
