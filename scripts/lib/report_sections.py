"""What a report says, section by section, of the figures that were gathered."""

from dataclasses import dataclass, field

from asking import seconds_of
from report_figures import duration, labels_of, percent, size
from report_render import Section, Table
from report_weir import pusher

PUSH_MODE = "push"


@dataclass
class Facts:
    scraped: list  # of Availability
    pushing: list
    fired: list  # of Firing
    weirs: dict
    pushes: dict  # {labels: how often}
    targets: list = None  # as the weir lists them; None: it was not asked
    series: dict = field(default_factory=dict)  # {(job, instance): on the page}
    bytes: dict = field(default_factory=dict)
    warnings: list = field(default_factory=list)  # of Prometheus


def named(labels, but=()):
    """Cells of instance, job, and the others."""
    labels = dict(labels)
    rest = ", ".join(f"{name}={value}" for name, value in sorted(labels.items())
                     if name not in ("instance", "job", *but))
    return labels.get("instance", "-"), labels.get("job", "-"), rest or "-"


def limited(columns, rows, top, what):
    left = len(rows) - top
    return Table(columns, rows[:top], f"and {left} more {what}" if left > 0 else "")


# ---- Availability ---------------------------------------------------------------------------


def outage(row, period):
    if not row.longest:
        return "-"
    return f"{duration(row.longest.points * period.step)} from {period.show(row.longest.first)}"


def availability_row(row, period):
    return [*named(row.labels), percent(row.observed - row.down, row.observed), duration(row.down * period.step),
            row.outages, outage(row, period), percent(row.observed, period.points)]


AVAILABILITY = ["Instance", "Job", "Labels", "Available>", "Down>", "Outages>", "Longest outage", "Observed>"]


def scraped_section(facts, period, top):
    section = Section("Availability of what is scraped", [
        "Available is when a scrape went well, of the time for which there are scrapes. The worst first."])
    if not facts.scraped:
        section.texts = ["Prometheus has scraped nothing in this time."]
        return section
    rows = [availability_row(row, period) for row in facts.scraped]
    section.table = limited(AVAILABILITY, rows, top, "that are no worse")
    return section


def pushing_section(facts, period, top):
    section = Section("Availability of what pushes", [
        "Available is when it was not overdue, by its interval, of the time for which weir was scraped and knew it. "
        "The worst first."])
    states = {labels_of(target["labels"]): target["state"] for target in facts.targets or ()}
    rows = [[*availability_row(row, period), state_of(row.labels, states)] for row in facts.pushing]
    if rows:
        section.table = limited([*AVAILABILITY, "State now"], rows, top, "that are no worse")
    else:
        section.texts = ["Nobody has pushed, as far as Prometheus was told in this time."]
    known = {labels_of(target["labels"]) for target in facts.targets or () if target["mode"] == PUSH_MODE}
    unseen = known - {without_site(row.labels, known) for row in facts.pushing}
    if unseen:
        section.texts.append(f"{len(unseen)} that weir knows were not seen by Prometheus in this time.")
    return section


def without_site(labels, known):
    """Prometheus may have added a site, or more, to the labels of the target."""
    if labels in known:
        return labels
    shorter = labels_of(dict(labels), ("site",))
    return shorter if shorter in known else labels


def state_of(labels, states):
    return states.get(without_site(labels, states), "-")


# ---- Alerts ---------------------------------------------------------------------------------


def alerts_section(facts, period, top):
    section = Section("Alerts")
    if not facts.fired:
        section.texts = ["None fired."]
        return section
    rows = []
    for row in facts.fired:
        labels = dict(row.labels)
        rows.append([labels.get("alertname", "-"), labels.get("severity", "-"),
                     *named(row.labels, ("alertname", "severity")), row.times,
                     duration(row.points * period.step), "yes" if row.is_firing else "no"])
    section.texts = ["Those that fired, the longest first."]
    section.table = limited(["Alert", "Severity", "Instance", "Job", "Labels", "Times>", "Total>", "Fires at the end"],
                            rows, top, "that fired for no longer")
    return section


# ---- Pushers --------------------------------------------------------------------------------


