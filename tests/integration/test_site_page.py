"""scripts/site/push-page: what an exporter shows is pushed, and never what it showed before."""

import json
import os
import shutil
import signal
import socket
import stat
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

import pytest

from certificates import Authority, tls_config, web_config
from harness import DEADLINE, wait_for
from page import Page
from sites import SCRIPTS, FakeServer, Site, reply, small_tools
from test_auth import basic, hash_of

GROUP = {"job": "node-exporter", "instance": "10.0.0.1"}
GOOD = "# TYPE speed gauge\nspeed 3\n"


@pytest.fixture
def weir(cleared_weir):
    return cleared_weir


@pytest.fixture
def exporter():
    """One that does what its path says."""
    def answer(handler, request):
        kind = request.path.split("?")[0].strip("/")
        if kind == "hang":
            fake.hang()
        elif kind == "slow":
            time.sleep(0.2)
            reply(handler, body=GOOD)
        elif kind == "half":
            reply(handler, body=GOOD, length=1000)
        elif kind == "cut":
            reply(handler, body=GOOD + "speed_lim", length="none")
        elif kind == "many":
            reply(handler, body="".join(f'many{{n="{n}"}} {n}\n' for n in range(5000)))
        elif kind == "query":
            reply(handler, body=f'query{{text={json.dumps(request.path)}}} 1\n')
        else:
            status, body = {"good": (200, GOOD), "500": (500, "out of order\n"), "empty": (200, ""),
                            "204": (204, ""), "html": (200, "<html>\n<body>\n"),
                            "other": (200, "# TYPE other gauge\nother 1\n")}[kind]
            reply(handler, status, body)

    with FakeServer(answer) as fake:
        yield fake


def families(weir):
    return {name for name, _ in weir.scrape().samples
            if not name.startswith(("weir_", "pushgateway_", "process_", "push_time",
                                    "push_failure"))}


def shown(weir, name):
    return weir.scrape().value(name, **GROUP)


@pytest.mark.smoke
def test_node_exporter(weir, site, node_exporter):
    assert site.succeed("push-page", f"{node_exporter.url}/metrics").stderr == ""
    page = weir.scrape()
    there = {name for name, _ in Page(node_exporter.page().decode()).samples
             if not name.startswith("process_")}
    assert len(there) > 200 and there <= {name for name, labels in page.samples
                                          if ("instance", "10.0.0.1") in labels}
    assert page.value("push_source_up", **GROUP) == 1
    assert 0 <= page.value("push_source_duration_seconds", **GROUP) < DEADLINE


@pytest.mark.parametrize("kind,words", [
    ("hang", "timed out"), ("500", "answered 500: out of order"), ("half", "curl: (18)"),
    ("cut", "cut in its last line"), ("empty", "the page is empty"), ("204", "answered 204"),
    ("html", "answered 400: text format parsing error in line 1")])
def test_nothing_old_is_left_when_the_exporter_fails(weir, site, exporter, kind, words):
    site.succeed("push-page", f"{exporter.url}/good")
    assert shown(weir, "speed") == 3
    assert words in site.fail("push-page", f"{exporter.url}/{kind}", "--timeout=0.5")
    assert families(weir) == {"push_source_up"}
    assert shown(weir, "push_source_up") == 0


def test_exporter_that_is_back(weir, site, exporter):
    site.fail("push-page", f"{exporter.url}/500")
    site.succeed("push-page", f"{exporter.url}/good")
    assert (shown(weir, "speed"), shown(weir, "push_source_up")) == (3, 1)


def test_exporter_that_is_not_there(weir, site):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    assert "curl: (7)" in site.fail("push-page", NODE_PORT=str(port))
    assert shown(weir, "push_source_up") == 0


