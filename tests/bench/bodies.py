"""What is pushed. Every kind comes in variants that differ in their values only."""

import random
import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "integration"))

import protobuf  # noqa: E402
from page import Page, parse_labels  # noqa: E402

SMALL = """\
# TYPE batch_duration_seconds gauge
batch_duration_seconds {}
# TYPE batch_last_success_timestamp_seconds gauge
batch_last_success_timestamp_seconds {}
# TYPE batch_records_total counter
batch_records_total{{kind="read"}} {}
"""


def small():
    """Three series of three families; about 190 bytes."""
    return [SMALL.format(round(random.uniform(1, 100), 3), 1_700_000_000 + random.randrange(10**7),
                         random.randrange(10**6)).encode() for _ in range(8)]


def five():
    """Five series of three families; about 280 bytes."""
    return with_kinds("written", "skipped")


def ten():
    """Ten series of three families; about 480 bytes."""
    return with_kinds("written", "skipped", "failed", "repeated", "merged", "split", "moved")


def with_kinds(*kinds):
    return [(body.decode() + "".join(
        f'batch_records_total{{kind="{kind}"}} {random.randrange(10**6)}\n'
        for kind in kinds)).encode() for body in small()]


def one_kilobyte():
    """Sixteen series; about 1 KB."""
    return ["".join(f'queue_length{{queue="incoming-{n:02}",state="ready"}} '
                    f"{random.randrange(10**6)}\n" for n in range(16)).encode() for _ in range(8)]


def changed(page):
    """The page with another value on every line of a sample."""
    def change(found):
        value = found[2]
        if "." in value or "e" in value:
            return f"{found[1]}{float(value) * random.uniform(0.5, 1.5):.6g}"
        return f"{found[1]}{random.randrange(10 ** len(value))}"
    return re.sub(r"^([^#\n].* )([0-9.e+-]+)$", change, page, flags=re.M)


def variants(page, count=3):
    return [changed(page).encode() for _ in range(count)]


def one_series_families(count=500):
    """As many families as series."""
    return ["".join(f"# TYPE single_{n}_bytes gauge\nsingle_{n}_bytes {random.randrange(10**6)}\n"
                    for n in range(count)).encode() for _ in range(3)]


def large(series=300_000, families=300):
    """300,000 series in one body; about 22 MB."""
    each = series // families
    return [b"".join(
        f"# TYPE large_{family:03}_total counter\n".encode() + b"".join(
            b'large_%03d_total{device="disk-%06d",operation="read",zone="west"} %d.5\n'
            % (family, n, random.randrange(10**5)) for n in range(each))
        for family in range(families)) for _ in range(2)]


def wide(labels=10_000):
    """One series with 10,000 labels on its line."""
    return b"wide{" + b",".join(b'label_%d="value-%d"' % (n, n) for n in range(labels)) + b"} 1\n"


def series_of(body):
    return sum(1 for line in body.splitlines() if line and not line.startswith(b"#"))


def as_protobuf(text):
    """A text page as delimited protobuf, as a client of Go would push it."""
    return protobuf.body(*(message(family) for family in Page(text.decode()).families.values()))


def message(family):
    kinds = protobuf.messages().MetricType
    kind = {"untyped": "UNTYPED"}.get(family.type, family.type.upper())
    one = protobuf.messages().MetricFamily(name=family.name, type=kinds.Value(kind))
    if family.help is not None:
        one.help = family.help
    metrics = {}
    for line in family.lines:
        series, _, value = line.rpartition(" ")
        name, _, labels = series.partition("{")
        pairs = dict(parse_labels(labels.removesuffix("}")))
        bound = pairs.pop("le", None) or pairs.pop("quantile", None)
        key = tuple(pairs.items())
        if key not in metrics:
            metrics[key] = one.metric.add()
            for label, text in pairs.items():
                metrics[key].label.add(name=label, value=text)
        fill_metric(getattr(metrics[key], kind.lower()), kind, name, bound, float(value))
    return one


def fill_metric(content, kind, name, bound, value):
    """One line of a metric: its value, or one of the several of a summary or histogram."""
    if kind not in ("SUMMARY", "HISTOGRAM"):
        content.value = value
    elif bound is not None and kind == "SUMMARY":
        content.quantile.add(quantile=float(bound), value=value)
    elif bound is not None:
        content.bucket.add(upper_bound=float(bound), cumulative_count=int(value))
    elif name.endswith("_sum"):
        content.sample_sum = value
    else:
        content.sample_count = int(value)
