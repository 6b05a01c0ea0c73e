"""Whether weir takes the value of a setting, by what docs/config.md says of each."""

import functools
import re

from setup_shipped import ROOT

ROW = re.compile(r"^\| `--([a-z.0-9-]+)` \| `?([^|`]*)`? \| ([^|]*) \| (?:yes|no) \|", re.M)
RANGE = re.compile(r"(\S+) (?:to (\S+)|or more)")
NANOSECONDS = {"h": 3600 * 10**9, "m": 60 * 10**9, "s": 10**9, "ms": 10**6, "us": 1000, "µs": 1000, "μs": 1000, "ns": 1}
POWERS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4}


def count(text):
    return int(text) if re.fullmatch(r"[0-9]+", text) else None


def size(text):
    found = re.fullmatch(r"([0-9]+)([kmgt]?)(i?)b?", text.lower())
    if not found or (found[3] and not found[2]) or not text.isascii():
        return None
    return int(found[1]) * (1024 if found[3] else 1000) ** POWERS[found[2]]


def duration(text):
    """In nanoseconds."""
    sign, rest = re.fullmatch(r"([-+]?)(.*)", text, re.S).groups()
    part = r"([0-9]+\.?[0-9]*|\.[0-9]+)(h|ms|m|us|µs|μs|ns|s)"
    if rest == "0":
        return 0
    if not re.fullmatch(f"(?:{part})+", rest):
        return None
    sum_ = sum(int(float(number) * NANOSECONDS[unit]) for number, unit in re.findall(part, rest))
    return -sum_ if sign == "-" else sum_


@functools.cache
def allowed():
    """{name: (default, what may stand there)}"""
    return {name: (default, values) for name, default, values in ROW.findall((ROOT / "docs" / "config.md").read_text())}


def reader_of(default, limits):
    if any(re.search(r"[0-9]i?B$|[KMGT]iB$", text) for text in (default, *limits)):
        return size
    return duration if default.endswith("s") else count


def expected_instead(name, value):
    """What it must be, when it cannot be that."""
    default, values = allowed()[name]
    found = RANGE.fullmatch(values)
    if not found:
        return None if values in ("", "text") or value in values.split(", ") else f"one of {values}"
    limits = [limit for limit in found.groups() if limit]
    read = reader_of(default, limits)
    number = read(value) if len(value) < 100 else None
    least, most = read(limits[0]), read(limits[1]) if len(limits) > 1 else 2**63 - 1
    if number is not None and least <= number <= most:
        return None
    return {count: "a whole number", size: "a size such as 64MiB", duration: "a duration such as 90s or 1h30m"}[read] \
        + f", {values}"
