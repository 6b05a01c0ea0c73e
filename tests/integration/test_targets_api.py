"""/api/v1/targets: targets as JSON, looked at and changed."""

import gzip
import json
import uuid

import pytest

from harness import wait_for
from targets import TARGETS, create, data, error

NOBODY = f"{TARGETS}/00000000-0000-4000-8000-000000000000"


def listed(weir, query=""):
    return data(weir.get(TARGETS + query))


def labels_of(targets):
    return [target["labels"] for target in targets["targets"]]


@pytest.mark.smoke
def test_pushed_target(weir):
    weir.put("/metrics/job/j/instance/i", "m 1\n")
    weir.put("/metrics/job/j/instance/i", "m 1\nm 2\n")
    targets = listed(weir, "?resources=true")
    assert (targets["total"], targets["offset"], targets["limit"]) == (1, 0, 1000)
    target = targets["targets"][0]
    assert uuid.UUID(target["id"]).version == 8  # of its labels
    assert target["labels"] == {"job": "j", "instance": "i"}
    assert (target["mode"], target["state"], target["enabled"]) == ("push", "active", True)
    assert (target["pushes"], target["format"], target["source"]) == (1, "text", "127.0.0.1")
    assert target["configured"] is False
    assert target["first_seen"] <= target["last_seen"]
    assert "was collected before" in target["last_rejection"]["reason"]
    assert data(weir.get(f"{TARGETS}/{target['id']}")) == target


def test_create_change_delete(weir):
    target = create(weir, {"job": "j"}, attributes={"rack": "r1"}, interval="90s")
    url = f"{TARGETS}/{target['id']}"
    assert (target["state"], target["interval"], target["configured"]) == ("silent", "1m30s", True)
    changed = data(weir.request("PATCH", url, '{"attributes": {"room": "7"}, "enabled": false}'))
    assert changed["attributes"] == {"rack": "r1", "room": "7"}
    assert (changed["interval"], changed["state"]) == ("1m30s", "disabled")
    changed = data(weir.request("PATCH", url, '{"attributes": {"rack": null}}'))
    assert changed["attributes"] == {"room": "7"}
    replaced = data(weir.put(url, '{"mode": "virtual"}'))
    assert (replaced["attributes"], replaced["interval"]) == ({}, "")
    assert replaced["state"] == "active"
    assert weir.delete(url).status == 204
    error(weir.get(url), 404)
    assert listed(weir)["total"] == 0


def test_location_of_a_new_one(start_weir):
    weir = start_weir("--web.route-prefix=/w")
    response = weir.post("/w/api/v1/targets", '{"labels": {"job": "j"}}')
    location = response.headers["location"]
    assert location.startswith("/w/api/v1/targets/")
    assert data(weir.get(location)) == data(response, 201)


def test_what_is_shown_can_be_given_back(weir):
    threshold = {"name": "Hot", "metric": "temp", "op": ">=", "value": 80.5, "for": "1m0s",
                 "severity": "page"}
    target = create(weir, {"job": "j", "instance": "ä \"\\\n"}, mode="pull",
                    address="h:9100", scheme="https", path="/m", scrape_interval="30s",
                    scrape_timeout="5s", interval="1m0s", silent_after=5,
                    attributes={"a": "ü\n"}, thresholds=[threshold])
    assert target["thresholds"] == [threshold]
    assert data(weir.put(f"{TARGETS}/{target['id']}", json.dumps(target))) == target


def test_heartbeat_and_actions(weir):
    target = create(weir, {"job": "j"})
    url = f"{TARGETS}/{target['id']}"
    beaten = data(weir.post(url + "/heartbeat"))
    assert (beaten["state"], beaten["pushes"]) == ("active", 0)
    assert data(weir.post(url + "/disable"))["state"] == "disabled"
    assert data(weir.post(url + "/enable"))["state"] == "active"
    assert "nothing else" in error(weir.post(url + "/explode"), 404)
    error(weir.post(NOBODY + "/heartbeat"), 404)
    assert weir.get(url + "/heartbeat").status == 405


