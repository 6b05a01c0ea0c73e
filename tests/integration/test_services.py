"""Services: made, changed, inherited from, in each database of targets."""

import contextlib
import json
import re
import sqlite3

import pytest

from harness import wait_for
from targets import TARGETS, create, data, error, wait_until_read

SERVICES = "/api/v1/services"
HOT = {"name": "Hot", "metric": "temperature", "op": ">=", "value": 80.5, "for": "1m0s", "severity": "page"}
NOTHING = {"parent": None, "image": None, "ports": None, "dependencies": None, "min_instances": None,
           "max_instances": None, "cpu": None, "memory": None, "heartbeat": None, "thresholds": []}
SHOWN = ("resolved", "inherited", "instances", "problems")


@pytest.fixture
def start_weir(start_weir):
    """What is asked at once is answered."""
    def start(*flags):
        weir = start_weir(*flags)
        wait_until_read(weir)
        return weir
    return start


def send(weir, method, service, /, **said):
    return weir.request(method, f"{SERVICES}/{service}", json.dumps(said))


def make(weir, name, **said):
    response = weir.post(SERVICES, json.dumps({"name": name, **said}))
    made = data(response, 201)
    assert response.headers["location"] == f"{SERVICES}/{name}"
    assert made["name"] == name and made["problems"] == []
    return made


def show(weir, name):
    return data(weir.get(f"{SERVICES}/{name}"))


def names(weir, query=""):
    return [service["name"] for service in data(weir.get(SERVICES + query))["services"]]


def refused(response, status, sentence):
    assert sentence in error(response, status)


# ---- One ----

@pytest.mark.smoke
@pytest.mark.parametrize("url", ["none", "sqlite:{}/targets.db"])
def test_life_of_a_service(start_weir, tmp_path, url):
    url = url.format(tmp_path)
    weir = start_weir(f"--targets.url={url}")
    plain = make(weir, "db")
    assert {name: plain[name] for name in NOTHING} == NOTHING and plain["active"]
    assert plain["instances"] == 0 and plain["inherited"] == {}
    web = make(weir, "web", image="nginx:1.25", ports=[80, "443", "53/udp"], dependencies=["db"], min_instances=2,
               max_instances=8, cpu=0.25, memory=2**53 - 1, heartbeat="90s", thresholds=[HOT], active=False)
    assert (web["ports"], web["cpu"], web["memory"], web["heartbeat"], web["active"]) == (
        ["80/tcp", "443/tcp", "53/udp"], 0.25, 2**53 - 1, "1m30s", False)
    assert web["thresholds"] == [HOT] and web["resolved"]["thresholds"] == [{**HOT, "service": "web"}]
    assert data(send(weir, "PUT", "web", **web)) == web == show(weir, "web")
    assert data(send(weir, "PATCH", "web", active=True, image=None, ports=[])) == {
        **web, "active": True, "image": None, "ports": [],
        "resolved": {**web["resolved"], "image": None, "ports": []}}
    assert data(send(weir, "PUT", "web", name="web", cpu=4)) == {
        **plain, "id": web["id"], "name": "web", "cpu": 4, "resolved": {**plain["resolved"], "cpu": 4}}
    assert names(weir) == ["db", "web"]
    if url != "none":
        shown = show(weir, "web")
        weir.stop()
        weir = start_weir(f"--targets.url={url}")
        assert show(weir, "web") == shown
    assert weir.delete(f"{SERVICES}/web").status == 204
    refused(weir.delete(f"{SERVICES}/web"), 404, "there is no such service")
    refused(weir.get(f"{SERVICES}/web"), 404, "there is no such service")
    assert names(weir) == ["db"]


def test_they_are_no_targets(weir):
    make(weir, "web", image="nginx", thresholds=[HOT], heartbeat="1h")
    assert data(weir.get(TARGETS))["total"] == 0
    kept, = data(weir.get(TARGETS + "?mode=service"))["targets"]
    assert kept["labels"] == {"job": "weir_service", "instance": "web"}
    assert kept["attributes"] == {"image": "nginx"} and kept["interval"] == "1h0m0s"
    assert json.loads(weir.get("/api/v1/sd").body) == []
    refused(weir.post(TARGETS, json.dumps({"labels": {"job": "x"}, "mode": "service"})), 422, "job weir_service")


