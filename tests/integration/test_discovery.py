"""Targets as Prometheus and others discover them, and the page of each."""

import json

import pytest

import peers
from certificates import Authority, tls_config, web_config
from harness import wait_for
from targets import TARGETS, create, data
from test_auth import basic, hash_of

SD = "/api/v1/sd"


def discover(weir, query="", headers=None):
    response = weir.get(SD + query, headers)
    assert response.status == 200, response.text
    assert response.headers["content-type"] == "application/json"
    return json.loads(response.body)


def of_job(found, job):
    return [one for one in found if one["labels"]["job"] == job]


def page_of(weir, one):
    return weir.get(one["labels"]["__metrics_path__"])


@pytest.mark.smoke
def test_pushed_target(weir):
    weir.put("/metrics/job/j/instance/i", "m 1\n")
    [one] = discover(weir, headers={"Host": "weir.example:9091"})
    assert one["targets"] == ["weir.example:9091"]
    target = data(weir.get(TARGETS))["targets"][0]
    assert one["labels"] == {
        "job": "j", "instance": "i", "__scheme__": "http",
        "__metrics_path__": "/metrics/target/job/j/instance/i",
        "__meta_weir_target_id": target["id"], "__meta_weir_target_mode": "push"}
    assert weir.get("/service_discovery/targets/").body == weir.get(SD).body


def test_what_is_configured(weir):
    create(weir, {"job": "p", "instance": "i"}, mode="pull", address="10.0.0.1:9100",
           scheme="https", path="/m", scrape_interval="90s", scrape_timeout="1500ms",
           attributes={"rack": "r1", "class": "long"})
    [one] = discover(weir)
    assert one["targets"] == ["10.0.0.1:9100"]
    labels = one["labels"]
    assert (labels["__scheme__"], labels["__metrics_path__"]) == ("https", "/m")
    assert (labels["__scrape_interval__"], labels["__scrape_timeout__"]) == ("90s", "1500ms")
    assert (labels["__meta_weir_rack"], labels["__meta_weir_class"]) == ("r1", "long")


def test_filters(weir):
    create(weir, {"job": "a"}, mode="virtual", attributes={"class": "long"})
    create(weir, {"job": "b"}, mode="static", address="h")
    create(weir, {"job": "c"}, mode="virtual", enabled=False)
    for query, jobs in {
            "": "ab", "?mode=virtual": "a", "?class=long": "a", "?match[]={job=%22b%22}": "b",
            "?match[]={job=%22c%22}": "", "?job=a": "a", "?state=active": "ab"}.items():
        assert "".join(one["labels"]["job"] for one in discover(weir, query)) == jobs
    assert weir.get(SD + "?limit=1").status == 400
    assert weir.get(SD + "?match[]={").status == 400


def test_address_is_that_of_the_external_url(start_weir):
    weir = start_weir("--web.external-url=https://ex.com/weir", "--web.route-prefix=/in")
    weir.put("/in/metrics/job/j", "m 1\n")
    [one] = json.loads(weir.get("/in/api/v1/sd").body)
    assert one["targets"] == ["ex.com:443"]
    assert one["labels"]["__scheme__"] == "https"
    assert one["labels"]["__metrics_path__"] == "/weir/metrics/target/job/j"
    assert weir.get("/in/service_discovery/collector").text == "ex.com:443"


@pytest.mark.parametrize("host, address", [
    ("h:1", "h:1"), ("h", "h:80"), ("[::1]:9091", "[::1]:9091"), ("[::1]", "[::1]:80"),
    ("a/b", None), ("a b", None), ("", None), ("h:", "h:80"), ("a_b.c-d:65535", "a_b.c-d:65535"),
    (":9091", None), ("h:x", None), ("h:0", None), ("h:65536", None), ("h:+1", None), ("h:1:2", None),
    ("::1", None), ("[::1", None), ("[::1]x", None), ("[h]", None), ("[]", None), ("]:[", None),
    ("[::1]:", "[::1]:80"), ("..", None), ("-", None), ("h" * 255, "h" * 255 + ":80"),
    ("h" * 256, None),
])
def test_address_is_the_one_asked(weir, host, address):
    response = weir.get("/service_discovery/collector", {"Host": host})
    if address is None:
        assert response.status == weir.get(SD, {"Host": host}).status == 400
        assert weir.get(TARGETS, {"Host": host}).status == 200
    else:
        assert (response.status, response.text) == (200, address)


