"""What Prometheus is asked for a report.

Everything is asked on the period's grid. At a point counts a sample of the step that ends there and no older one: so
what was not scraped is a gap, not the last value for five minutes more, which a selector alone would give. What is
asked for is sparse (outages, not their absence), or is counted by Prometheus.
"""

import math

from asking import AskError
from report_figures import labels_of

POINTS_AT_ONCE = 10_000  # Prometheus answers with 11,000 of a series at most
# Of who pushes; weir says the last two of those that are due. All three are labelled as the target is.
PUSHED = '{__name__=~"push_time_seconds|weir_target_silent|weir_target_last_seen_time_seconds"}'


def labels_in(row):
    labels = labels_of(row["metric"])
    if not all(isinstance(value, str) for _, value in labels):
        raise TypeError
    return labels


def value_in(row):
    return labels_in(row), float(row["value"][1])


def values_in(row):
    return labels_in(row), [(round(float(when)), float(value)) for when, value in row["values"]]


class Prometheus:
    def __init__(self, asker, period):
        self.asker = asker
        self.period = period
        self.warnings = set()  # as of a storage that is away, so that only a part came
        self.window = f"{period.step * 1000 - 1}ms"  # without the sample at the step's begin

    def _ask(self, path, parameters, read):
        """What read makes of each row."""
        answer = self.asker.json(path, parameters)
        try:
            if answer["status"] == "success":
                self.warnings.update(str(said) for said in answer.get("warnings", ())
                                     if not str(said).startswith("PromQL info"))
                return [read(row) for row in answer["data"]["result"]]
        except (AttributeError, KeyError, OverflowError, TypeError, ValueError):
            pass
        raise AskError(f"{self.asker.url}{path}: this is not what a Prometheus answers")

    def _parts(self, has_start=False):
        """(first point, last point): of a long period in parts."""
        first = self.period.start + (0 if has_start else self.period.step)
        while first <= self.period.end:
            last = min(self.period.end, first + (POINTS_AT_ONCE - 1) * self.period.step)
            yield first, last
            first = last + self.period.step

    def now(self):
        """Whether it is there, and is one."""
        if [value for _, value in self._ask("/api/v1/query", [("query", "vector(1)")], value_in)] != [1]:
            raise AskError(f"{self.asker.url}/api/v1/query: this is not what a Prometheus answers")

    def at(self, selector):
        """The expression of its values on the grid."""
        return f"last_over_time({selector}[{self.window}])"

    def points(self, expression, has_start=False):
        """{labels: [(time, value)]} on the grid, and at the period's start if asked for."""
        found = {}
        for first, last in self._parts(has_start):
            parameters = [("query", expression), ("start", first), ("end", last), ("step", self.period.step)]
            for labels, values in self._ask("/api/v1/query_range", parameters, values_in):
                found.setdefault(labels, []).extend(values)
        return found

    def times(self, expression):
        return {labels: [when for when, _ in values] for labels, values in self.points(expression).items()}

    def counts(self, expression):
        """{labels: how many points it has on the grid}."""
        found = {}
        for first, last in self._parts():
            # Half a step more, so that it has the first point whether ranges have their begin in them or not.
            range_ms = (last - first) * 1000 + self.period.step * 500
            query = f"count_over_time(({expression})[{range_ms}ms:{self.period.step}s])"
            for labels, value in self._ask("/api/v1/query", [("query", query), ("time", last)], value_in):
                found[labels] = found.get(labels, 0) + int(value)
        return found

    def over_all(self, expression):
        """{labels: value} at the end; the expression has $range for the whole period."""
        query = expression.replace("$range", f"{self.period.seconds * 1000 - 1}ms")
        rows = self._ask("/api/v1/query", [("query", query), ("time", self.period.end)], value_in)
        return {labels: value for labels, value in rows if math.isfinite(value)}

    # ---- What a report needs ----

    def scraped(self):
        """Of those that it scrapes: how often it looked, and when they were down."""
        return self.counts(self.at("up")), self.times(f"{self.at('up')} == 0")

    def pushing(self):
        """Of those that push: when weir knew of them, and when they were silent."""
        known = f"group without () ({self.at(PUSHED)})"
        return self.counts(known), self.times(f"group without () ({self.at('weir_target_silent')})")

    def fired(self):
        return {labels_of(dict(labels), ("alertstate",)): times for labels, times in
                self.times(self.at('ALERTS{alertstate="firing"}')).items()}

    def counted(self, counter):
        """Of a counter of weir's, also what it had at the start, from which it is counted on."""
        return self.points(self.at(counter), has_start=True)

    def pushes(self):
        """Of each group, how often its push time changed from one scrape to the next."""
        return self.over_all("changes(push_time_seconds[$range])")