def test_what_others_have_noted_stays(weir):
    """Attributes that are no fields, by whatever method."""
    web = make(weir, "web", image="nginx")
    url = f"{TARGETS}/{web['id']}"
    data(weir.request("PATCH", url, json.dumps({"attributes": {"team": "a"}})))
    data(send(weir, "PUT", "web", cpu=1))
    data(send(weir, "PATCH", "web", memory=1))
    assert data(weir.get(url))["attributes"] == {"team": "a", "cpu": "1", "memory": "1"}
    assert names(weir, '?match[]={team="a"}') == ["web"]


def test_lists(weir):
    for number in range(5):
        make(weir, f"s{number}", active=number != 3, image=f"i{number % 2}")
    create(weir, {"job": "s9"})
    listed = data(weir.get(SERVICES + "?limit=2&offset=1"))
    assert [service["name"] for service in listed["services"]] == ["s1", "s2"]
    assert (listed["total"], listed["offset"], listed["limit"]) == (5, 1, 2)
    assert names(weir, "?state=disabled") == ["s3"]
    assert names(weir, '?match[]={instance=~"s[12]"}&match[]={image="i0"}') == ["s0", "s1", "s2", "s4"]
    assert names(weir, "?mode=push") == []
    assert weir.get(SERVICES + "?limit=x").status == 400 and weir.get(SERVICES + "?x=1").status == 400


def test_names_in_paths(weir):
    make(weir, "a.b-C_1")
    assert show(weir, "a%2eb%2DC_1")["name"] == "a.b-C_1"
    for odd in ("A.b-C_1", "a.b-C_1%00", "%C3%A4", "a%22b", "x" * 5000, "a%20b"):
        refused(weir.get(f"{SERVICES}/{odd}"), 404, "there is no such service")
        refused(send(weir, "PUT", odd), 404, "there is no such service")
        assert weir.delete(f"{SERVICES}/{odd}").status == 404


BAD = [
    ({}, 'a "name" is needed'), ({"name": None}, '"name" has to be a name'), ({"name": ""}, '"name" has to be a name'),
    ({"name": "a b"}, '"name" has to be a name'), ({"name": "ä"}, '"name" has to be a name'),
    ({"name": "x" * 64}, '"name" has to be a name'), ({"name": "a'; DROP TABLE weir_target; --"}, "has to be a name"),
    ({"active": None}, "true or false"), ({"parent": "a,b"}, '"parent" has to be a name'),
    ({"image": "a b"}, "such as nginx:1.25"), ({"image": "x" * 256}, "up to 255"), ({"image": 1}, "has to be a string"),
    ({"ports": [0]}, "an array of ports"), ({"ports": [65536]}, "an array of ports"), ({"ports": ["80/x"]}, "of ports"),
    ({"ports": 80}, "an array of ports"), ({"ports": ["80/tcp,81/tcp"]}, "an array of ports"),
    ({"ports": [1.5]}, "an array of ports"), ({"ports": [80, "80"]}, '"80/tcp" is there twice'),
    ({"ports": list(range(1, 34))}, "32 are allowed"), ({"dependencies": ["a,b"]}, "names of services"),
    ({"dependencies": ["db", "db"]}, '"db" is there twice'), ({"dependencies": "db"}, "names of services"),
    ({"dependencies": [f"s{number}" for number in range(17)]}, "16 are allowed"),
    ({"min_instances": -1}, "from 0 to 1000000"), ({"min_instances": 1.5}, "from 0 to 1000000"),
    ({"max_instances": "1"}, "from 0 to 1000000"), ({"max_instances": 10**6 + 1}, "from 0 to 1000000"),
    ({"min_instances": 2, "max_instances": 1}, "min_instances 2 is more than max_instances 1"),
    ({"cpu": 0}, "number of cores"), ({"cpu": "1"}, "number of cores"), ({"cpu": 1e300}, "number of cores"),
    ({"memory": 0}, "number of bytes"), ({"memory": 2**60}, "number of bytes"), ({"memory": 2**53 + 1}, "of bytes"),
    ({"heartbeat": "x"}, "a duration"),
    ({"thresholds": [HOT, HOT]}, '"Hot" is there twice'), ({"thresholds": [{}]}, "need name, metric and value"),
    ({"parent": "nobody"}, "there is no service nobody"), ({"dependencies": ["nobody"]}, "there is no service nobody"),
    ({"x": 1}, '"x" is no field of a service'), ({"labels": {}}, "is no field"), ([], "has to be an object"),
]