def test_who_is_gone_leaves_unless_it_pushed_regularly(weir):
    for job in ("once", "configured"):
        weir.put(f"/metrics/job/{job}", "m 1\n")
    target = next(target for target in data(weir.get(TARGETS))["targets"]
                  if target["labels"]["job"] == "configured")
    data(weir.request("PATCH", f"{TARGETS}/{target['id']}", '{"interval": "1h"}'))
    weir.delete("/metrics/job/once")
    weir.delete("/metrics/job/configured")
    [one] = discover(weir)
    assert one["labels"]["job"] == "configured"
    assert (page_of(weir, one).status, page_of(weir, one).text) == (
        503, "the target's group is gone\n")


def test_scheme_is_the_one_asked_by(start_weir, tmp_path):
    authority = Authority(tmp_path / "authority")
    path = web_config(tmp_path / "config", tls_config(authority.issue("served")))
    weir = start_weir(f"--web.config.file={path}", tls=authority.client())
    weir.put("/metrics/job/j", "m 1\n")
    [one] = discover(weir, headers={"Host": "localhost"})
    assert (one["targets"], one["labels"]["__scheme__"]) == (["localhost:443"], "https")


@pytest.mark.parametrize("method, target", [
    ("GET", TARGETS), ("POST", TARGETS), ("GET", TARGETS + "/export"), ("POST", TARGETS + "/import"),
    ("DELETE", TARGETS + "/x"), ("POST", TARGETS + "/x/heartbeat"), ("GET", SD),
    ("GET", "/service_discovery/targets/"), ("GET", "/service_discovery/hosts"),
    ("GET", "/service_discovery/collector"), ("GET", "/api/v1/rules.yml"),
    ("GET", "/metrics/target/job/j"),
])
def test_all_is_behind_the_password(guarded, method, target):
    assert guarded.request(method, target).status == 401
    allowed = guarded.request(method, target, headers=basic("alice", "secret"))
    assert allowed.status in (200, 400, 404)


@pytest.fixture(scope="module")
def guarded(start_shared_weir, tmp_path_factory):
    path = tmp_path_factory.mktemp("config") / "web.yml"
    path.write_text(f"basic_auth_users:\n  alice: {hash_of('secret')}\n")
    return start_shared_weir(f"--web.config.file={path}")


ODD = ["a/b", "..", ".", "", "a b%2Fc?d#e", "ä\"\\\n", "x" * 300]


def test_page_of_a_target_with_an_odd_name(weir):
    for value in ODD:
        create(weir, {"job": "odd", "instance": value, "key": "v"}, mode="virtual")
    found = of_job(discover(weir), "odd")
    assert len(found) == len(ODD)
    for one in found:
        assert page_of(weir, one).status == 200
    assert [one["labels"].get("instance", "") for one in found] == ODD


def test_label_that_looks_escaped_has_a_page_of_its_own(start_weir):
    """In a path it would be another label, and lead to another target."""
    weir = start_weir("--push.enable-utf8-names", "--targets.url=none")
    for name in ("a.b", "U__a_2e_b"):
        create(weir, {"job": "looks", name: "v"}, mode="virtual", attributes={"name": name})
    pages = {one["labels"]["__metrics_path__"]: page_of(weir, one).text for one in discover(weir)}
    # That of the label in quotes has no line of weir's own.
    assert sorted("name=" in text for text in pages.values()) == [False, True]


