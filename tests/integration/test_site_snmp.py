"""scripts/site/push-snmp: what snmp_exporter finds on a switch, and nothing of an earlier time."""

import json
import subprocess
import threading

import pytest

from harness import DEADLINE, wait_for
from sites import FakeServer, reply

PAGE = '# TYPE ifHCInOctets counter\nifHCInOctets{{ifIndex="1",ifName="{name}"}} {value}\n'


class Switches:
    """What each switch does: counts, fails, hangs, or counts once five were asked."""

    def __init__(self):
        self.does = {}
        self.before = lambda: None  # an answer
        self.count = 0
        self.meeting = threading.Barrier(5)

    def answer(self, handler, request):
        self.before()
        path, _, query = request.path.partition("?")
        fields = dict(field.split("=") for field in query.split("&"))
        does = self.does.get(fields["target"], "count")
        if path != "/snmp" or "module" not in fields:
            reply(handler, 400, "'module' parameter must be specified once\n")
        elif does == "hang":
            self.server.hang()
        elif does == "fail":
            reply(handler, 500, "error collecting metric: request timeout\n")
        else:
            if does == "meet":
                self.meeting.wait(DEADLINE)
            self.count += 1
            reply(handler, body=PAGE.format(name=json.dumps(query)[1:-1], value=self.count))


@pytest.fixture
def switches():
    model = Switches()
    with FakeServer(model.answer) as model.server:
        yield model


def shown(weir, name, switch, **labels):
    return weir.scrape().value(name, job="snmp-exporter", target_switch=switch, instance="10.0.0.1",
                               **labels)


def octets(weir, switch):
    """The one value there is of a switch, and the query that it came by."""
    found = [(dict(labels)["ifName"], float(value)) for (name, labels),
             value in weir.scrape().samples.items()
             if name == "ifHCInOctets" and ("target_switch", switch) in labels]
    return found[0] if found else None


def test_path_query_and_marker(cleared_weir, site, switches):
    site.succeed("push-snmp", "192.0.2.1", SNMP_PORT=str(switches.server.port))
    assert octets(cleared_weir, "192.0.2.1") == ("target=192.0.2.1&module=if_mib", 1)
    assert shown(cleared_weir, "snmp_probe_success", "192.0.2.1") == 1
    assert shown(cleared_weir, "snmp_probe_duration_seconds", "192.0.2.1") >= 0


def test_module_and_auth(cleared_weir, site, switches):
    site.succeed("push-snmp", f"--exporter={switches.server.url}/", "--module=a&b c/ü", "--auth=v2",
                 "sw:1")
    query, _ = octets(cleared_weir, "sw:1")
    assert query == "target=sw%3A1&module=a%26b%20c%2F%C3%BC&auth=v2"


@pytest.mark.parametrize("failure,words", [("fail", "request timeout"), ("hang", "timed out")])
def test_nothing_old_is_sent_when_a_switch_fails(cleared_weir, site, switches, failure, words):
    arguments = ["push-snmp", f"--exporter={switches.server.url}", "--timeout=0.5", "192.0.2.1"]
    site.succeed(*arguments)
    switches.does["192.0.2.1"] = failure
    assert words in site.fail(*arguments)
    assert octets(cleared_weir, "192.0.2.1") is None
    assert shown(cleared_weir, "snmp_probe_success", "192.0.2.1") == 0
    del switches.does["192.0.2.1"]
    site.succeed(*arguments)
    assert octets(cleared_weir, "192.0.2.1")[1] == 2


def test_naive_lines_send_the_old_file_again(cleared_weir, site, switches):
    """Unquoted, & sends curl to the background, and the file of the last time is what is pushed."""
    naive = (f"curl -s -m {DEADLINE} -o snmp_temp.txt {switches.server.url}/snmp?target=192.0.2.1&module=if_mib\n"
             "curl -s --data-binary @snmp_temp.txt $PUSHGATEWAY_SERVER/metrics/job/snmp-exporter/"
             "target_switch/192.0.2.1/instance/10.0.0.1\nwait\n")
    (site.directory / "snmp_temp.txt").write_text(PAGE.format(name="a", value=77))
    switches.before = lambda: wait_for(lambda: octets(cleared_weir, "192.0.2.1"), "the old file is pushed")
    subprocess.run(["sh", "-c", naive], cwd=site.directory, env=site.variables, check=True,
                   capture_output=True, timeout=2 * DEADLINE)
    assert octets(cleared_weir, "192.0.2.1") == ("a", 77)
    assert "must be specified" in (site.directory / "snmp_temp.txt").read_text()


def test_switches_do_not_wait_for_each_other(cleared_weir, site, switches):
    switches.does.update(dict.fromkeys("abcde", "meet"))
    site.succeed("push-snmp", f"--exporter={switches.server.url}", "a", "b", "c", "d", "e")
    switches.does.update(dict.fromkeys("abcde", "hang"))
    said = site.fail("push-snmp", f"--exporter={switches.server.url}", "--timeout=1",
                     SWITCH_TARGET="a, b c\td,e f,g g")
    assert said.count("timed out") == 5
    assert {switch: shown(cleared_weir, "snmp_probe_success", switch) for switch in "abcdefg"} == {
        **dict.fromkeys("abcde", 0), "f": 1, "g": 1}


def test_again_and_again(cleared_weir, site, switches):
    with site.running("push-snmp", "--every=0.3", f"--exporter={switches.server.url}", "a", "b"):
        wait_for(lambda: (octets(cleared_weir, "a") or (0, 0))[1] > 3, "a was asked several times")
        switches.does["a"] = "fail"
        wait_for(lambda: shown(cleared_weir, "snmp_probe_success", "a") == 0, "its failure shows")
        assert shown(cleared_weir, "snmp_probe_success", "b") == 1
        del switches.does["a"]
        wait_for(lambda: shown(cleared_weir, "snmp_probe_success", "a") == 1, "it is back")


@pytest.mark.parametrize("arguments,words", [
    ([], "set SWITCH_TARGET"), (["a/b"], "is no name"), ([".."], "is no name"), (["--what"], "unknown option")])
def test_misuse(site, arguments, words):
    assert words in site.fail("push-snmp", *arguments, code=2)


def test_switches_in_the_environment_are_not_patterns(site):
    (site.directory / "a").touch()
    assert "'*' is no name" in site.fail("push-snmp", code=2, SWITCH_TARGET="*")