def pushers_section(facts, top):
    section = Section("Top pushers", [
        "Pushes are those that Prometheus noticed: of several between two scrapes, one."])
    seen, total = {}, {}
    for labels, count in facts.pushes.items():
        key = pusher(dict(labels))
        seen[key] = seen.get(key, 0) + int(count)
    for target in facts.targets or ():
        key = pusher(target["labels"])
        total[key] = total.get(key, 0) + target["pushes"]
    if facts.targets is not None:
        section.texts.append("All pushes are since weir has known the target; series and bytes are those on weir's page now.")
    keys = sorted((key for key in {*seen, *total} if seen.get(key) or total.get(key)),
                  key=lambda key: (-seen.get(key, 0), -total.get(key, 0), -facts.bytes.get(key, 0), key))
    if not keys:
        section.texts = ["Nobody pushed."]
        return section
    is_asked = facts.targets is not None
    rows = [[key[0], key[1] or "-", seen.get(key, 0), *(
        [total.get(key, "-"), facts.series.get(key, 0), size(facts.bytes.get(key, 0))] if is_asked else [])]
        for key in keys]
    columns = ["Job", "Instance", "Pushes>", *(["All pushes>", "Series>", "Bytes>"] if is_asked else [])]
    section.table = limited(columns, rows, top, "that pushed no more")
    return section


def rejected_section(facts, period, top):
    section = Section("Rejected pushes")
    reasons = {}
    for weir in facts.weirs.values():
        for reason, count in weir.reasons.items():
            reasons[reason] = reasons.get(reason, 0) + count
    if reasons:
        said = ", ".join(f"{reason} {count:.0f}" for reason, count in sorted(reasons.items(), key=lambda row: -row[1]))
        section.texts = [f"By reason: {said}."]
    else:
        section.texts = ["None."]
    if facts.targets is None:
        return section
    rows = [[period.show(when), *named(target["labels"]), target["last_rejection"]["reason"]]
            for when, target in rejections(facts.targets) if period.start < when <= period.end]
    if rows:
        section.texts.append("The last one of each target, if it was in this time, the latest first.")
        section.table = limited(["Time", "Instance", "Job", "Labels", "Reason"], rows, top, "targets")
    return section


def rejections(targets):
    found = [(seconds_of(target["last_rejection"]["time"]) or 0, target) for target in targets if target["last_rejection"]]
    return sorted(found, key=lambda row: -row[0])


# ---- weir -----------------------------------------------------------------------------------


def weirs_section(facts, period):
    section = Section("weir itself")
    if not facts.weirs:
        section.texts = ["Prometheus has scraped no weir in this time."]
        return section
    names = [named(labels)[:2] for labels in facts.weirs]
    rows = []
    for title, cell in (
            ("Scraped", lambda weir: percent(weir.seen, period.points)),
            ("Restarts", lambda weir: weir.restarts),
            ("Pushes", lambda weir: number(weir, "pushes")),
            ("Bytes pushed", lambda weir: size(weir.counted.get("bytes", 0))),
            ("Rejected pushes", lambda weir: number(weir, "rejected")),
            ("Groups at the end", lambda weir: weir.groups),
            ("Groups at most", lambda weir: weir.most_groups),
            ("Commits that failed", lambda weir: number(weir, "commits that failed")),
            ("Outages of the state", lambda weir: number(weir, "outages of the state")),
            ("State away", lambda weir: duration(weir.away.get("state", 0) * period.step)),
            ("Outages of the targets' database", lambda weir: number(weir, "outages of the targets' database")),
            ("Targets' database away", lambda weir: duration(weir.away.get("targets", 0) * period.step))):
        rows.append([title, *(cell(weir) for weir in facts.weirs.values())])
    section.table = Table(["", *(f"{instance}, job {job}>" for instance, job in names)], rows)
    return section


def number(weir, name):
    return f"{weir.counted[name]:.0f}" if name in weir.counted else "-"


def sections_of(facts, period, top):
    about = Section("Time", [
        f"From {period.show(period.start, True)} to {period.show(period.end, True)}, "
        f"{duration(period.seconds)} in steps of {duration(period.step)}."])
    if facts.targets is None:
        about.texts.append("No weir was asked, so it is not said in which state targets are, why pushes were refused, "
                           "and how large they are.")
    about.texts += [f"Prometheus warns that something may be missing: {said}" for said in facts.warnings[:top]]
    return [about, scraped_section(facts, period, top), pushing_section(facts, period, top),
            alerts_section(facts, period, top), pushers_section(facts, top), rejected_section(facts, period, top),
            weirs_section(facts, period)]