def test_page_is_the_targets_part(weir):
    weir.put("/metrics/job/j/instance/a", "# TYPE m gauge\n# HELP m Of m.\nm 1\nz 2\n")
    weir.put("/metrics/job/j/instance/b", "# TYPE m gauge\nm 3\nonly_b 1\n")
    whole = [line for line in weir.get("/metrics").text.splitlines()
             if 'instance="a"' in line]
    page = weir.get("/metrics/target/job/j/instance/a")
    assert [line for line in page.text.splitlines() if line[0] != "#"] == whole
    assert "# HELP m Of m." in page.text and "only_b" not in page.text
    assert peers.promtool(page.text)[0] is False
    target = data(weir.get(TARGETS + "?match[]={instance=%22a%22}"))["targets"][0]
    assert weir.get(f"/metrics/{target['id']}").body == page.body
    openmetrics = weir.get("/metrics/target/job/j/instance/a",
                           {"Accept": "application/openmetrics-text;version=1.0.0"})
    assert openmetrics.text.endswith("# EOF\n")
    assert weir.get("/metrics/target/job/j/instance/c").status == 404
    assert weir.get("/metrics/target/job/j/odd").status == 404
    assert weir.get("/metrics/00000000-0000-4000-8000-000000000000").status == 404


def test_page_by_the_name_of_a_host(weir):
    weir.put("/metrics/job/node/instance/10.0.0.1", "# HELP m Of m.\n# TYPE m gauge\nm 1\n")
    for path in ("/metrics/job/other/instance/10.0.0.3", "/metrics/job/node/instance/10.0.0.4/a/b"):
        weir.put(path, "m 2\n")
    create(weir, {"job": "node", "instance": "ä\"\\"}, mode="virtual")
    page = weir.get("/metrics/10.0.0.1")
    assert page.status == 200 and page.body == weir.get("/metrics/10.0.0.1/").body
    assert page.body == weir.get("/metrics/target/job/node/instance/10.0.0.1").body
    assert "# HELP m Of m." in page.text and 'm{instance="10.0.0.1",job="node"} 1' in page.text
    assert weir.get("/metrics/%C3%A4%22%5C").status == 200
    for name in ("10.0.0.3", "10.0.0.4", "10.0.0.1%00", "%FF", "00000000-0000-4000-8000-000000000000"):
        assert weir.get(f"/metrics/{name}").text == "there is no such target\n", name
    weir.delete("/metrics/job/node/instance/10.0.0.1")
    assert weir.get("/metrics/10.0.0.1").status == 503


def test_page_of_one_that_is_silent_or_disabled(weir):
    target = create(weir, {"job": "j"}, interval="1h")
    page, url = "/metrics/target/job/j", f"{TARGETS}/{target['id']}"
    assert (weir.get(page).status, weir.get(page).text) == (503, "the target is silent\n")
    weir.put("/metrics/job/j", "m 1\n")
    assert weir.get(page).status == 200
    data(weir.post(url + "/disable"))
    assert (weir.get(page).status, weir.get(page).text) == (503, "the target is disabled\n")
    data(weir.post(url + "/enable"))
    data(weir.request("PATCH", url, '{"interval": "1ms"}'))
    wait_for(lambda: weir.get(page).status == 503, "silence")
    assert 'm{instance="",job="j"} 1' in weir.get("/metrics").text


def test_hosts(weir):
    def host(job, instance, **fields):
        create(weir, {"job": job, "instance": instance}, mode="static", **fields)
    host("a", "db1:9100", address="192.0.2.1:9100")
    host("b", "db1", address="192.0.2.1")
    host("c", "192.0.2.2", address="[2001:db8::2]:80", attributes={"hostname": "db2.example"})
    host("d", "no_address", address="name:1")
    host("e", "bad name", address="192.0.2.3")
    host("f", "off", address="192.0.2.4", enabled=False)
    host("g", "192.0.2.5:9100", address="name:1", attributes={"hostname": "vnf1"})
    host("h", "192.0.2.6", address="name:1")
    host("i", "192.0.2.8\0", address="name:1", attributes={"hostname": "vnf3"})
    weir.put("/metrics/job/local/instance/local", "m 1\n")
    weir.post("/hosts", '{"ip": "192.0.2.7", "hostname": "vnf2"}')
    weir.put("/metrics/job/node/instance/192.0.2.7", "m 1\n")
    assert weir.get("/service_discovery/hosts").text == (
        "192.0.2.1\tdb1\n2001:db8::2\tdb2.example\n192.0.2.5\tvnf1\n192.0.2.7\tvnf2\n")
