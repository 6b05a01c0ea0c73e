"""SIGHUP: settings are read again, and what is wrong with them changes nothing."""

import json
import signal
import subprocess
import threading

import pytest

from harness import DEADLINE, command, environment, format_request, wait_for


@pytest.fixture
def start(start_weir, tmp_path):
    """Starts weir with a file of that text; then set_file() and reload() change it."""
    path = tmp_path / "weir.yml"

    def start_with(text, *flags):
        path.write_text(text)
        weir = start_weir(f"--config.file={path}", *flags)
        weir.set_file = path.write_text
        return weir

    return start_with


def reloads(weir):
    """How often the log says that the settings were read again, or were not good."""
    log = weir.stderr()
    return log.count("the settings are reloaded") + log.count("the settings are not reloaded")


def reload(weir, text=None):
    if text is not None:
        weir.set_file(text)
    before = reloads(weir)
    weir.signal(signal.SIGHUP)
    wait_for(lambda: reloads(weir) > before, "the settings are read again")


def good(weir):
    return weir.scrape().value("weir_config_last_reload_successful") == 1


def gone(weir, job):
    return all(("job", job) not in labels for labels in weir.scrape().groups())


@pytest.mark.smoke
def test_time_to_live(start):
    weir = start("group.ttl: 1h\n")
    weir.put("/metrics/job/old", "m 1\n")
    reload(weir, "group.ttl: 200ms\n")
    weir.put("/metrics/job/new", "m 1\n")
    wait_for(lambda: gone(weir, "new"), "the new default holds")
    assert not gone(weir, "old"), "what was pushed before keeps its time"


def test_rules_for_jobs(start):
    weir = start("")
    weir.put("/metrics/job/b", "m 1\n")
    for value, text, label in [
            (2, "jobs: [{job: b, labels: {add: {team: x}}}]\n", ',team="x"'),
            (3, "jobs: [{job: b, labels: {add: {team: y}}}]\n", ',team="y"'),
            (4, "", "")]:
        reload(weir, text)
        # The same lines as before, which must not be taken for known under other rules.
        weir.put("/metrics/job/b", f"m {value}\n")
        assert f'm{{instance="",job="b"{label}}} {value}' in weir.scrape().stored()


def test_switches_and_limits(start):
    weir = start("limit.groups: 10\n")
    assert weir.put("/api/v1/admin/wipe").status == 404
    reload(weir, "{web.enable-admin-api: true, limit.groups: 1, limit.body-bytes: 200, "
                 "limit.labels: 3, web.openmetrics: false}\n")
    assert weir.put("/api/v1/admin/wipe").status == 202
    assert weir.put("/metrics/job/b", "m 1\n").status == 200
    assert weir.put("/metrics/job/c", "m 1\n").status == 429
    assert weir.put("/metrics/job/b", "m 1\n" * 51).status == 413
    accept = {"Accept": "application/openmetrics-text"}
    assert weir.get("/metrics", accept).headers["content-type"].startswith("text/plain")
    assert weir.scrape().value("weir_limit", limit="groups") == 1


def test_while_what_is_stored_is_loaded(start, tmp_path):
    """Limits do not count for that, but from then on."""
    count, flags = 2000, (f"--state.url=sqlite:{tmp_path}/db", "--state.sync=normal")
    weir = start("", *flags)
    with weir.connect() as connection:
        for first in range(0, count, 25):
            connection.send(b"".join(format_request("PUT", f"/metrics/job/{number}", "m 1\n")
                                     for number in range(first, first + 25)))
            assert all(connection.response().status == 200 for _ in range(25))
    weir.stop()
    weir = start("", *flags)
    reload(weir, "limit.groups: 100\n")
    wait_for(lambda: weir.get("/-/ready").status == 200, "what is stored is loaded")
    page = weir.scrape()
    assert page.value("weir_groups") == count and page.value("weir_limit", limit="groups") == 100
    assert weir.put("/metrics/job/new", "m 1\n").status == 429


