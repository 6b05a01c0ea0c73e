"""scripts/lib/report_*.py: periods, arithmetic and texts, on what is known."""

import html.parser
import subprocess
import sys
from datetime import datetime, timezone
from zoneinfo import ZoneInfo

import pytest

from harness import REPOSITORY

sys.path.insert(0, str(REPOSITORY / "scripts" / "lib"))

import report_figures as figures  # noqa: E402
import report_render as render  # noqa: E402
from report_period import Period, PeriodError, period_of, zone_of  # noqa: E402
from report_weir import PageSizes  # noqa: E402

UTC = timezone.utc
A, B, C = (("instance", "a"),), (("instance", "b"),), (("instance", "c"),)
NASTY = 'a|b*c_d`e<script>&"[x](y)\n# h\t~\\\x07\u202e'


def unix(text):
    return int(datetime.fromisoformat(text).timestamp())


# ---- Periods --------------------------------------------------------------------------------


@pytest.mark.parametrize("unit,now,zone,start,end", [
    ("day", "2026-11-28T00:00:00+00:00", "UTC", "2026-11-27T00:00+00:00", "2026-11-28T00:00+00:00"),
    ("day", "2026-11-27T23:30:00+00:00", "Europe/Berlin", "2026-11-27T00:00+01:00", "2026-11-28T00:00+01:00"),
    ("week", "2026-11-29T23:59:59+00:00", "UTC", "2026-11-16T00:00+00:00", "2026-11-23T00:00+00:00"),
    ("week", "2026-11-30T00:00:00+00:00", "UTC", "2026-11-23T00:00+00:00", "2026-11-30T00:00+00:00"),
    ("week", "2026-03-30T05:00:00+00:00", "Europe/Berlin", "2026-03-23T00:00+01:00", "2026-03-30T00:00+02:00"),
    ("month", "2026-03-01T00:00:00+00:00", "UTC", "2026-02-01T00:00+00:00", "2026-03-01T00:00+00:00"),
    ("month", "2026-01-15T00:00:00+00:00", "Asia/Kolkata", "2025-12-01T00:00+05:30", "2026-01-01T00:00+05:30"),
    ("day", "2026-10-26T12:00:00+00:00", "Europe/Berlin", "2026-10-25T00:00+02:00", "2026-10-26T00:00+01:00"),
])
def test_last_whole(unit, now, zone, start, end):
    period = period_of(unit, None, None, unix(now), zone_of(zone), 60)
    assert (period.start, period.end) == (unix(start), unix(end))


def test_days_are_as_long_as_they_are():
    berlin = zone_of("Europe/Berlin")
    for day, hours in (("2026-03-29", 23), ("2026-10-25", 25), ("2026-11-25", 24)):
        after = f"{day[:-2]}{int(day[-2:]) + 1}"
        assert period_of(None, day, after, unix("2026-11-28T00:00+00:00"), berlin, 60).seconds == hours * 3600


def test_from_and_to():
    now = unix("2026-11-28T10:00:30+00:00")
    assert period_of(None, "2026-11-28T08:30", None, now, UTC, 60) == Period(
        unix("2026-11-28T08:30+00:00"), unix("2026-11-28T10:00+00:00"), 60, UTC)
    period = period_of(None, "2026-11-27", "2026-11-27T08:30Z", now, ZoneInfo("Europe/Berlin"), 60)
    assert (period.start, period.end) == (unix("2026-11-26T23:00+00:00"), unix("2026-11-27T08:30+00:00"))
    assert period.points == 570 and period.show(period.start, True) == "2026-11-27 00:00 CET"


@pytest.mark.parametrize("begin,end,said", [
    ("yesterday", None, "'yesterday' is no time"), ("2026-13-01", None, "is no time"),
    ("2026-11-27", "2026-11-26", "before it begins"), ("2026-11-27T10:00", "2026-11-27T10:00:59", "shorter than a step"),
    ("2026-11-27", "2026-12-27", "in the future"), ("2020-01-01", None, "longer than 400 days"),
    ("2026-01-01", None, "give a longer --step"),
])
def test_no_period(begin, end, said):
    with pytest.raises(PeriodError, match=said):
        period_of(None, begin, end, unix("2026-11-28T00:00+00:00"), UTC, 60)
    with pytest.raises(PeriodError, match="no time zone 'Mars/North'"):
        zone_of("Mars/North")


# ---- Arithmetic -----------------------------------------------------------------------------


def test_runs():
    assert figures.runs([], 60) == []
    assert figures.runs([120, 180, 240, 360], 60) == [figures.Run(60, 240, 3), figures.Run(300, 360, 1)]


