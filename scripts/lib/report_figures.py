"""The arithmetic of a report: what points in time say of availability, outages, alerts and counters.

A point stands for the step that ends with it. Points are Unix times of a grid, ascending.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Run:
    """Points without a gap between them."""

    first: int  # the begin of its first step
    last: int
    points: int


@dataclass(frozen=True)
class Availability:
    labels: tuple
    observed: int  # points at which it was known how it was
    down: int
    outages: int
    longest: Run = None

    @property
    def ratio(self):
        return (self.observed - self.down) / self.observed


@dataclass(frozen=True)
class Firing:
    labels: tuple
    times: int
    points: int
    is_firing: bool  # at the end


def labels_of(metric, but=()):
    """Sorted, so that the same series has the same key whatever it is called."""
    return tuple(sorted((name, value) for name, value in metric.items() if name != "__name__" and name not in but))


def runs(times, step):
    found, first, count = [], None, 0
    for at, when in enumerate(times):
        first, count = (when, 1) if first is None else (first, count + 1)
        if at + 1 == len(times) or times[at + 1] != when + step:
            found.append(Run(first - step, when, count))
            first = None
    return found


def availability(observed, down, step):
    """Of each that was observed: {labels: count of points}, {labels: times}. The worst first."""
    rows = []
    for labels, count in observed.items():
        outages = runs(down.get(labels, []), step)
        away = min(count, sum(run.points for run in outages))
        longest = max(outages, key=lambda run: run.points, default=None)
        rows.append(Availability(labels, count, away, len(outages), longest))
    return sorted(rows, key=lambda row: (row.ratio, -(row.longest.points if row.longest else 0), row.labels))


def firings(fired, period):
    """{labels: times}. The longest first."""
    rows = []
    for labels, times in fired.items():
        found = runs(times, period.step)
        rows.append(Firing(labels, len(found), len(times), times[-1] == period.end))
    return sorted(rows, key=lambda row: (-row.points, row.labels))


def increase(points, counts_from_zero):
    """Of a counter, [(time, value)]: exactly what was counted between its points, over restarts.

    What it had at its first point was counted before; or not, if it counts from zero.
    """
    total, before = 0.0, None
    for _, value in points:
        if before is None:
            total += value if counts_from_zero else 0.0
        else:
            total += value - before if value >= before else value
        before = value
    return total


def percent(part, whole):
    """Never 100 % of what was not whole, nor 0 % of what was not nothing: cut, not rounded."""
    if whole == 0:
        return "-"
    thousandths = part * 100_000 // whole
    text = f"{thousandths // 1000}.{thousandths % 1000:03d}".rstrip("0").rstrip(".")
    return (text if part == 0 or thousandths else "<0.001") + " %"


def duration(seconds):
    parts, rest = [], int(seconds)
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60), ("s", 1)):
        if rest >= size:
            parts.append(f"{rest // size}{unit}")
            rest %= size
    return " ".join(parts[:3]) or "0"


def size(count):
    if count < 1000:
        return f"{count:.0f} B"
    for unit in ("kB", "MB", "GB", "TB"):
        count /= 1000
        if count < 1000 or unit == "TB":
            return f"{count:.1f} {unit}"
    return ""