def test_what_is_refused(shared_weir):
    make(shared_weir, "kept", cpu=1)
    before = shared_weir.get(TARGETS + "/export").body
    for said, sentence in BAD:
        whole = said if not isinstance(said, dict) or "name" in said or said == {} else {"name": "new", **said}
        refused(shared_weir.post(SERVICES, json.dumps(whole)), 422, sentence)
        if isinstance(said, dict) and said and "name" not in said:
            refused(send(shared_weir, "PATCH", "kept", **said), 422, sentence)
    refused(send(shared_weir, "PUT", "kept", name="other"), 422, "does not change")
    refused(shared_weir.post(SERVICES, "{"), 400, "no JSON")
    refused(shared_weir.post(SERVICES, '{"name": "a", "name": "b"}'), 422, "is there twice")
    refused(shared_weir.post(SERVICES, '{"name": "kept"}'), 409, "there is a service of this name already")
    refused(shared_weir.post(SERVICES, " " * 300000), 413, "too many bytes")
    assert shared_weir.get(TARGETS + "/export").body == before
    assert shared_weir.delete(f"{SERVICES}/kept").status == 204


def test_a_target_in_its_place(weir):
    """Somebody pushes by the labels that a service would have."""
    weir.put("/metrics/job/weir_service/instance/web", "m 1\n")
    refused(weir.post(SERVICES, '{"name": "web"}'), 409, "a target that is no service has the labels")
    refused(weir.get(f"{SERVICES}/web"), 404, "no such service")


# ---- Several ----

@pytest.mark.smoke
def test_inheritance(weir):
    make(weir, "db")
    base = make(weir, "base", image="debian", ports=[80], dependencies=["db"], min_instances=1, heartbeat="1m",
                cpu=0.5, thresholds=[HOT, {**HOT, "name": "Full"}])
    make(weir, "middle", parent="base", max_instances=4)
    web = make(weir, "web", parent="middle", ports=[], min_instances=2, thresholds=[{**HOT, "value": 1}])
    assert (web["image"], web["ports"], web["dependencies"]) == (None, [], None)
    assert web["resolved"] == {
        "image": "debian", "ports": [], "dependencies": ["db"], "min_instances": 2, "max_instances": 4, "cpu": 0.5,
        "memory": None, "heartbeat": "1m0s", "thresholds": [
            {**HOT, "value": 1, "service": "web"}, {**HOT, "name": "Full", "service": "base"}]}
    assert web["inherited"] == {"image": "base", "dependencies": "base", "max_instances": "middle", "cpu": "base",
                                "heartbeat": "base"}
    assert data(send(weir, "PUT", "web", **web)) == web
    data(send(weir, "PATCH", "base", image="alpine"))
    assert show(weir, "web")["resolved"]["image"] == "alpine"
    assert data(send(weir, "PATCH", "web", parent=None))["resolved"]["image"] is None
    assert base["inherited"] == {}