def test_availability():
    """The worst first, with the longest outage; a gap ends an outage and counts neither way."""
    rows = figures.availability({A: 10, B: 5, C: 10}, {B: [60, 120, 300], C: [60]}, 60)
    assert [row.labels for row in rows] == [B, C, A]
    assert (rows[0].ratio, rows[0].down, rows[0].outages, rows[0].longest) == (0.4, 3, 2, figures.Run(0, 120, 2))
    assert (rows[2].ratio, rows[2].outages, rows[2].longest) == (1.0, 0, None)


def test_firings():
    period = Period(0, 600, 60, UTC)
    assert figures.firings({A: [60, 120, 300], B: [480, 540, 600, 420]}, Period(0, 600, 60, UTC))[0].points == 4
    row, = figures.firings({A: [60, 120, 300]}, period)
    assert (row.times, row.points, row.is_firing) == (2, 3, False)
    assert figures.firings({A: [600]}, period)[0].is_firing


@pytest.mark.parametrize("points,from_zero,wanted", [
    ([], False, 0), ([(0, 5)], False, 0), ([(0, 5)], True, 5), ([(0, 5), (60, 9)], False, 4),
    ([(0, 5), (60, 9), (120, 2), (180, 2), (240, 3)], False, 7), ([(0, 5), (600, 5)], False, 0),
])
def test_increase(points, from_zero, wanted):
    assert figures.increase(points, from_zero) == wanted


@pytest.mark.parametrize("part,whole,text", [
    (1, 1, "100 %"), (99_999_999, 100_000_000, "99.999 %"), (1, 2, "50 %"), (0, 7, "0 %"), (2, 3, "66.666 %"),
    (1, 10**9, "<0.001 %"), (0, 0, "-"),
])
def test_percent(part, whole, text):
    assert figures.percent(part, whole) == text


@pytest.mark.parametrize("seconds,text", [
    (0, "0"), (59, "59s"), (3600, "1h"), (90061, "1d 1h 1m"), (604800, "7d"), (86405, "1d 5s")])
def test_duration(seconds, text):
    assert figures.duration(seconds) == text


def test_size():
    assert [figures.size(count) for count in (0, 999, 1000, 1_234_567, 5e15)] == [
        "0 B", "999 B", "1.0 kB", "1.2 MB", "5000.0 TB"]


def test_sizes_of_a_page():
    page = ('# HELP m h\n# TYPE m gauge\nm{instance="a",job="j"} 1\nm{instance="a\\"\\n",job="j",x="job=\\"k\\""} 2\n'
            'weir_groups{job="j"} 1\nbare 1\nn{a_job="q",job="j"} 3\n')
    sizes = PageSizes()
    for line in page.split("\n"):
        sizes.take(line)
    assert sizes.series == {("j", "a"): 1, ("j", 'a"\n'): 1, ("j", ""): 1}
    assert sizes.bytes[("j", "a")] == len('m{instance="a",job="j"} 1\n')


# ---- Texts ----------------------------------------------------------------------------------


def sections():
    table = render.Table(["Name|*", "Count>"], [[NASTY, 1], ["plain", 2]], "and 3 more <b>")
    return [render.Section(NASTY, ["See <b>http://evil.example</b> and www.evil.example", NASTY], table)]


class Reader(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.tags, self.open, self.cells, self.attributes = [], [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [name for name, _ in attrs]
        if tag not in ("meta", "br"):
            self.open.append(tag)
        if tag == "td":
            self.cells.append("")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] == "td":
            self.cells[-1] += data


def test_html_has_nothing_but_text_of_names():
    page = render.html_page(NASTY, sections())
    reader = Reader()
    reader.feed(page)
    assert reader.open == [] and reader.cells == [render.plain(NASTY), "1", "plain", "2"]
    assert set(reader.tags) == {"html", "head", "meta", "title", "style", "body", "h1", "h2", "p", "table", "thead",
                                "tbody", "tr", "th", "td"}
    assert set(reader.attributes) <= {"lang", "charset", "name", "content", "class"}
    assert "prefers-color-scheme: dark" in page and "url(" not in page and "@import" not in page


def test_markdown_is_read_as_it_is_meant():
    """Cells are where they belong, and no mark-up comes of a name."""
    text = render.markdown(NASTY, sections())
    done = subprocess.run(["cmark-gfm", "--unsafe", "-e", "table", "-e", "autolink", "-e", "strikethrough"],
                          input=text, text=True, capture_output=True, check=True)
    reader = Reader()
    reader.feed(done.stdout)
    assert reader.cells == [render.plain(NASTY), "1", "plain", "2"]
    assert set(reader.tags) == {"h1", "h2", "p", "table", "thead", "tbody", "tr", "th", "td"}
    assert "\x07" not in text and "\u202e" not in text
