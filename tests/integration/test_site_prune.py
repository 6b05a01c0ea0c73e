"""scripts/site/prune: exactly those groups go that were named, from weir and from a Pushgateway."""

import base64
import json
import re
import shutil
import time

import pytest

from harness import wait_for
from peers import Pushgateway
from sites import FakeServer, Site, reply, small_tools

VALUES = ["", "plain", "a/b", "/", "..", ".hidden", "a b", "%00%2F", "a+b", "a=b,c", "Björn", "日本",
          "😀", "<&>'",
          'quote"', "back\\slash", "line\nfeed", "\ttab", "\u2028\u0007", "-", "x" * 3000,
          "\\u0041", "{}[]:,"]


def encoded(value):
    return base64.urlsafe_b64encode(value.encode()).decode().rstrip("=") or "="


def path(job, **labels):
    return f"/metrics/job@base64/{encoded(job)}" + "".join(
        f"/{name}@base64/{encoded(value)}" for name, value in labels.items())


def in_order(groups):
    return sorted(groups, key=lambda group: sorted(group.items()))


class Gateway:
    """weir or a Pushgateway, which both list their groups as JSON."""

    def __init__(self, server):
        self.request, self.url = server.request, server.url

    def push(self, job, **labels):
        assert self.request("PUT", path(job, **labels), "a 1\n").status == 200

    def groups(self):
        """What there is once deletions are carried out, which a Pushgateway does later."""
        return in_order(group["labels"]
                        for group in json.loads(self.request("GET", "/api/v1/metrics").body)["data"])

    def wait_for(self, groups):
        wait_for(lambda: self.groups() == in_order(groups), f"{groups} are left", seconds=5)


@pytest.fixture(params=["weir", "pushgateway"])
def gateway(request, tmp_path):
    if request.param == "weir":
        yield Gateway(request.getfixturevalue("cleared_weir"))
        return
    with Pushgateway(tmp_path / "pushgateway") as server:
        wait_for(lambda: server.request("GET", "/-/ready").status == 200, "it is ready")
        yield Gateway(server)


@pytest.fixture
def pruner(gateway, tmp_path):
    return Site(tmp_path / "site", gateway.url)


def deleted(done):
    """How many it says."""
    return int(done.stdout.splitlines()[-1].rpartition(" ")[2])


def test_values_of_any_kind(gateway, pruner):
    for value in VALUES:
        gateway.push("job", v=value)
    gateway.push("other", v="a/b")
    gateway.push("job", w="x")
    everything = gateway.groups()
    done = pruner.succeed("prune", "--label=v=a/b", "--job=job", "--dry-run")
    assert done.stdout.startswith('would delete {job="job",v="a/b"}, last pushed ')
    assert deleted(done) == 1
    assert gateway.groups() == everything
    left = list(everything)
    for value in ("", "a/b", "..", "%00%2F", "日本", 'quote"', "line\nfeed", "\u2028\u0007",
                  "\\u0041"):
        done = pruner.succeed("prune", f"--label=v={value}", "--job=job")
        assert deleted(done) == 1, (value, done.stdout)
        left.remove({"job": "job", "v": value})
    gateway.wait_for(left)


def test_all_of_a_job_whatever_is_in_it(gateway, pruner):
    for value in VALUES + ["\0", "a\0b"]:
        gateway.push("job/ü", v=value, w="x")
    gateway.push("job")
    assert deleted(pruner.succeed("prune", "--job=job/ü")) == len(VALUES) + 2
    gateway.wait_for([{"job": "job"}])


def test_several_conditions_must_all_hold(gateway, pruner):
    for job in "ab":
        for instance in ("1", "2"):
            gateway.push(job, instance=instance)
    gateway.push("a")
    assert deleted(pruner.succeed("prune", "--job=a", "--instance=1")) == 1
    assert deleted(pruner.succeed("prune", "--label=instance=1", "--older-than=1h")) == 0
    assert deleted(pruner.succeed("prune", "--label=nothing=")) == 0
    gateway.wait_for([{"job": "a"}, {"job": "a", "instance": "2"}, {"job": "b", "instance": "1"},
                      {"job": "b", "instance": "2"}])
    assert deleted(pruner.succeed("prune", "--older-than=0s")) == 4
    gateway.wait_for([])
    assert pruner.succeed("prune", "--older-than=0s").stdout == "groups deleted: 0\n"