def test_naive_lines_push_what_the_last_run_had(weir, site, exporter):
    """What the script is there for. Without quotes & ends the command, and the file is as it was."""
    naive = (f"curl -s -m 1 -o temp.txt {exporter.url}/hang?target=a&module=if_mib\n"
             "curl -s --data-binary @temp.txt $PUSHGATEWAY_SERVER/metrics/job/naive\n")
    (site.directory / "temp.txt").write_text(GOOD)
    subprocess.run(["sh", "-c", naive], cwd=site.directory, env=site.variables, check=True,
                   capture_output=True, timeout=DEADLINE)
    assert weir.scrape().value("speed", job="naive") == 3
    assert [request.path for request in exporter.requests] == ["/hang?target=a"]


def test_ampersand_in_the_url(weir, site, exporter):
    url = f"{exporter.url}/query?target=a&module=[if]{{mib}}&x=%20"
    site.succeed("push-page", url)
    assert shown(weir, "query") is None
    labels, = (dict(labels) for name, labels in weir.scrape().samples if name == "query")
    assert labels["text"] == "/query?target=a&module=[if]{mib}&x=%20"


def test_families_that_are_gone_go(weir, site, exporter):
    site.succeed("push-page", f"{exporter.url}/good")
    site.succeed("push-page", f"{exporter.url}/other")
    assert families(weir) == {"other", "push_source_up", "push_source_duration_seconds"}


def test_labels_of_any_kind(weir, site, exporter):
    values = {"slash": "a/b", "nothing": "", "dots": "..", "umlaut": "Björn/é",
              "quotes": 'a"b\\c\nd', "percent": "%00%2F", "plus": "a+b c"}
    site.succeed("push-page", "--job=a job/ü", f"{exporter.url}/good",
                 *(f"--label={name}={value}" for name, value in values.items()))
    labels, = (dict(labels) for name, labels in weir.scrape().samples if name == "speed")
    del values["nothing"]
    assert labels == {**values, "job": "a job/ü", "instance": "10.0.0.1"}


def test_server_with_and_without_scheme_and_slash(weir, site, exporter):
    host = weir.url.removeprefix("http://")
    for number, server in enumerate((host, weir.url, f"{weir.url}/", f"{host}//")):
        site.succeed("push-page", f"--job=j{number}", f"{exporter.url}/good",
                     PUSHGATEWAY_SERVER=server)
        assert weir.scrape().value("speed", job=f"j{number}", instance="10.0.0.1") == 3


@pytest.mark.parametrize("also", ["no_proxy", "NO_PROXY"])
def test_proxy_of_the_site_is_not_for_this_host(weir, site, exporter, also):
    """It is for weir, elsewhere. curl would ask it for http://localhost as well."""
    with FakeServer(lambda handler, request: reply(handler)) as proxy:
        proxied = {"http_proxy": proxy.url, also: "127.0.0.7"}
        site.succeed("push-page", f"http://localhost:{exporter.port}/good", **proxied)
        assert shown(weir, "speed") == 3 and proxy.requests == []
        site.succeed("push-page", f"{exporter.url}/other", PUSHGATEWAY_SERVER="http://weir.invalid:9091", **proxied)
        request, = proxy.requests
        assert request.path == "http://weir.invalid:9091/metrics/job/node-exporter/instance/10.0.0.1"
        del proxy.requests[:]
        site.fail("push-page", f"{exporter.url}/good", PUSHGATEWAY_SERVER="http://127.0.0.7:1", **proxied)
        assert proxy.requests == [], "what it may not be asked for was asked"


def test_prefix(start_weir, tmp_path, exporter):
    weir = start_weir("--web.route-prefix=/w/x")
    Site(tmp_path / "site", f"{weir.url}/w/x").succeed("push-page", f"{exporter.url}/good")
    assert "speed" in weir.get("/w/x/metrics").text


def test_what_is_pushed_expires(weir, site, exporter):
    """Nobody says that the exporter died, if the host did."""
    site.succeed("push-page", "--ttl=0.3", f"{exporter.url}/good")
    wait_for(lambda: families(weir) == set(), "the group is gone")