@pytest.mark.parametrize("query, jobs", [
    ("?match[]={job=~\"a.*\"}", ["a1", "a2"]),
    ("?match[]={job=\"b\"}&match[]={rack=\"r1\"}", ["a1", "b"]),
    ("?match[]=target_info{rack!=\"\"}", ["a1"]),
    ("?match[]=up{job=\"b\"}", []),
    ("?job=b", ["b"]),
    ("?state=disabled", ["b"]),
    ("?state=disabled&state=silent", ["a1", "a2", "b"]),
    ("?mode=virtual", ["v"]),
    ("?class=long", ["a2"]),
    ("?limit=2", ["a1", "a2"]),
    ("?limit=2&offset=2", ["b", "v"]),
    ("?offset=4", []),
    ("?limit=0", []),
])
def test_list(weir, query, jobs):
    create(weir, {"job": "a1"}, attributes={"rack": "r1"})
    create(weir, {"job": "a2"}, attributes={"class": "long"})
    create(weir, {"job": "b"}, enabled=False)
    create(weir, {"job": "v"}, mode="virtual")
    targets = listed(weir, query.replace("\"", "%22"))
    assert [labels["job"] for labels in labels_of(targets)] == jobs
    if "limit" in query or "offset" in query:
        assert targets["total"] == 4
    else:
        assert targets["total"] == len(jobs)


@pytest.mark.parametrize("query", [
    "?match[]={job=", "?match[]=%zz", "?state=dead", "?mode=x", "?limit=-1", "?limit=10001",
    "?offset=x", "?what=1", "?match[]={job=~%22(%22}",
])
def test_bad_query(weir, query):
    assert "parameter" in error(weir.get(TARGETS + query), 400)


def test_who_asks_for_no_mode_is_told_all(shared_weir):
    document = json.loads(shared_weir.get("/openapi.json").body)
    modes = document["components"]["schemas"]["Target"]["properties"]["mode"]["enum"]
    told = (error(shared_weir.get(TARGETS + "?mode=x"), 400),
            error(shared_weir.post(TARGETS, '{"labels": {"job": "j"}, "mode": "x"}'), 422))
    for sentence in told:
        assert sentence.endswith(f"has to be {', '.join(modes[:-1])} or {modes[-1]}")
    for mode in modes:
        assert data(shared_weir.get(f"{TARGETS}?mode={mode}"))["limit"] == 1000


def test_many_are_listed_in_pieces(weir):
    for i in range(0, 6000, 2000):
        lines = [json.dumps({"labels": {"job": "many", "instance": f"i{j}"}})
                 for j in range(i, i + 2000)]
        weir.post(TARGETS + "/import", "\n".join(lines))
    assert len(listed(weir, "?limit=10000")["targets"]) == 6000
    one = listed(weir, "?match[]={instance=%22i5999%22}")
    assert labels_of(one) == [{"job": "many", "instance": "i5999"}]
    page = listed(weir, "?limit=3&offset=4000")
    assert [labels["instance"] for labels in labels_of(page)] == ["i4000", "i4001", "i4002"]
    assert weir.get("/service_discovery/hosts").text == ""
    coded = weir.get(TARGETS, {"Accept-Encoding": "gzip"})
    assert json.loads(gzip.decompress(coded.body))["data"]["total"] == 6000


@pytest.mark.parametrize("body, status, says", [
    ("", 400, "no JSON"),
    ("{", 400, "no JSON"),
    ("{} {}", 400, "no JSON"),
    ("[]", 422, "object"),
    ("{}", 422, "labels"),
    ('{"labels": {"instance": "i"}}', 422, "job"),
    ('{"labels": {"job": ""}}', 422, "job"),
    ('{"labels": {"job": 1}}', 422, "string"),
    ('{"labels": {"job": "j", "job": "k"}}', 422, "twice"),
    ('{"labels": {"job": "j", "a-b": "k"}}', 422, "no name"),
    ('{"labels": {"job": "j", "__a": "k"}}', 422, "no name"),
    ('{"labels": {"job": "j"}, "labels": {"job": "j"}}', 422, "twice"),
    ('{"labels": {"job": "j"}, "wrong": 1}', 422, "no field"),
    ('{"labels": {"job": "j"}, "mode": "odd"}', 422, "mode"),
    ('{"labels": {"job": "j"}, "mode": "pull"}', 422, "address"),
    ('{"labels": {"job": "j"}, "address": "a/b"}', 422, "address"),
    ('{"labels": {"job": "j"}, "scheme": "ftp"}', 422, "scheme"),
    ('{"labels": {"job": "j"}, "path": "x"}', 422, "path"),
    ('{"labels": {"job": "j"}, "interval": "5"}', 422, "duration"),
    ('{"labels": {"job": "j"}, "interval": "-5s"}', 422, "negative"),
    ('{"labels": {"job": "j"}, "interval": "5us"}', 422, "milliseconds"),
    ('{"labels": {"job": "j"}, "interval": 5}', 422, "string"),
    ('{"labels": {"job": "j"}, "scrape_interval": "5s", "scrape_timeout": "6s"}', 422, "longer"),
    ('{"labels": {"job": "j"}, "silent_after": 1.5}', 422, "whole"),
    ('{"labels": {"job": "j"}, "enabled": "yes"}', 422, "true or false"),
    ('{"labels": {"job": "j"}, "attributes": []}', 422, "object"),
    ('{"labels": {"job": "j"}, "attributes": {"a b": "c"}}', 422, "attribute"),
    ('{"labels": {"job": "j"}, "attributes": {"job": "c"}}', 422, "label of the target"),
    ('{"labels": {"job": "j"}, "attributes": {"target_id": "c"}}', 422, "attribute"),
    ('{"labels": {"job": "j"}, "attributes": {"a": 1}}', 422, "string"),
    ('{"labels": {"job": "j"}, "id": "x"}', 422, "UUID"),
    ('{"labels": {"job": "j"}, "thresholds": [{}]}', 422, "thresholds"),
    ('{"labels": {"job": "j"}, "thresholds": [{"name": "a b"}]}', 422, "name"),
    ('{"labels": {"job": "j"}, "thresholds": [{"name": "a", "metric": "m", "value": "1"}]}', 422,
     "number"),
    ('{"labels": {"job": "j"}, "thresholds": [{"op": "=~"}]}', 422, "op"),
    ('{"labels": {"job": "\\ud800"}}', 400, "no JSON"),
])
def test_bad_target(weir, body, status, says):
    assert says in error(weir.post(TARGETS, body), status)
    assert listed(weir)["total"] == 0


