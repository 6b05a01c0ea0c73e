"""What a weir is asked for a report: its targets, and how much of the page is whose."""

import re
from collections import Counter

from asking import AskError

PAGE = 10_000  # targets
LABEL = re.compile(r'[{,](job|instance)="((?:[^"\\]|\\.)*)"')
OWN = re.compile(r"(?:weir|process|pushgateway)_")


def unescape(text):
    return re.sub(r"\\(.)", lambda found: "\n" if found[1] == "n" else found[1], text)


def pusher(labels):
    return labels.get("job", ""), labels.get("instance", "")


class Weir:
    def __init__(self, asker):
        self.asker = asker

    def targets(self):
        """All of them; one that comes or goes meanwhile may be missed."""
        found, total = {}, 1
        offset = 0
        while offset < total:
            data = self.asker.json("/api/v1/targets", [("limit", PAGE), ("offset", offset)])
            try:
                total, rows = data["data"]["total"], data["data"]["targets"]
                found.update((target["id"], target) for target in rows)
                total = int(total)
            except (KeyError, TypeError, ValueError):
                raise AskError(f"{self.asker.url}/api/v1/targets: this is not what a weir answers") from None
            offset += PAGE
            if not rows:
                break
        return list(found.values())

    def page_sizes(self):
        """({(job, instance): series}, {...: bytes}) of what is on the page now."""
        try:
            page = self.asker.json("/api/v1/status")["data"]["flags"].get("web.telemetry-path", "/metrics")
        except (AttributeError, KeyError, TypeError):
            raise AskError(f"{self.asker.url}/api/v1/status: this is not what a weir answers") from None
        sizes = PageSizes()
        self.asker.each_line(str(page), sizes.take)
        return sizes.series, sizes.bytes


class PageSizes:
    """Of a page in text, line by line: however large it is."""

    def __init__(self):
        self.series, self.bytes = Counter(), Counter()

    def take(self, line):
        if line.startswith("#") or OWN.match(line):
            return
        found = dict(LABEL.findall(line))
        if "job" in found:
            key = unescape(found["job"]), unescape(found.get("instance", ""))
            self.series[key] += 1
            self.bytes[key] += len(line.encode()) + 1
