"""Reads a page of the text format 0.0.4, and insists that it is valid and well ordered.

Deliberately stricter than Prometheus: every family once, with its TYPE, in the
order of names; labels sorted; no label and no series twice.
"""

import re

LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)",?')
SUFFIXES = {
    "histogram": ("_bucket", "_sum", "_count", "_gsum", "_gcount"),
    "summary": ("", "_sum", "_count"),
}
OWN = ("weir_", "pushgateway_", "process_")


def unescape(text):
    return re.sub(r"\\(.)", lambda found: "\n" if found[1] == "n" else found[1], text)


def parse_labels(text):
    """`a="b",c="d"` as a list of pairs."""
    pairs, at = [], 0
    while at < len(text):
        found = LABEL.match(text, at)
        assert found, f"labels not readable at {text[at:at + 40]!r}"
        pairs.append((found[1], unescape(found[2])))
        at = found.end()
    return pairs


class Family:
    def __init__(self, name):
        self.name = name
        self.type = None
        self.help = None
        self.lines = []

    def owns(self, sample_name):
        suffixes = SUFFIXES.get(self.type, ("",))
        return any(sample_name == self.name + suffix for suffix in suffixes)


class Page:
    def __init__(self, text, in_order=True):
        assert text == "" or text.endswith("\n"), f"page is cut: {text[-80:]!r}"
        self.text = text
        self.families = {}
        self.samples = {}  # (name, label pairs sorted) -> value as printed
        self._family = None
        self._in_order = in_order
        for line in text.split("\n")[:-1]:
            if line.startswith("#"):
                self._comment(line)
            else:
                self._sample(line)
        names = list(self.families)
        assert not in_order or names == sorted(names, key=str.encode), (
            "families are not in the order of their names")
        for family in self.families.values():
            assert family.type and family.lines, f"family {family.name} lacks its TYPE or samples"

    def _comment(self, line):
        _, keyword, name, rest = (line + " ").split(" ", 3)
        if self._family is None or self._family.name != name:
            assert name not in self.families, f"family {name} comes twice"
            self._family = self.families[name] = Family(name)
        family = self._family
        assert not family.lines, f"{line!r} stands behind samples"
        key = {"HELP": "help", "TYPE": "type"}[keyword]
        assert getattr(family, key) is None, f"second {line!r}"
        setattr(family, key, rest[:-1])

    def _sample(self, line):
        series, _, value = line.rpartition(" ")
        float(value)
        name, brace, labels = series.partition("{")
        if brace:
            assert labels.endswith("}"), line
            labels = labels[:-1]
        assert self._family and self._family.owns(name), f"outside its family: {line!r}"
        pairs = parse_labels(labels)
        names = [label for label, _ in pairs]
        assert len(set(names)) == len(names), f"a label twice: {line!r}"
        if self._in_order and not name.startswith(OWN):
            assert names == sorted(names), f"labels not sorted: {line!r}"
        # To Prometheus an empty label is no label: it tells no series apart.
        key = name, frozenset(pair for pair in pairs if pair[1])
        assert key not in self.samples, f"series twice: {line!r}"
        self.samples[key] = value
        self._family.lines.append(line)

    def value(self, name, **labels):
        """The value of exactly that series, or None. Empty labels may be left out."""
        wanted = frozenset((key, value) for key, value in labels.items() if value)
        found = self.samples.get((name, wanted))
        return None if found is None else float(found)

    def total(self, name, **labels):
        """The sum over the series of that name that have all those labels."""
        wanted = set(labels.items())
        return sum(float(value) for (sample, have), value in self.samples.items()
                   if sample == name and wanted <= have)

    def groups(self):
        """The grouping labels of every group, without empty ones."""
        return {labels for name, labels in self.samples if name == "push_time_seconds"}

    def pushed(self):
        """The lines that come from pushes, comments included: all but weir's own families."""
        def pushed_line(line):
            name = line.split(" ")[2] if line.startswith("#") else line
            return not name.startswith(OWN)
        return [line for line in self.text.split("\n") if line and pushed_line(line)]

    def stored(self):
        """pushed() without the times of the pushes."""
        return [line for line in self.pushed()
                if not line.removeprefix("# HELP ").removeprefix("# TYPE ").startswith(
                    ("push_time_seconds", "push_failure_time_seconds"))]