@pytest.mark.parametrize("arguments,header", [
    ([], "180.00s"), (["--ttl=1h30m"], "5400.00s"), (["--ttl=0"], None)])
def test_time_to_live(site, exporter, arguments, header):
    with FakeServer(lambda handler, request: reply(handler)) as fake:
        site.succeed("push-page", *arguments, f"{exporter.url}/good", PUSHGATEWAY_SERVER=fake.url)
        assert [request.headers.get("Weir-TTL") for request in fake.requests] == [header]


def test_large_pages_are_compressed(weir, site, exporter):
    with FakeServer(lambda handler, request: reply(handler)) as fake:
        for kind in ("good", "many"):
            site.succeed("push-page", f"{exporter.url}/{kind}", PUSHGATEWAY_SERVER=fake.url)
        assert [request.headers.get("Content-Encoding")
                for request in fake.requests] == [None, "gzip"]
    site.succeed("push-page", f"{exporter.url}/many")
    assert weir.scrape().total("many", **GROUP) == sum(range(5000))


# --- weir that does not answer, or does not want it ---

@pytest.mark.parametrize("status,words", [
    (503, "answered 503: loading"), (401, "--curl-config"), (404, "answered 404: loading"),
    (307, "weir is somewhere else"), (None, "timed out")])
def test_weir_that_does_not_take_it(site, exporter, status, words):
    def answer(handler, _):
        if status is None:
            fake.hang()
        reply(handler, status, "loading\n", headers={"Location": "/elsewhere"})

    with FakeServer(answer) as fake:
        said = site.fail("push-page", "--push-timeout=0.5", f"{exporter.url}/good",
                         PUSHGATEWAY_SERVER=fake.url)
        assert words in said and f"{fake.url}/metrics/job/node-exporter" in said


def test_password_is_in_a_file_alone(tmp_path, exporter):
    with FakeServer(lambda handler, request: reply(handler)) as fake:
        site = Site(tmp_path / "site", fake.url)
        config = tmp_path / "credentials"
        config.write_text('user = "site:secret"\n')
        config.chmod(0o600)
        done = site.succeed("push-page", f"--curl-config={config}", f"{exporter.url}/good")
        assert done.stderr == ""
        assert fake.requests[0].headers["Authorization"] == "Basic c2l0ZTpzZWNyZXQ="
        assert "Authorization" not in exporter.requests[0].headers
        config.chmod(0o644)
        done = site.succeed("push-page", f"{exporter.url}/good", WEIR_CURL_CONFIG=str(config))
        assert "everybody can read it" in done.stderr
        assert "cannot be read" in site.fail("push-page", "--curl-config=/none",
                                             f"{exporter.url}/good")


def test_exporter_with_a_password(tmp_path):
    def answer(handler, request):
        reply(handler, *((200, GOOD) if request.headers.get("Authorization") == "Basic YTpi" else (401, "no\n")))

    with FakeServer(answer) as exporter, FakeServer(lambda handler, request: reply(handler)) as fake:
        site = Site(tmp_path / "site", fake.url)
        config = tmp_path / "credentials"
        config.write_text('user = "a:b"\n')
        config.chmod(0o600)
        done = site.succeed("push-page", f"--page-config={config}", exporter.url)
        assert done.stderr == "" and b"push_source_up 1" in fake.requests[0].body
        assert "Authorization" not in fake.requests[0].headers
        assert "answered 401" in site.fail("push-page", exporter.url)
        assert "/none: cannot be read (--page-config)" in site.fail("push-page", "--page-config=/none", exporter.url)


@pytest.mark.parametrize("words", [
    ["push-page", "http://me:hidden@h:1/x"], ["push-page", "me:hidden@h/x@y"], ["push-nginx", "https://me:hidden@h?a"],
    ["push-snmp", "--exporter=me:hidden@h", "s"], ["push-page", "--server=me:hidden@h"]])
def test_password_in_a_url_is_refused_and_not_shown(site, words):
    said = site.fail(*words, code=2)
    assert "has a password, which the list of processes would show" in said and "hidden" not in said