def test_circles(weir):
    make(weir, "a")
    make(weir, "b", dependencies=["a"])
    make(weir, "c", dependencies=["b"], parent="a")
    before = data(weir.get(SERVICES))
    refused(send(weir, "PATCH", "a", dependencies=["c"]), 409, "dependencies would be a circle: a -> c -> b -> a")
    refused(send(weir, "PUT", "a", dependencies=["a"]), 409, "would be a circle: a -> a")
    refused(send(weir, "PATCH", "a", parent="c"), 409, "parents would be a circle: a -> c -> a")
    refused(weir.post(SERVICES, '{"name": "d", "parent": "d"}'), 409, "parents would be a circle: d -> d")
    refused(weir.post(SERVICES, '{"name": "d", "dependencies": ["d"]}'), 409, "would be a circle: d -> d")
    refused(send(weir, "PATCH", "c", dependencies=["b", "c"]), 409, "c -> c")
    assert data(weir.get(SERVICES)) == before
    make(weir, "heir", parent="a")
    make(weir, "user", dependencies=["heir"])
    refused(send(weir, "PATCH", "a", dependencies=["user"]), 409, "heir, which inherits those of a")
    data(send(weir, "PATCH", "heir", dependencies=[]))
    assert data(send(weir, "PATCH", "a", dependencies=["user"]))["problems"] == []


def test_fewer_at_most_than_at_least(weir):
    make(weir, "base", min_instances=2)
    make(weir, "many", min_instances=9)
    make(weir, "web", parent="base", max_instances=4)
    sentence = "web: min_instances 5 is more than max_instances 4"
    refused(send(weir, "PATCH", "base", min_instances=5), 422, sentence)
    refused(send(weir, "PATCH", "web", min_instances=5), 422, sentence)
    refused(send(weir, "PATCH", "web", parent="many"), 422, "min_instances 9 is more than max_instances 4")
    refused(send(weir, "PATCH", "base", parent="many", min_instances=None), 422, "min_instances 9")
    data(send(weir, "PATCH", "base", min_instances=4))


def test_what_is_needed_stays(weir):
    make(weir, "base")
    make(weir, "db", parent="base")
    make(weir, "web", dependencies=["db"])
    refused(weir.delete(f"{SERVICES}/base"), 409, "the service db inherits from it")
    refused(weir.delete(f"{SERVICES}/db"), 409, "the service web depends on it")
    for name in ("web", "db", "base"):
        assert weir.delete(f"{SERVICES}/{name}").status == 204


def test_export_and_import(start_weir, tmp_path):
    weir = start_weir()
    make(weir, "base", image="debian", thresholds=[HOT])
    make(weir, "web", parent="base", ports=[], dependencies=["base"], heartbeat="5s", active=False)
    other = start_weir(f"--targets.url=sqlite:{tmp_path / 'other.db'}")
    lines = weir.get(TARGETS + "/export").body.splitlines(keepends=True)
    data(other.post(TARGETS + "/import", b"".join(reversed(lines))))  # the heir before its parent
    for name in ("base", "web"):
        assert show(other, name) == show(weir, name)


def test_many_at_once(weir):
    """Each looks when it is its turn: of two halves of a circle one is refused."""
    for number in range(10):
        make(weir, f"s{number}")
    with contextlib.ExitStack() as stack:
        connections = [stack.enter_context(weir.connect()) for _ in range(10)]
        for number, connection in enumerate(connections):
            connection.request("PATCH", f"{SERVICES}/s{number}",
                               json.dumps({"dependencies": [f"s{(number + 1) % 10}"]}))
        statuses = sorted(connection.response().status for connection in connections)
    assert statuses == [200] * 9 + [409]
    assert all(service["problems"] == [] for service in data(weir.get(SERVICES))["services"])


# ---- Instances ----

def active(weir):
    """By the page; services that are not active have no series."""
    return {name: int(value) for name, value in re.findall(
        r'^weir_service_active_instances\{.*service="(.+)"\} (\d+)$', weir.get("/metrics").text, re.M)}


