"""node_exporter's real page, pushed by curl for many instances while others delete and scrape.

Every page must be whole: valid, with all of one push for each instance that is
there, and with every instance that nobody deletes.
"""

import random
import re
import threading
import time
from collections import defaultdict
from contextlib import contextmanager

import pytest

from harness import curl
from page import Page

INSTANCES = 50
DELETED = 10  # of them, again and again, by others
SECONDS = 10
OTHERS = 5
STAMP = re.compile(r'(\w+)_stamp\{instance="(\d+)",job="node"\} (\d+)$')
GROUP = re.compile(r'instance="(\d+)",.*?job="node"')


def stamped(page, stamp):
    """The page with a family more behind every tenth, each holding the number of this push."""
    names = re.findall(r"^# TYPE (\w+) ", page, re.M)[::10]
    return page + "".join(f"# TYPE {name}_stamp gauge\n{name}_stamp {stamp}\n" for name in names)


class Pushes:
    """Pushes the page to every instance in rounds; every third round has fewer families."""

    def __init__(self, weir, exporter, directory):
        self.weir, self.exporter, self.directory = weir, exporter, directory
        self.lines_of_round = {}
        self.round = 0

    def push(self):
        page = self.exporter.page().decode()
        if self.round % 3 == 2:
            page = re.sub(r"^(# (HELP|TYPE) )?node_net.*\n", "", page, flags=re.M)
        body = stamped(page, self.round)
        series = [line for line in body.splitlines() if line and not line.startswith("#")]
        self.lines_of_round[self.round] = len(series)
        file = self.directory / "page"
        file.write_text(body)
        targets = [f"{self.weir.url}/metrics/job/node/instance/{instance}"
                   for instance in range(INSTANCES)]
        arguments = "\n".join(f'next\nrequest = "PUT"\ndata-binary = "@{file}"\nurl = "{target}"\n'
                              f'output = "/dev/null"\nwrite-out = "%{{http_code}} "'
                              for target in targets)
        codes = curl("--config", "-", data=arguments.removeprefix("next\n").encode()).split()
        assert codes == [b"200"] * INSTANCES, codes
        self.round += 1

    def check(self, text):
        """One scraped page."""
        Page(text)
        series, stamps = defaultdict(int), defaultdict(set)
        for line in text.splitlines():
            if line.startswith(("#", "push_")):
                continue
            group = GROUP.search(line)
            if group:
                series[group[1]] += 1
            stamp = STAMP.match(line)
            if stamp:
                stamps[stamp[2]].add(int(stamp[3]))
        for instance in range(DELETED, INSTANCES):
            assert str(instance) in series, f"instance {instance} is missing"
        for instance, count in series.items():
            assert len(stamps[instance]) == 1, f"instance {instance} mixes {stamps[instance]}"
            [round_] = stamps[instance]
            assert count == self.lines_of_round[round_], f"instance {instance} is incomplete"


@contextmanager
def in_background(*works):
    """Runs functions over and over until the block ends; their first fault is raised then."""
    done, faults = threading.Event(), []

    def repeat(work):
        try:
            while not done.is_set():
                work()
        except BaseException as fault:  # whatever it is, the test must see it
            faults.append(fault)

    threads = [threading.Thread(target=repeat, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        done.set()
        for thread in threads:
            thread.join()
    if faults:
        raise faults[0]


@pytest.mark.smoke
def test_page_comes_back(weir, node_exporter):
    page = node_exporter.page()
    curl("--data-binary", "@-", f"{weir.url}/metrics/job/node/instance/a", data=page)
    shown = weir.scrape()
    pushed = {key: value for key, value in Page(page.decode()).samples.items()
              if not key[0].startswith("process_")}
    assert len(pushed) > 300
    for (name, labels), value in pushed.items():
        assert shown.samples[name, labels | {("instance", "a"), ("job", "node")}] == value


def test_no_scrape_is_ever_incomplete(weir, node_exporter, tmp_path):
    pushes = Pushes(weir, node_exporter, tmp_path)
    pushes.push()
    pages = 0

    def delete():
        weir.delete(f"/metrics/job/node/instance/{random.randrange(DELETED)}")
        other = random.randrange(OTHERS)
        weir.put(f"/metrics/job/other/instance/{other}", "# TYPE node_other gauge\nnode_other 1\n")
        weir.delete(f"/metrics/job/other/instance/{random.randrange(OTHERS)}")
        time.sleep(0.01)

    def scrape():
        nonlocal pages
        compressed = ["--compressed"] if pages % 2 else []
        pushes.check(curl(*compressed, f"{weir.url}/metrics").decode())
        pages += 1

    with in_background(delete, scrape):
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            began = time.monotonic()
            pushes.push()
            time.sleep(max(0.0, began + 1 - time.monotonic()))
    assert pages >= 5
