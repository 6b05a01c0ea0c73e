"""Weirs on one database, one after the other, and all that their pages show."""

import contextlib
import json
import os
import re
import signal
import sqlite3

import protobuf
from exposition import fetch
from harness import wait_for

ENDINGS = ["kill", "stop"]
OWN = ("weir_", "process_", "pushgateway_")


class Kept:
    """A database beside PATH, as --persistence.file=PATH names it, and the weir that uses it."""

    def __init__(self, start_weir, path, *flags):
        self.start_weir = start_weir
        self.path = path
        self.flags = flags
        self.weir = None

    @property
    def database(self):
        return self.path.with_name(self.path.name + ".weir")

    def start(self, *more, **options):
        """It has loaded what there is."""
        self.weir = self.start_weir(f"--persistence.file={self.path}", *self.flags, *more, **options)
        wait_for(lambda: self.weir.get("/-/ready").status == 200, "what is stored is loaded")
        return self.weir

    def rows(self):
        """What is in the database; nobody may have it open."""
        with contextlib.closing(sqlite3.connect(self.database)) as database:
            return database.execute("SELECT * FROM segment ORDER BY number").fetchall()

    def end(self, way="kill"):
        kill(self.weir) if way == "kill" else self.weir.stop()

    def again(self, way="kill", *more, **options):
        self.end(way)
        return self.start(*more, **options)


def kill(weir):
    """As a crash ends it."""
    weir.signal(signal.SIGKILL)
    assert weir.wait() == -signal.SIGKILL
    weir.process.stdout.close()
    weir.stop = lambda: None


def everything(weir):
    """All pages without what is weir's own, lines in their order."""
    pages = {form: without_own(form, fetch(weir, form)) for form in ("text", "openmetrics", "protobuf")}
    return {**pages, "json": weir.get("/api/v1/metrics").text}


def without_own(form, page):
    if form == "protobuf":
        return [one.SerializeToString() for one in protobuf.decode(page) if not one.name.startswith(OWN)]
    return [line for line in page.decode().splitlines()
            if not re.sub("^# (HELP|TYPE|UNIT) ", "", line).startswith(OWN)]


def own_metric(weir, name):
    return float(re.search(rf"^{name} (\S+)$", weir.get("/metrics").text, re.M)[1])


def groups(weir):
    """Per group, by instance and job: its families with their times."""
    data = json.loads(weir.get("/api/v1/metrics").text)["data"]
    return {(one["labels"].get("instance"), one["labels"]["job"]):
            {name: family["time_stamp"] for name, family in one.items()
             if isinstance(family, dict) and name != "labels"} for one in data}


def jobs(weir):
    return {job for _, job in groups(weir)}


def push(weir, target, *families):
    answer = weir.post(target, protobuf.body(*families), protobuf.HEADERS)
    assert answer.status == 200, answer.text


def overwrite(weir, count, target="/metrics/job/churn", lines=3000):
    """So much that rows die and what is still needed is written anew: about 100 KB each, compressed."""
    with weir.connect() as connection:
        for number in range(count):
            body = "".join(f'churn{{line="{line:06}",filler="{os.urandom(32).hex()}"}} {number}\n'
                           for line in range(lines))
            assert connection.exchange("PUT", target, body).status in (200, 202)
