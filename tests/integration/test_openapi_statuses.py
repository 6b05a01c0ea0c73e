"""Nothing is described that does not come: each status of each operation is brought about.

Statuses that any request may have, such as 400 and 503, are those of other tests.
"""

import urllib.parse

import pytest

from openapi import description
from openapi_asked import NOBODY, ask_about_inventory, ask_about_services
from openapi_inputs import FORM
from targets import TARGETS, create

EVERYWHERE = {400, 401, 403, 408, 413, 417, 429, 431, 501, 503, 505}
# Somebody else was faster, or the database refuses a value: test_targets_postgres.py has two weirs on one.
WITH_A_DATABASE = {(name, 409) for name in ("replaceTarget", "changeTarget", "deleteTarget", "actOnTarget",
                                            "importTargets")} | {
    ("deleteTarget", 422), ("actOnTarget", 422), ("deleteHost", 409), ("deleteService", 422)}
BODIES = {"createTarget": '{"labels": {"job": "new"}}', "replaceTarget": "{}", "changeTarget": "{}"}


def operations(*tags):
    return [operation for operation in description().operations.values() if operation.said["tags"][0] in tags]


def path_of(operation, prefix="", **names):
    return prefix + operation.template.format(**{"job": "YQ", "labels": "l/v", "action": "heartbeat", "id": NOBODY, "name": "x",
                                                 "file": "style.css", **names})


def ask(weir, operation, path, body=None, **headers):
    body = BODIES.get(operation.name, "") if body is None and operation.contents() else body
    response = weir.request(operation.method, path, body, headers)
    description().check(operation.method, operation.template, response)
    return response.status


def ask_for_what_is_there(weir):
    for operation in description().operations.values():
        target = create(weir, {"job": "there", "n": operation.name}, mode="virtual")
        for front, labels in (("job/YQ", ""), ("job/YQ", "/l/v"), ("job@base64/YQ", ""), ("job@base64/YQ", "/l/v")):
            weir.put(f"/metrics/{front}{labels}")
        ask(weir, operation, path_of(operation, id=target["id"]))


def ask_for_what_is_not_there(weir):
    for operation in operations("targets"):
        ask(weir, operation, path_of(operation))
        if operation.contents():
            target = create(weir, {"job": "x", "n": operation.name})
            ask(weir, operation, path_of(operation, id=target["id"]), '{"x": 1}')
    weir.post(TARGETS, '{"labels": {"job": "twice"}}')
    weir.post(TARGETS, '{"labels": {"job": "twice"}}')
    weir.delete("/metrics/job/nobody/l/v")
    for page in ("/metrics/target/job/nobody", "/metrics/target/job/nobody/l/v", "/metrics/target/job@base64/eA",
                 "/metrics/target/job@base64/eA/l/v", f"/metrics/{NOBODY}"):
        weir.get(page)
    for operation in operations("web"):
        if "{file}" in operation.template:
            ask(weir, operation, path_of(operation, file="nothing"))


def ask_twice(weir):
    for operation in operations("web"):
        if any(said["name"] == "If-None-Match" for said in operation.parameters("header")):
            ask(weir, operation, path_of(operation), **{"If-None-Match": "*"})


def ask_for_values(weir):
    """Of what is there, and by a regular expression that takes too many steps."""
    weir.put("/metrics/job/long", f'long{{value="{"x" * 2000}"}} 1\n')
    for expression in ("long", "long{value=~`(x+)+[yz]`}"):
        query = urllib.parse.urlencode({"query": expression})
        for operation in operations("api"):
            if operation.name == "query":
                ask(weir, operation, f"{operation.template}?{query}")
            elif operation.name == "queryByForm":
                ask(weir, operation, operation.template, query, **{"Content-Type": FORM})


def ask_beside(weir, prefix):
    """By a path that has to be cleaned."""
    for operation in description().operations.values():
        if "{" in operation.template:
            front, _, last = path_of(operation, prefix).rpartition("/")
            response = weir.request(operation.method, f"{front}/./{last}", b"")
            assert response.status == (307 if prefix and operation.method != "GET" else 301), operation.name
            description().check(operation.method, operation.template, response)


@pytest.mark.smoke
def test_each_status_comes(start_weir):
    seen = description().seen
    seen.clear()
    usual = start_weir("--web.enable-admin-api")
    ask_for_what_is_there(usual)
    ask_for_what_is_not_there(usual)
    ask_twice(usual)
    ask_about_inventory(usual, description())
    ask_about_services(usual, description())
    ask_for_values(usual)
    ask_beside(usual, "")
    ask_beside(start_weir("--web.route-prefix=/w"), "/w")
    closed = start_weir("--targets.register=known")
    unchecked = start_weir("--push.disable-consistency-check")
    for operation in operations("push", "export", "process"):
        ask(closed, operation, path_of(operation))
        ask(unchecked, operation, path_of(operation))
    for method in ("PUT", "POST"):
        assert start_weir("--web.enable-lifecycle").request(method, "/-/quit", b"").status == 200
    described = {(operation.name, status) for operation in description().operations.values()
                 for status in operation.statuses() - EVERYWHERE}
    assert described - seen == WITH_A_DATABASE, (described - seen) ^ WITH_A_DATABASE
