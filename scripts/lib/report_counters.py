"""What each weir counted in the period: pushes, bytes, refusals, outages of what it stands on."""

from dataclasses import dataclass, field

from report_figures import increase, labels_of

# Labels by which a weir tells its counters apart; the others are whose they are.
OF_COUNTERS = ("handler", "method", "code", "reason", "quantile")
COUNTERS = {
    "pushes": 'pushgateway_http_requests_total{handler="push",code=~"2.."}',
    "bytes": "pushgateway_http_push_size_bytes_sum",
    "rejected": "weir_push_rejected_total",
    "commits that failed": "weir_state_commit_failures_total",
    "outages of the state": "weir_state_outages_total",
    "outages of the targets' database": "weir_targets_store_outages_total",
}
AWAY = {"state": "weir_state_up", "targets": "weir_targets_store_up"}


@dataclass
class WeirFigures:
    seen: int = 0  # points at which it was scraped
    first: int = None  # of them
    restarts: int = 0
    groups: int = 0  # at the end
    most_groups: int = 0
    counted: dict = field(default_factory=dict)
    reasons: dict = field(default_factory=dict)  # of rejections
    away: dict = field(default_factory=dict)  # points at which it could not use it


def whose(labels):
    return labels_of(dict(labels), OF_COUNTERS)


def gather_weirs(prometheus):
    """{labels of a weir: its figures}."""
    weirs = {}
    for labels, points in prometheus.counted("weir_groups").items():
        within = [value for when, value in points if when > prometheus.period.start]
        if within:
            weirs[labels] = WeirFigures(len(within), points[0][0], 0, int(within[-1]), int(max(within)))
    starts = prometheus.over_all("min_over_time(process_start_time_seconds[$range])")
    for labels, times in prometheus.over_all("changes(process_start_time_seconds[$range])").items():
        if labels in weirs:
            weirs[labels].restarts = int(times)
    for name, counter in COUNTERS.items():
        add_counter(prometheus, weirs, starts, name, counter)
    for name, gauge in AWAY.items():
        for labels, times in prometheus.times(f"{prometheus.at(gauge)} == 0").items():
            if labels in weirs:
                weirs[labels].away[name] = len(times)
    return weirs


def add_counter(prometheus, weirs, starts, name, counter):
    """A series that came up when its weir was known already began at zero, as did one that started within the period."""
    for labels, points in prometheus.counted(counter).items():
        weir = weirs.get(whose(labels))
        if weir is None:
            continue
        is_new = points[0][0] > weir.first or starts.get(whose(labels), 0) >= prometheus.period.start
        more = increase(points, is_new)
        weir.counted[name] = weir.counted.get(name, 0) + more
        reason = dict(labels).get("reason")
        if reason and more:
            weir.reasons[reason] = weir.reasons.get(reason, 0) + more