def test_selector(cleared_weir, site):
    gateway = Gateway(cleared_weir)
    for job in ("ci-1", "ci-2", "web"):
        for instance in "ab":
            gateway.push(job, instance=instance)
    site.succeed("prune", '--match={job=~"ci-.*",instance!="b"}', "--dry-run")
    assert deleted(site.succeed("prune", '--match={job=~"ci-.*",instance!="b"}')) == 2
    assert deleted(site.succeed("prune", "--match=a", "--job=ci-1")) == 1
    assert deleted(site.succeed("prune", "--match=push_time_seconds", "--older-than=1h")) == 0
    gateway.wait_for([{"job": "ci-2", "instance": "b"}, {"job": "web", "instance": "a"},
                      {"job": "web", "instance": "b"}])
    assert "parse error" in site.fail("prune", '--match={job="ci-2"')
    assert len(gateway.groups()) == 3


def test_selector_of_a_pushgateway_deletes_nothing(tmp_path):
    """It would list everything."""
    with Pushgateway(tmp_path / "pushgateway") as server:
        wait_for(lambda: server.request("GET", "/-/ready").status == 200, "it is ready")
        gateway = Gateway(server)
        gateway.push("web")
        said = Site(tmp_path / "site", server.url).fail("prune", '--match={job="ci"}')
        assert "does not know selectors (--match); nothing was deleted" in said
        assert gateway.groups() == [{"job": "web"}]


def test_group_whose_labels_a_pushgateway_does_not_tell(tmp_path):
    with Pushgateway(tmp_path / "pushgateway") as server:
        wait_for(lambda: server.request("GET", "/-/ready").status == 200, "it is ready")
        server.request("PUT", "/metrics/job/odd", "labels 1\n")
        said = Site(tmp_path / "site", server.url).fail("prune", "--older-than=0")
        assert "its labels cannot be told; it is left" in said


def test_names_of_any_kind(start_weir, tmp_path):
    weir = start_weir("--push.enable-utf8-names", "--web.route-prefix=/w")
    for name in ("U__dotted_2e_name", "U__1_5f__e9_", "U___1f600__22__5c_", "U__a__b_2e_",
                 "plain_1"):
        assert weir.put(f"/w/metrics/job/j/{name}/v", "a 1\n").status == 200
    weir.put("/w/metrics/job/k", "a 1\n")
    site = Site(tmp_path / "site", f"{weir.url}/w")
    assert deleted(site.succeed("prune", "--label=dotted.name=v")) == 1
    assert deleted(site.succeed("prune", "--job=j")) == 4
    assert [group["labels"]
            for group in json.loads(weir.get("/w/api/v1/metrics").body)["data"]] == [{"job": "k"}]


@pytest.mark.parametrize("is_escaped", [False, True])
def test_names_that_look_escaped(start_weir, tmp_path, is_escaped):
    """Where names are escaped, U__foo is foo, another group; elsewhere it is a name as any."""
    gateway = Gateway(start_weir(*["--push.enable-utf8-names"] * is_escaped))
    for name in ("foo", "U__U____foo" if is_escaped else "U__foo", "U__a_2e_b"):
        assert gateway.request("PUT", f"/metrics/job/j/{name}/v", "a 1\n").status == 200
    assert deleted(Site(tmp_path / "site", gateway.url).succeed("prune", "--label=U__foo=v")) == 1
    gateway.wait_for([{"job": "j", "foo": "v"}, {"job": "j", "a.b" if is_escaped else "U__a_2e_b": "v"}])


def test_names_that_are_not_told_of(site, listing):
    listing["body"] = listed(({"job": "a", "U__b": "c"}, "1", "0"))
    listing["answers"] = {"/api/v1/status": (403, "no")}
    assert "/api/v1/status: answered 403: no" in site.fail("prune", "--older-than=1s")
    assert listing["deleted"]() == []


def test_small_shell(cleared_weir, tmp_path):
    gateway = Gateway(cleared_weir)
    for value in VALUES:
        gateway.push("job", v=value)
    gateway.push("other")
    site = Site(tmp_path / "site", cleared_weir.url, shell=[shutil.which("busybox"), "sh"],
                path=small_tools(tmp_path / "tools"))
    assert deleted(site.succeed("prune", "--label=v=a/b")) == 1
    assert deleted(site.succeed("prune", "--job=job")) == len(VALUES) - 1
    gateway.wait_for([{"job": "other"}])


# --- a list made up for the purpose ---