@pytest.mark.smoke
def test_instances(weir):
    make(weir, "base", active=False)
    make(weir, "web")
    make(weir, "db")
    weir.put("/metrics/job/j/instance/a/service/web", "m 1\n")
    weir.put("/metrics/job/j/instance/b/service/nobody", "m 1\n")
    other = create(weir, {"job": "j", "instance": "c"}, mode="virtual", attributes={"service": "web"})
    create(weir, {"job": "j", "instance": "d"}, attributes={"service": "web"})  # never pushed
    assert show(weir, "web")["instances"] == 2 and show(weir, "db")["instances"] == 0
    assert active(weir) == {"web": 2, "db": 0}
    url = f"{TARGETS}/{other['id']}"
    data(weir.post(f"{url}/disable"))
    assert active(weir) == {"web": 1, "db": 0}
    data(weir.request("PATCH", url, json.dumps({"enabled": True, "attributes": {"service": "db"}})))
    assert active(weir) == {"web": 1, "db": 1}
    weir.delete("/metrics/job/j/instance/a/service/web")
    assert weir.delete(url).status == 204
    assert active(weir) == {"web": 0, "db": 0}
    data(send(weir, "PATCH", "db", active=False))
    assert weir.delete(f"{SERVICES}/web").status == 204
    assert active(weir) == {}


def test_who_pushes_counts_of_instances_knows_better(weir):
    make(weir, "web")
    make(weir, "db")
    pushed = weir.put("/metrics/job/orchestrator", "# TYPE weir_service_active_instances gauge\n"
                                                   'weir_service_active_instances{service="web"} 7\n')
    assert pushed.status == 200
    assert active(weir) == {"web": 7, "db": 0}


def test_a_heartbeat_makes_silent(start_weir):
    """Where nothing is configured for the target itself."""
    weir = start_weir("--targets.silent-after=1")
    make(weir, "base", heartbeat="1h")
    make(weir, "web", parent="base")
    weir.put("/metrics/job/j/instance/a/service/web", "m 1\n")
    own = create(weir, {"job": "j", "instance": "b", "service": "web"}, interval="1h")
    data(weir.post(f"{TARGETS}/{own['id']}/heartbeat"))
    assert weir.get("/metrics").text.count("\nweir_target_last_seen_time_seconds{") == 2
    states = lambda: [target["state"] for target in data(weir.get(TARGETS))["targets"]]  # noqa: E731
    assert states() == ["active", "active"]
    data(send(weir, "PATCH", "base", heartbeat="1ms"))
    wait_for(lambda: states() == ["silent", "active"], "the instance is late")
    wait_for(lambda: show(weir, "web")["instances"] == 1, "it is counted so")
    data(send(weir, "PATCH", "web", active=False))
    wait_for(lambda: states() == ["active", "active"], "nobody waits for it")
    wait_for(lambda: show(weir, "web")["instances"] == 2, "it is counted so")


# ---- What was written by hand ----

def test_rows_that_are_wrong(start_weir, tmp_path):
    """They are told of, and harm nothing; each can be mended."""
    path = tmp_path / "targets.db"
    weir = start_weir(f"--targets.url=sqlite:{path}")
    for name in ("a", "b", "c", "d"):
        make(weir, name)
    weir.stop()
    said = {"a": {"dependencies": "b", "parent": "b", "image": "'; DROP TABLE weir_target; --"},
            "b": {"dependencies": "a", "parent": "a", "image": "nginx"},
            "c": {"min_instances": "5", "max_instances": "1", "ports": "x", "dependencies": "gone"},
            "d": {"parent": "lost", "cpu": "0.5"}}
    with contextlib.closing(sqlite3.connect(path)) as database, database:
        for name, attributes in said.items():
            database.execute("UPDATE weir_target SET attributes = ? WHERE instance = ?",
                             (json.dumps(attributes), name))
        database.execute("INSERT INTO weir_target (job, instance, mode) VALUES ('weir_service', 'no name', 'service')")
    weir = start_weir(f"--targets.url=sqlite:{path}")
    shown = {service["name"]: service for service in data(weir.get(SERVICES))["services"]}
    assert shown["a"]["resolved"]["image"] == "nginx" and shown["a"]["image"] is None
    assert shown["a"]["problems"] == [
        "image is not understood, and counts as not set", "its parents are a circle: a -> b -> a",
        "its dependencies are a circle: a -> b -> a"]
    assert shown["c"]["problems"] == [
        "ports is not understood, and counts as not set", "there is no service gone, on which it depends",
        "min_instances 5 is more than max_instances 1"]
    assert shown["d"]["problems"] == ["there is no service lost, the parent of d"]
    assert shown["d"]["resolved"]["cpu"] == 0.5
    assert set(shown) == set(said) and "of no use" in weir.stderr()
    assert data(send(weir, "PATCH", "c", active=False))["problems"] == shown["c"]["problems"]
    refused(send(weir, "PATCH", "c", max_instances=2), 422, "min_instances 5 is more than max_instances 2")
    assert data(send(weir, "PUT", "c", max_instances=2))["problems"] == []
    data(send(weir, "PATCH", "a", parent=None, dependencies=[], image=None))
    assert all(show(weir, name)["problems"] == [] for name in "ab")