@pytest.mark.parametrize("url", ["/good?x=me:y@z", "/good#a@b"])
def test_not_every_at_is_one_of_a_password(weir, site, exporter, url):
    site.succeed("push-page", exporter.url + url)
    assert shown(weir, "push_source_up") == 1


def test_weir_with_tls_and_users(start_weir, tmp_path, exporter):
    authority = Authority(tmp_path / "authority")
    served = authority.issue("served")
    config = web_config(tmp_path / "config",
                        tls_config(served) + f"basic_auth_users:\n  site: {hash_of('secret', 4)}\n")
    weir = start_weir(f"--web.config.file={config}", tls=authority.client())
    site = Site(tmp_path / "site", weir.url)
    credentials = tmp_path / "credentials"
    credentials.write_text(f'user = "site:wrong"\ncacert = "{authority.cert}"\n')
    credentials.chmod(0o600)
    site.variables["WEIR_CURL_CONFIG"] = str(credentials)
    assert "answered 401" in site.fail("push-page", f"{exporter.url}/good")
    credentials.write_text(credentials.read_text().replace("wrong", "secret"))
    site.succeed("push-page", f"{exporter.url}/good")
    assert "speed" in weir.get("/metrics", basic("site", "secret")).text
    assert "host1_node_on" in site.succeed("l2-checks", "--host1=a", "--host2=b", "--stdout").stdout
    assert "groups deleted: 1" in site.succeed("prune", "--job=node-exporter").stdout
    assert "speed" not in weir.get("/metrics", basic("site", "secret")).text
    assert "curl: (60)" in site.fail("push-page", f"{exporter.url}/good", WEIR_CURL_CONFIG="")


# --- one run at a time ---

def succeeded(done):
    return done if done.returncode == 0 else None



def tools_without_flock(tmp_path):
    """All tools there are, but for one."""
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("sh", "awk", "cat", "curl", "cut", "find", "gzip", "id", "ln", "mkdir", "mv", "od",
                 "readlink", "rm", "sed", "sleep", "tail", "tr", "uname", "wc"):
        (tools / name).symlink_to(shutil.which(name))
    return tools


def surroundings(kind, tmp_path):
    if kind == "busybox":
        return {"shell": [shutil.which("busybox"), "sh"], "path": small_tools(tmp_path / "tools")}
    if kind == "without flock":
        return {"shell": [shutil.which("dash")], "path": tools_without_flock(tmp_path)}
    return {"shell": [shutil.which("dash")]}


@pytest.mark.parametrize("kind", ["dash", "without flock", "busybox"])
def test_one_run_at_a_time(weir, tmp_path, exporter, kind):
    site = Site(tmp_path / "site", weir.url, **surroundings(kind, tmp_path))
    with site.running("push-page", "--every=60", "--timeout=60", f"{exporter.url}/hang") as first:
        wait_for(lambda: exporter.requests, "the first run has begun")
        assert "another run is not done yet" in site.fail("push-page", f"{exporter.url}/good")
        site.succeed("push-page", "--job=other", f"{exporter.url}/good")
        assert families(weir) == {"speed", "push_source_up", "push_source_duration_seconds"}
        os.killpg(first.pid, signal.SIGKILL)
        first.wait()
        # What the killed one had running has the lock until it is gone, too.
        done = wait_for(lambda: succeeded(site.run("push-page", f"{exporter.url}/good")), "it runs")
        assert ("its lock is taken over" in done.stderr) == (kind != "dash")
        first.returncode = 0  # it was killed on purpose
    assert shown(weir, "speed") == 3
    assert [path.suffix for path in (site.directory / "state").iterdir()
            if path.suffix not in (".lock", ".taken")] == []