def test_log(start):
    weir = start("log.level: debug\n")
    reload(weir, "log.format: json\n")
    assert weir.stderr().splitlines()[-1].startswith("{"), "at once in the new format"
    before = weir.scrape().value("weir_config_last_reload_success_timestamp_seconds")
    weir.set_file("{log.format: json, log.level: error}\n")
    weir.signal(signal.SIGHUP)
    wait_for(lambda: weir.scrape().value("weir_config_last_reload_success_timestamp_seconds")
             > before, "it is read again")
    lines = weir.stderr().splitlines()
    reload(weir, "log.level: nonsense\n")
    assert [json.loads(line)["level"] for line in weir.stderr().splitlines()[len(lines):]] == [
        "error"]


@pytest.mark.parametrize("text,error", [
    ("group.tll: 1h\n", "weir.yml:1: unknown key 'group.tll'"),
    ("group.ttl: 1\n", "weir.yml:1: bad value '1' for 'group.ttl'"),
    ("a: [\n", "weir.yml:2: did not find expected"),
    ("jobs: [{}]\n", "weir.yml:1: a rule for jobs needs"),
])
def test_a_broken_file_changes_nothing(start, text, error):
    weir = start("group.ttl: 1h\nweb.enable-admin-api: true\n")
    before = weir.scrape().value("weir_config_last_reload_success_timestamp_seconds")
    reload(weir, text)
    assert error in weir.stderr()
    assert not good(weir)
    assert weir.put("/api/v1/admin/wipe").status == 202, "what was in force still is"
    reload(weir, "web.enable-admin-api: false\n")
    assert good(weir)
    assert weir.put("/api/v1/admin/wipe").status == 404
    page = weir.scrape()
    assert page.value("weir_config_last_reload_success_timestamp_seconds") > before


def test_a_file_that_is_gone_changes_nothing(start, tmp_path):
    weir = start("web.enable-admin-api: true\n")
    (tmp_path / "weir.yml").unlink()
    reload(weir)
    assert "No such file or directory" in weir.stderr()
    assert not good(weir)
    assert weir.put("/api/v1/admin/wipe").status == 202


def test_what_needs_a_restart_is_named(start):
    weir = start("timeout.idle: 5m\n")
    reload(weir, "{timeout.idle: 1ms, push.disable-consistency-check: true, group.ttl: 1h}\n")
    assert good(weir)
    for setting in ("timeout.idle", "push.disable-consistency-check"):
        assert f"takes effect at the next start setting={setting}" in weir.stderr().replace('"', "")
    assert "setting=group.ttl" not in weir.stderr()
    with weir.connect() as connection:  # an idle connection lives on
        assert connection.exchange("GET", "/-/healthy").status == 200
        assert connection.exchange("GET", "/-/healthy").status == 200


def test_flags_still_win(start):
    weir = start("group.ttl: 1h\n", "--group.ttl=250ms")
    reload(weir, "group.ttl: 2h\n")
    weir.put("/metrics/job/b", "m 1\n")
    wait_for(lambda: gone(weir, "b"), "the flag's time to live holds")


def test_the_web_config_is_read_at_once(start_weir, tmp_path):
    path = tmp_path / "web.yml"
    path.write_text("http_server_config: {headers: {X-Frame-Options: deny}}\n")
    weir = start_weir(f"--web.config.file={path}")
    assert weir.get("/-/healthy").headers["x-frame-options"] == "deny"
    path.write_text("http_server_config: {headers: {X-Frame-Options: sameorigin}}\n")
    reload(weir)
    assert weir.get("/-/healthy").headers["x-frame-options"] == "sameorigin"
    path.write_text("http_server_config: {headers: {X-Frame-Options: allow}}\n")
    reload(weir)
    assert weir.get("/-/healthy").headers["x-frame-options"] == "sameorigin"
    assert weir.scrape().value("weir_web_config_last_reload_successful") == 0
    assert good(weir), "the settings themselves are good"


def test_without_a_file(start_weir):
    weir = start_weir()
    for _ in range(3):
        reload(weir)
    assert good(weir)