def test_rows_with_thresholds_twice(start_weir, tmp_path):
    """The first of a name counts, and what is shown is taken back."""
    path = tmp_path / "targets.db"
    weir = start_weir(f"--targets.url=sqlite:{path}")
    make(weir, "web")
    weir.stop()
    with contextlib.closing(sqlite3.connect(path)) as database, database:
        database.execute("UPDATE weir_target SET thresholds = ?",
                         (json.dumps([HOT, {**HOT, "name": "Cold"}, {**HOT, "value": 90}]),))
    weir = start_weir(f"--targets.url=sqlite:{path}")
    shown = show(weir, "web")
    assert shown["thresholds"] == [HOT, {**HOT, "name": "Cold"}]
    assert shown["resolved"]["thresholds"] == [{**threshold, "service": "web"} for threshold in shown["thresholds"]]
    assert shown["problems"] == ["of the thresholds of the name Hot only the first counts"]
    assert data(send(weir, "PUT", "web", **shown)) == {**shown, "problems": []}


@pytest.mark.smoke
def test_in_postgres(start_weir, postgres):
    """What is written there is seen; while it is away nothing changes."""
    weir = start_weir(f"--targets.url={postgres.url}")
    wait_for(lambda: weir.scrape().value("weir_targets_store_up") == 1, "the database is used")
    make(weir, "db", image="postgres")
    make(weir, "web", dependencies=["db"], min_instances=1, max_instances=3)
    assert postgres.rows("SELECT instance, attributes->>'dependencies' FROM weir_target WHERE mode = 'service' "
                         "ORDER BY 1") == [("db", ""), ("web", "db")]
    postgres.ask("""UPDATE weir_target SET attributes = '{"dependencies": "web", "image": "x"}'
                    WHERE instance = 'db'""")
    wait_for(lambda: show(weir, "db")["image"] == "x", "the row is seen")
    assert show(weir, "web")["problems"] == ["its dependencies are a circle: web -> db -> web"]
    postgres.ask("UPDATE weir_target SET attributes = attributes || '{\"min_instances\": \"7\"}' "
                 "WHERE instance = 'web'")
    wait_for(lambda: len(show(weir, "web")["problems"]) == 2, "the range is seen")
    assert show(weir, "web")["problems"][1] == "min_instances 7 is more than max_instances 3"
    data(send(weir, "PATCH", "web", dependencies=[], min_instances=3))
    data(send(weir, "PATCH", "db", dependencies=[]))
    assert show(weir, "web")["problems"] == show(weir, "db")["problems"] == []
    other = start_weir(f"--targets.url={postgres.url}")
    assert show(other, "web")["min_instances"] == 3
    shown = show(weir, "web")
    postgres.stop()
    for response in (weir.post(SERVICES, '{"name": "new"}'), send(weir, "PATCH", "web", cpu=2),
                     weir.delete(f"{SERVICES}/web")):
        refused(response, 503, "targets cannot be stored at present")
        assert response.headers["retry-after"] == "1"
    assert show(weir, "web") == shown
    postgres.start()
    wait_for(lambda: send(weir, "PATCH", "web", cpu=2).status == 200, "it is back")