def test_without_flock_a_lock_of_a_number_that_is_used_again_is_stale(weir, tmp_path, exporter):
    site = Site(tmp_path / "site", weir.url, **surroundings("without flock", tmp_path))
    with site.running("push-page", "--every=60", f"{exporter.url}/good") as first:
        lock = wait_for(lambda: [path for path in (tmp_path / "site").glob("state/*.lock")
                                 if path.read_text().startswith(f"{first.pid} ")],
                                 "there is a lock")[0]
        wait_for(lambda: shown(weir, "push_source_up"), "its first turn is over")
        assert "another run" in site.fail("push-page", f"{exporter.url}/good")
        lock.write_text(f"{first.pid} 1\n")  # as if that process had begun at another time
        site.succeed("push-page", f"{exporter.url}/good")


def test_without_flock_of_many_that_find_a_stale_lock_one_has_it(weir, tmp_path, exporter):
    site = Site(tmp_path / "site", weir.url, **surroundings("without flock", tmp_path))
    site.succeed("push-page", f"{exporter.url}/good")
    with site.running("push-page", "--every=60", f"{exporter.url}/good") as first:
        lock = wait_for(lambda: next((tmp_path / "site").glob("state/*.lock"), None),
                        "there is a lock")
        os.killpg(first.pid, signal.SIGKILL)
        first.wait()
        first.returncode = 0
    assert lock.exists()
    many = [subprocess.Popen(site.command("push-page", f"{exporter.url}/hang", "--timeout=0.7"),
                             env=site.variables, stderr=subprocess.PIPE, text=True)
                             for _ in range(12)]
    said = [process.communicate(timeout=DEADLINE)[1] for process in many]
    assert exporter.most_at_once == 1
    assert sum("timed out" in text for text in said) >= 1


def test_state_directory_of_somebody_else(site, exporter, tmp_path):
    (tmp_path / "theirs").mkdir()
    os.chown(tmp_path / "theirs", 65534, 65534)
    (tmp_path / "link").symlink_to(tmp_path)
    assert "is not a directory of this user" in site.fail(
        "push-page", f"--state-dir={tmp_path / 'theirs'}", f"{exporter.url}/good")
    site.succeed("push-page", f"--state-dir={tmp_path / 'link'}", f"{exporter.url}/good")


def test_link_in_tmp_that_somebody_else_made(weir, exporter):
    """As a user who has no directory of his own but there."""
    with tempfile.TemporaryDirectory() as directory:
        directory = Path(directory)
        directory.chmod(0o777)
        shutil.copytree(SCRIPTS, directory / "scripts")
        command = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
                   directory / "scripts" / "push-page", f"--server={weir.url}",
                   f"{exporter.url}/good"]
        variables = {"PATH": os.environ["PATH"], "TMPDIR": str(directory)}

        def run():
            return subprocess.run(command, env=variables, capture_output=True, text=True,
                                  timeout=DEADLINE,
                                  check=False, cwd="/")

        (directory / "weir-site-65534").symlink_to("/etc")
        done = run()
        assert done.returncode == 1 and "is not a directory of this user" in done.stderr
        (directory / "weir-site-65534").unlink()
        assert run().returncode == 0
        assert stat.S_IMODE((directory / "weir-site-65534").stat().st_mode) == 0o700


# --- again and again ---

def test_period_does_not_grow_by_what_a_push_takes(site, exporter):
    with FakeServer(lambda handler, request: reply(handler)) as fake:
        with site.running("push-page", "--every=0.5", f"{exporter.url}/slow",
                          PUSHGATEWAY_SERVER=fake.url):
            wait_for(lambda: len(fake.requests) == 6, "there were six pushes")
        times = [request.at for request in fake.requests]
    gaps = [after - before for before, after in zip(times, times[1:])]
    # With sleep 0.5 in a loop it is 0.7 at least.
    assert abs(statistics.median(gaps) - 0.5) < 0.15, gaps
    assert len({round(gap, 3) for gap in gaps}) > 1, "there is no jitter"


