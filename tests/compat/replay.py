#!/usr/bin/env python3
"""Plays the cases of cases.jsonl against a weir that runs with --web.enable-admin-api.

usage: replay.py HOST:PORT [CASES.jsonl]

Each line is one case, played on a wiped store:

    name      what it is about
    before    requests that come first and must succeed
    request   method and target          headers   further header fields
    body      or body_base64
    status    of the answer              error     how its body begins
    page      the pushed series then on the page, in any order;
              without it an error must have changed nothing
    types     TYPE of some families      helps     HELP of some families
    numeric   values are compared as numbers, not as they are spelt
    trace     whether a failed push shows in push_failure_time_seconds; without
              it: if it was inconsistent, rather than not to be read
"""

import base64
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "integration"))

from harness import Connection, wait_for  # noqa: E402
from page import Page  # noqa: E402

CASES = Path(__file__).with_name("cases.jsonl")
INCONSISTENT = "pushed metrics are invalid or inconsistent with existing metrics: "


def load(path=CASES):
    with open(path, encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def send(address, request):
    method, _, target = request["request"].partition(" ")
    body = request.get("body")
    if "body_base64" in request:
        body = base64.b64decode(request["body_base64"])
    headers = {"Connection": "close", **request.get("headers", {})}
    with Connection(address) as connection:
        return connection.exchange(method, target, body, headers)


def scrape(address):
    answer = send(address, {"request": "GET /metrics"})
    assert answer.status == 200, answer.text
    return Page(answer.text)


def wipe(address):
    assert send(address, {"request": "PUT /api/v1/admin/wipe"}).status == 202
    wait_for(lambda: not scrape(address).groups(), "the store is empty")


def samples(lines, numeric):
    """Sorted lines without comments; values by their worth if asked for."""
    split = [line.rpartition(" ")[::2] for line in lines if not line.startswith("#")]
    return sorted((series, repr(float(value)) if numeric else value) for series, value in split)


def check(address, case):
    """Raises AssertionError where weir does not do what the case says."""
    wipe(address)
    for request in case.get("before", []):
        answer = send(address, request)
        assert answer.status in (200, 202), answer.text
    before = scrape(address)
    answer = send(address, case)
    assert answer.status == case["status"], answer.body
    error = answer.body.decode()
    if "error" in case:
        assert error.startswith(case["error"]), error
    page = scrape(address)
    wanted = case.get("page", before.stored())
    numeric = case.get("numeric", False)
    assert samples(page.stored(), numeric) == samples(wanted, numeric)
    for name, wanted in case.get("types", {}).items():
        assert page.families[name].type == wanted
    for name, wanted in case.get("helps", {}).items():
        assert page.families[name].help == wanted
    if "before" not in case:
        check_trace(page, answer.status, case.get("trace", error.startswith(INCONSISTENT)))


def check_trace(page, status, has_failed):
    if status != 200 and not has_failed:
        assert page.groups() == set()
        return
    [(labels)] = page.groups()
    pushed, failed = (page.value(name, **dict(labels))
                      for name in ("push_time_seconds", "push_failure_time_seconds"))
    assert (pushed > 0, failed > 0) == (status == 200, status != 200)


def main():
    if len(sys.argv) not in (2, 3) or sys.argv[1].startswith("-"):
        print(__doc__)
        return 2
    host, _, port = sys.argv[1].rpartition(":")
    cases, failed = load(*sys.argv[2:]), 0
    for case in cases:
        try:
            check((host.strip("[]"), int(port)), case)
        except AssertionError as fault:
            failed += 1
            print(f"FAIL {case['name']}\n     {fault}")
    print(f"{len(cases) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