def test_reloads_under_load(start):
    """Pushes go by the old rules or by the new ones, and none is lost."""
    weir = start("jobs: [{match: '.*', labels: {add: {n: '0'}}}]\n")
    done = threading.Event()
    faults = []

    def push(number):
        with weir.connect() as connection:
            value = 0
            while not done.is_set():
                value += 1
                answer = connection.exchange("PUT", f"/metrics/job/j{number}", f"m {value}\n")
                if answer.status != 200:
                    faults.append(answer)

    clients = [threading.Thread(target=push, args=(number,)) for number in range(4)]
    for client in clients:
        client.start()
    for round_number in range(20):
        reload(weir, f"jobs: [{{match: '.*', labels: {{add: {{n: '{round_number}'}}}}}}]\n")
    done.set()
    for client in clients:
        client.join()
    assert faults == []
    assert good(weir)


def test_pages_are_made_while_settings_change(start):
    weir = start("group.ttl: 1h\nweb.external-url: /x\n", "--web.route-prefix=/")
    done = threading.Event()
    faults = []

    def look():
        while not done.is_set():
            pages = weir.get("/"), weir.get("/api/v1/status")
            faults.extend(page for page in pages if page.status != 200)

    viewers = [threading.Thread(target=look) for _ in range(3)]
    for viewer in viewers:
        viewer.start()
    for hours in range(2, 22):
        reload(weir, f"group.ttl: {hours}h\nweb.external-url: /x\n")
        assert json.loads(weir.get("/api/v1/status").text)["data"]["flags"][
            "group.ttl"] == f"{hours}h0m0s"
    done.set()
    for viewer in viewers:
        viewer.join()
    assert faults == []


def test_a_body_that_arrives_while_its_limit_is_lowered(start):
    weir = start("limit.body-bytes: 1MiB\n")
    body = b"m 1\n" * 50000
    with weir.connect() as connection:
        connection.send("PUT /metrics/job/b HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
                        f"{len(body):x}\r\n")
        connection.send(body[:1000])
        wait_for(lambda: weir.scrape().value("weir_received_bytes_total") > 1000, "it arrives")
        reload(weir, "limit.body-bytes: 10\n")
        connection.send(body[1000:] + b"\r\n5\r\nn 1\n\n\r\n0\r\n\r\n")
        assert connection.response().status == 413


def test_sighup_at_the_end_does_not_kill(start_weir):
    """While the last requests are finished, too."""
    weir = start_weir("--timeout.shutdown=30s")
    wait_for(lambda: weir.get("/-/ready").status == 200, "what is stored is loaded")
    with weir.connect() as connection:
        connection.send("PUT /metrics/job/b HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\n")
        assert weir.get("/-/healthy").status == 200
        weir.signal(signal.SIGTERM)
        wait_for(lambda: "stopping" in weir.stderr(), "it stops")
        weir.signal(signal.SIGHUP)
        connection.send("m 1\n")
        assert connection.response().status == 200
    assert weir.wait() == 0


def is_held(pid):
    """Whether SIGHUP waits until it can be obeyed."""
    with open(f"/proc/{pid}/status", encoding="utf-8") as status:
        blocked = next(line for line in status if line.startswith("SigBlk:"))
    return int(blocked.split()[1], 16) >> (signal.SIGHUP - 1) & 1 == 1


def test_sighup_while_it_starts_is_obeyed_later(tmp_path):
    """What has changed since the settings were read is not overlooked."""
    with open(tmp_path / "stderr", "wb") as stderr:
        process = subprocess.Popen(command(tmp_path), cwd=tmp_path, env=environment(),
                                   stdout=subprocess.PIPE, stderr=stderr)
    try:
        while not is_held(process.pid):  # at once, unlike wait_for()
            assert process.poll() is None
        process.send_signal(signal.SIGHUP)
        wait_for(lambda: "the settings are reloaded" in (tmp_path / "stderr").read_text(),
                 "it is obeyed")
        process.send_signal(signal.SIGTERM)
        assert process.wait(DEADLINE) == 0
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