def test_turns_of_one_minute(site, exporter):
    """For cron: as many turns as there is time for."""
    with FakeServer(lambda handler, request: reply(handler)) as fake:
        site.succeed("push-page", "--every=0.4", "--for=0.9", "--splay=0.2", f"{exporter.url}/good",
                     PUSHGATEWAY_SERVER=fake.url)
        assert 2 <= len(fake.requests) <= 3  # if a turn takes longer than that, one is left out


def test_pushes_never_overlap_when_weir_hangs(site, exporter):
    with FakeServer(lambda handler, request: fake.hang()) as fake:
        with site.running("push-page", "--every=0.2", "--push-timeout=0.3", "--longest-wait=0.2",
                          f"{exporter.url}/good", PUSHGATEWAY_SERVER=fake.url):
            wait_for(lambda: site.log().count("timed out") >= 3, "three pushes were given up")


def test_waits_grow_while_weir_is_away_and_pushes_come_again(site, exporter):
    def answer(handler, _):
        reply(handler, 503 if len(fake.requests) < 6 else 200)

    with FakeServer(answer) as fake:
        with site.running("push-page", "--every=0.1", "--longest-wait=0.8", f"{exporter.url}/good",
                          PUSHGATEWAY_SERVER=fake.url):
            wait_for(lambda: len(fake.requests) >= 10, "pushes come again")
    times = [request.at for request in fake.requests]
    gaps = [after - before for before, after in zip(times, times[1:])]
    assert sum(gaps[2:5]) > sum(gaps[:2]), gaps
    assert max(gaps[3:5]) >= 0.4 and min(gaps[6:]) < max(gaps[3:5]), gaps


def test_weir_that_comes_back(start_weir, tmp_path, exporter):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    site = Site(tmp_path / "site", f"127.0.0.1:{port}")
    with site.running("push-page", "--every=0.2", "--longest-wait=0.3", f"{exporter.url}/good"):
        wait_for(lambda: "curl: (7)" in site.log(), "weir was missed")
        weir = start_weir(listen=(f"127.0.0.1:{port}",))
        wait_for(lambda: shown(weir, "speed") == 3, "the page is there")


def test_a_loop_says_when_its_exporter_dies(weir, site):
    with FakeServer(lambda handler, request: reply(handler, body=GOOD)) as fake:
        with site.running("push-page", "--every=0.3", f"{fake.url}/good"):
            wait_for(lambda: shown(weir, "push_source_up") == 1, "the page is there")
            fake.server.shutdown()
            fake.server.server_close()
            wait_for(lambda: shown(weir, "push_source_up") == 0, "the exporter is missed")
            assert families(weir) == {"push_source_up"}
    assert "curl: (7)" in site.log()


# --- calls that cannot be meant ---

@pytest.mark.parametrize("arguments,words", [
    (["--nothing"], "unknown option '--nothing'"), (["a", "b"], "there is one URL a run"),
    (["--every=x"], "a duration is written as"), (["--every=0"], "--every is at least"),
    (["--for=5"], "--for is how long"),
    (["--ttl=5 s"], "a duration is written as"), (["--timeout=0"], "more than 0"),
    (["--job="], "a job needs a name"), (["--label=a-b=c"], "'a-b' is no name of a label"),
    (["--label=__x=c"], "'__x' is no name of a label"), (["--label=instance=c"], "--instance"),
    (["--server=ftp://x"], "begins with http"), (["--server=http://"], "names no host"),
    (["--server=http://a:b@x"], "--curl-config"), (["--server=a b"], "is no URL"),
    (["file:///etc/passwd"], "begins with http")])
def test_misuse(site, arguments, words):
    assert words in site.fail("push-page", *arguments, code=2)


@pytest.mark.parametrize("script",
                         sorted(path.name for path in SCRIPTS.iterdir() if os.access(path, os.X_OK)
                                          and path.is_file()))
def test_help(site, script):
    for word in ("-h", "--help"):
        said = site.succeed(script, word).stdout
        assert said.startswith(f"usage: {script} ") and "set -eu" not in said
        assert "\n  --server=URL " in said and said.endswith("called wrongly.\n\n")
