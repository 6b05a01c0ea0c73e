"""Which time a report is about: a whole day, week or month of a time zone, or from and to.

A day of a time zone has 23 to 25 hours; so begin and end are found on its calendar, and all else is counted in seconds
of Unix time.
"""

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

DAYS_MAX = 400
POINTS_MAX = 200_000


class PeriodError(ValueError):
    """What was asked for is no period, for people."""


@dataclass(frozen=True)
class Period:
    """From start, exclusive, to end: so many points, of which each stands for the step before it."""

    start: int  # Unix time
    end: int
    step: int  # seconds
    zone: object

    @property
    def points(self):
        return (self.end - self.start) // self.step

    @property
    def seconds(self):
        return self.end - self.start

    def show(self, seconds, with_zone=False):
        when = datetime.fromtimestamp(seconds, self.zone)
        return when.strftime("%Y-%m-%d %H:%M") + (f" {when.tzname()}" if with_zone else "")


def zone_of(name):
    if name.upper() in ("UTC", "Z"):
        return timezone.utc
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise PeriodError(f"there is no time zone {name!r}; Europe/Berlin and UTC are such") from None


def midnight(day, zone):
    return datetime.combine(day, time(), zone)


def last_whole(unit, now, zone):
    """(begin, end) of the last day, week from Monday on, or month that is over."""
    today = datetime.fromtimestamp(now, zone).date()
    if unit == "day":
        first, last = today - timedelta(days=1), today
    elif unit == "week":
        last = today - timedelta(days=today.weekday())
        first = last - timedelta(days=7)
    else:
        last = today.replace(day=1)
        first = (last - timedelta(days=1)).replace(day=1)
    return midnight(first, zone), midnight(last, zone)


def moment(text, zone):
    """2026-11-27, 2026-11-27T08:30 or with a zone of its own, +01:00 or Z."""
    try:
        if re.fullmatch(r"\d{4}-\d\d-\d\d", text):
            return midnight(date.fromisoformat(text), zone)
        when = datetime.fromisoformat(re.sub(r"[zZ]$", "+00:00", text))
    except ValueError:
        raise PeriodError(f"{text!r} is no time; 2026-11-27, 2026-11-27T08:30 and 2026-11-27T08:30+01:00 are such") from None
    return when if when.tzinfo else when.replace(tzinfo=zone)


def period_of(unit, begin, end, now, zone, step):
    """Begin and end are texts, and count if there is no unit."""
    if unit:
        first, last = last_whole(unit, now, zone)
    else:
        first = moment(begin, zone)
        last = moment(end, zone) if end else datetime.fromtimestamp(now, zone)
    start, stop = int(first.timestamp()) // step * step, int(last.timestamp()) // step * step
    if stop > now:
        raise PeriodError(f"the end is in the future: {last.isoformat()}")
    if stop <= start:
        raise PeriodError(f"it ends ({last.isoformat()}) before it begins ({first.isoformat()}), or is shorter than a step")
    period = Period(start, stop, step, zone)
    if period.seconds > DAYS_MAX * 86400:
        raise PeriodError(f"it is longer than {DAYS_MAX} days")
    if period.points > POINTS_MAX:
        raise PeriodError(f"it has {period.points} steps, more than {POINTS_MAX}: give a longer --step")
    return period