def test_limits_on_sizes(start_weir):
    weir = start_weir("--targets.limit=2")
    attributes = {f"a{i}": "" for i in range(65)}
    body = json.dumps({"labels": {"job": "j"}, "attributes": attributes})
    assert "too many attributes" in error(weir.post(TARGETS, body), 422)
    body = json.dumps({"labels": {"job": "j"}, "attributes": {"a": "x" * 1025}})
    assert "too long" in error(weir.post(TARGETS, body), 422)
    error(weir.post(TARGETS, "{" + " " * 262144 + "}"), 413)
    coded = gzip.compress(b" " * 1000000)
    error(weir.post(TARGETS, coded, {"Content-Encoding": "gzip"}), 413)
    create(weir, {"job": "a"})
    create(weir, {"job": "b"})
    assert "--targets.limit" in error(weir.post(TARGETS, '{"labels": {"job": "c"}}'), 429)


def test_conflicts(weir):
    target = create(weir, {"job": "j"})
    assert target["id"] in error(weir.post(TARGETS, '{"labels": {"job": "j", "x": ""}}'), 409)
    same_id = json.dumps({"labels": {"job": "k"}, "id": target["id"]})
    error(weir.post(TARGETS, same_id), 409)
    other = json.dumps({"labels": {"job": "k"}})
    assert "do not change" in error(weir.put(f"{TARGETS}/{target['id']}", other), 422)
    error(weir.put(NOBODY, "{}"), 404)
    error(weir.delete(f"{TARGETS}/x'; DROP TABLE weir_target;--".replace(" ", "%20")), 404)


def test_images_and_collectors_are_seen_by_who_asks(weir):
    """They are kept like targets, and nothing is scraped or expected of them."""
    image = create(weir, {"job": "orwell_image", "instance": "1"}, mode="image", attributes={"name": "a"})
    create(weir, {"job": "orwell_collector", "instance": "1"}, mode="collector", interval="1ms")
    assert listed(weir)["total"] == listed(weir, "?match[]={instance=%221%22}")["total"] == 0
    assert labels_of(listed(weir, "?mode=image")) == [image["labels"]]
    assert listed(weir, "?mode=image&mode=collector")["total"] == 2
    for query in ("", "?mode=image&mode=collector"):
        assert weir.get("/api/v1/sd" + query).text == "[]\n"
        assert "orwell" not in weir.get("/api/v1/rules.yml" + query).text
    weir.put("/metrics/job/orwell_image/instance/1", "m 1\n")
    for path in (f"/metrics/{image['id']}", "/metrics/target/job/orwell_image/instance/1"):
        assert weir.get(path).status == 404
    page = weir.scrape()
    assert [page.value("weir_targets", state=state) for state in ("active", "silent")] == [0, 0]
    assert "target_info{" not in page.text and "weir_target_silent{" not in page.text
    lines = weir.get(TARGETS + "/export").text
    assert weir.delete(f"{TARGETS}/{image['id']}").status == 204
    assert data(weir.post(TARGETS + "/import", lines)) == {"created": 1, "updated": 1, "skipped": 0}