def listed(*groups):
    """(labels, push time, failure time)"""
    def family(value):
        return {"time_stamp": "", "type": "GAUGE", "metrics": [{"labels": {}, "value": value}]}
    return json.dumps({"status": "success", "data": [
        {"labels": labels, "last_push_successful": True, "m": family("5"),
         **({"push_time_seconds": family(pushed)} if pushed else {}),
         **({"push_failure_time_seconds": family(failed)} if failed else {})}
        for labels, pushed, failed in groups]})


@pytest.fixture
def listing(site):
    """A server that has the list it is given, and what was deleted from it."""
    state = {"body": "", "status": 200, "delete": 202, "answers": {}}

    def answer(handler, request):
        if request.method == "DELETE":
            reply(handler, state["delete"])
        elif state["body"] is None:
            fake.hang()
        else:
            reply(handler, *state["answers"].get(request.path, (state["status"], state["body"])))

    with FakeServer(answer) as fake:
        site.variables["PUSHGATEWAY_SERVER"] = fake.url
        state["deleted"] = lambda: [request.path for request in fake.requests
                                    if request.method == "DELETE"]
        yield state


def test_age(site, listing):
    now = time.time()
    listing["body"] = listed(
        ({"job": "fresh"}, f"{now - 100:e}", "0"), ({"job": "old"}, repr(now - 1000), "0"),
        ({"job": "old-failing"}, f"{now - 5000:.9e}", f"{now:e}"),
        ({"job": "never-good"}, "0", repr(now - 10)),
        ({"job": "never-good-old"}, "0", repr(now - 5000)),
        ({"job": "unknown"}, None, None), ({"job": "future"}, repr(now + 5000), "0"))
    done = site.succeed("prune", "--older-than=15m")
    assert listing["deleted"]() == [f"/metrics/job/{job}"
                                    for job in ("old", "old-failing", "never-good-old")]
    assert re.search(r'deleted {job="old"}, last pushed (99|100)\d s ago',
                     done.stdout) and deleted(done) == 3


def test_escapes_of_json(site, listing):
    listing["body"] = (r'{"data":[{"labels":{"x":"\u003c\ud83d\ude00\ud800\"\\\/\b\f\n\r\t","job":"j\\"},'
                       '"m":{"help":"\\\\\\"}{]","metrics":[{"labels":{"job":"wrong"},"value":"1"}]}}],'
                       ' "status" : "success"}\n')
    site.succeed("prune", "--label=job=j\\")
    value = "<😀".encode() + b"\xed\xa0\x80" + b'"\\/\b\f\n\r\t'
    assert listing["deleted"]() == [f"/metrics/job@base64/{encoded('j' + chr(92))}/x@base64/"
                                    + base64.urlsafe_b64encode(value).decode().rstrip("=")]


@pytest.mark.parametrize("cut", [1, 2, 3, 40, 60])
def test_list_that_is_cut_deletes_nothing(site, listing, cut):
    listing["body"] = listed(({"job": "a"}, "1", "0"), ({"job": "b"}, "1", "0"))[:-cut]
    assert "nothing was deleted" in site.fail("prune", "--older-than=1s")
    assert listing["deleted"]() == []


@pytest.mark.parametrize("body",
                         ["", "<html></html>", "[]", '{"status":"error","error":"x"}',
                          '{"status":1}'])
def test_what_is_no_list_deletes_nothing(site, listing, body):
    listing["body"] = body
    assert "nothing was deleted" in site.fail("prune", "--older-than=1s")


@pytest.mark.parametrize("status,body,words", [
    (401, "no", "answered 401: no"), (404, "", "answered 404"),
    (503, "loading", "answered 503: loading"),
    (200, None, "timed out")])
def test_list_that_does_not_come(site, listing, status, body, words):
    listing.update(status=status, body=body)
    assert words in site.fail("prune", "--older-than=1s", "--timeout=0.5")


def test_deletions_that_fail(site, listing):
    listing.update(body=listed(({"job": "a"}, "1", "0"), ({"job": "b"}, "1", "0")), delete=503)
    said = site.fail("prune", "--older-than=1s")
    assert "could not be deleted: 2" in said and len(listing["deleted"]()) == 2


@pytest.mark.parametrize("arguments,words", [
    ([], "say what is to be deleted"), (["--dry-run"], "say what is to be deleted"),
    (["x"], "unknown option or word"),
    (["--label=a b=c"], "is no name of a label"), (["--label==c"], "a label has a name"),
    (["--older-than=1 week"], "a duration is written as"),
    (["--match=a", "--match=b"], "one --match a run")])
def test_misuse(site, listing, arguments, words):
    assert words in site.fail("prune", *arguments, code=2)
    assert listing["deleted"]() == []