@pytest.mark.parametrize("labels", [
    {"job": "x", "instance": "1"}, {"job": "orwell_image"}, {"job": "orwell_image", "instance": "01"},
    {"job": "orwell_image", "instance": "0"}, {"job": "orwell_image", "instance": "2147483648"},
    {"job": "orwell_image", "instance": "1", "a": "b"}, {"job": "orwell_collector", "instance": "1"}])
def test_an_image_has_a_number_alone(shared_weir, labels):
    answer = shared_weir.post(TARGETS, json.dumps({"labels": labels, "mode": "image"}))
    assert (answer.status, "orwell_image" in answer.text) == (422, True)


def test_text_of_any_kind_is_data(weir):
    odd = "'; DROP TABLE weir_target; -- \u0000 \" \\ <b> 💧"
    target = create(weir, {"job": "j", "instance": odd}, attributes={"a": odd})
    shown = data(weir.get(f"{TARGETS}/{target['id']}"))
    assert (shown["labels"]["instance"], shown["attributes"]["a"]) == (odd, odd)


def test_export_and_import(start_weir):
    one, two = start_weir(), start_weir()
    create(one, {"job": "a"}, attributes={"rack": "r1"})
    create(one, {"job": "b"}, mode="virtual")
    one.put("/metrics/job/pushed", "m 1\n")
    exported = one.get(TARGETS + "/export")
    assert exported.headers["content-type"].startswith("application/x-ndjson")
    assert len(exported.text.splitlines()) == 3
    answer = data(two.post(TARGETS + "/import", exported.body))
    assert answer == {"created": 2, "updated": 0, "skipped": 1}
    again = data(two.post(TARGETS + "/import", gzip.compress(exported.body),
                          {"Content-Encoding": "gzip"}))
    assert again == {"created": 0, "updated": 2, "skipped": 1}
    lines = [line for line in exported.text.splitlines() if "pushed" not in line]
    assert two.get(TARGETS + "/export").text.splitlines() == lines


def test_import_is_all_or_nothing(weir):
    good = '{"labels": {"job": "a"}}\n'
    assert "line 3" in error(weir.post(TARGETS + "/import", good + "\n{}\n"), 422)
    assert "line 2" in error(weir.post(TARGETS + "/import", good + "{\n"), 400)
    assert listed(weir)["total"] == 0


def test_order_on_a_connection_while_an_import_takes_its_time(weir):
    lines = "\n".join(json.dumps({"labels": {"job": "many", "instance": f"i{i}"}})
                      for i in range(3000))
    with weir.connect() as connection:
        connection.request("POST", TARGETS + "/import", lines)
        connection.request("GET", TARGETS + "?limit=0")
        connection.request("POST", TARGETS + "/import", lines + "\n{}\n")
        connection.request("GET", TARGETS + "?limit=0")
        assert data(connection.response())["created"] == 3000
        assert data(connection.response())["total"] == 3000
        assert "line 3001" in error(connection.response(), 422)
        assert data(connection.response())["total"] == 3000


def test_client_that_leaves(weir):
    lines = "\n".join(json.dumps({"labels": {"job": "many", "instance": f"i{i}"}})
                      for i in range(4000))
    for request in (("POST", TARGETS + "/import", lines), ("GET", "/service_discovery/hosts"),
                    ("GET", "/api/v1/sd?match[]={a=%22b%22}"), ("GET", TARGETS)):
        with weir.connect() as connection:
            connection.request(*request)
    wait_for(lambda: listed(weir, "?limit=0")["total"] in (0, 4000), "an answer")


def test_silent_and_back(start_weir):
    weir = start_weir("--targets.silent-after=1")
    target = create(weir, {"job": "j"}, interval="100ms")
    weir.put("/metrics/job/j", "m 1\n")
    url = f"{TARGETS}/{target['id']}"
    wait_for(lambda: data(weir.get(url))["state"] == "silent", "silence")
    wait_for(lambda: weir.scrape().value("weir_targets", state="silent") == 1, "it is counted")
    data(weir.request("PATCH", url, '{"interval": "1h"}'))
    weir.put("/metrics/job/j", "m 1\n")
    assert data(weir.get(url))["state"] == "active"


def test_requests_are_counted(weir):
    weir.get(TARGETS)
    weir.request("PATCH", NOBODY, "{}")
    page = weir.scrape()
    assert page.value("pushgateway_http_requests_total", handler="api/v1/targets", method="get",
                      code="200") == 1
    assert page.value("pushgateway_http_requests_total", handler="api/v1/targets", method="patch",
                      code="404") == 1
