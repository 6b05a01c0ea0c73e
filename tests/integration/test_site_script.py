"""scripts/site/run-script: what a script prints is served line by line, whatever else it does."""

import os
import random
import shutil
import signal
import stat

import pytest

from harness import DEADLINE, wait_for
from page import Page
from sites import FakeServer, Site, reply, small_tools

GROUP = {"job": "script", "instance": "10.0.0.1", "script": "check"}
MARKERS = {"script_success", "script_exit_code", "script_duration_seconds", "script_truncated",
           "script_lines",
           "script_rejected_lines"}


class Scripts(Site):
    def __init__(self, directory, server, **options):
        super().__init__(directory, server, **options)
        self.allowed = directory / "allowed"
        self.allowed.mkdir()
        self.variables["SCRIPT_DIR"] = str(self.allowed)

    def write(self, body, name="check"):
        path = self.allowed / name
        path.write_bytes(b"#!/bin/sh\n" + (body.encode() if isinstance(body, str) else body))
        path.chmod(0o755)
        return path

    def write_output(self, output):
        """A script that prints these bytes."""
        (self.allowed / "output").write_bytes(output.encode()
                                              if isinstance(output, str) else output)
        self.write(f"exec cat '{self.allowed}/output'\n")


@pytest.fixture
def scripts(cleared_weir, tmp_path):
    return Scripts(tmp_path / "site", cleared_weir.url)


def value(weir, name, **labels):
    return weir.scrape().value(name, **GROUP, **labels)


def rejected(weir):
    return {dict(labels)["reason"]: float(count) for (name, labels),
            count in weir.scrape().samples.items()
            if name == "script_rejected_lines" and float(count)}


@pytest.mark.smoke
def test_good_script(cleared_weir, scripts):
    scripts.write('echo "# TYPE queue gauge"; echo "queue{of=\\"$1\\"} $2"\n')
    assert scripts.succeed("run-script", "check", "a b", "3").stderr == ""
    assert value(cleared_weir, "queue", of="a b") == 3
    assert (value(cleared_weir, "script_success"),
            value(cleared_weir, "script_exit_code")) == (1, 0)
    assert 0 <= value(cleared_weir, "script_duration_seconds") < DEADLINE
    assert value(cleared_weir, "script_lines") == 1 and rejected(cleared_weir) == {}


BAD = """\
up_string{host="a"} up
good 1
good{a="1"} 2
nan NaN
inf -Inf
good{a="1"} 3
good{a="1",b=""} 3
good{instance="x",a="1"} 3
good{script="x"} 4
http://example.org 1
matched line of a grep instance="x"
a{b=c} 1
a{b="c"
a{__b="c"} 1
a{b="c",b="d"} 1
timestamp 1 1700000000000
hex 0x10
range 1e400
late 1
# TYPE late counter
# TYPE hist histogram
hist_bucket{le="+Inf"} 3
# HELP good too late
# any comment
script_success 1
script_lines 7
"""


def test_other_lines_are_served(cleared_weir, scripts):
    scripts.write_output(BAD.encode() + b"ctrl{a=\"\x01\"} 1\nnul \x00\nutf{a=\"\xff\"} 1\ncrlf 1\r\n"
                         + b"long{a=\"" + b"x" * 5000 + b"\"} 1\n  spaces  {  a = \"1\" , }  5  \nlast 1")
    said = scripts.succeed("run-script", "check").stderr
    assert 'line 1 dropped (value): up_string{host="a"} up' in said
    page = cleared_weir.scrape()
    names = {name for name, _ in page.samples
             if not name.startswith(("push_", "weir_", "pushgateway_", "process_"))}
    assert names - MARKERS == {"good", "nan", "inf", "late", "hist_bucket", "spaces", "last"}
    assert page.value("good", a="1", **GROUP) == 2 and page.value("spaces", a="1", **GROUP) == 5
    assert page.value("script_success", **GROUP) == 1
    # good{script="x"} is a duplicate, too: the group's own label takes its place
    assert rejected(cleared_weir) == {"value": 4, "duplicate": 4, "label": 5, "timestamp": 1,
                                      "comment": 3,
                                      "own": 2, "control": 3, "utf8": 1, "length": 1}


def test_ten_megabytes(cleared_weir, scripts):
    scripts.write('echo "first 1"; yes "x 1" | head -c 10000000; echo "after 1"\n')
    scripts.fail("run-script", "check")
    page = cleared_weir.scrape()
    assert page.value("first", **GROUP) == 1 and page.value("x", **GROUP) == 1
    assert page.value("script_truncated",
                      **GROUP) == 1 and page.value("script_success", **GROUP) == 0
    assert page.value("after", **GROUP) is None


def test_cut_line_is_no_line(cleared_weir, scripts):
    scripts.write_output("a 1\nb 123456\n")
    scripts.succeed("run-script", "--most-bytes=9", "check")
    assert (value(cleared_weir, "a"), value(cleared_weir, "b")) == (1, None)
    scripts.succeed("run-script", "--most-bytes=13", "check")
    assert (value(cleared_weir, "b"), value(cleared_weir, "script_truncated")) == (123456, 0)


def test_hang(cleared_weir, scripts):
    scripts.write('echo "before 1"; printf "half 1"; sleep 60; echo "after 1"\n')
    assert "ended with 124" in scripts.fail("run-script", "--timeout=0.5", "check")
    assert value(cleared_weir, "before") == 1 and value(cleared_weir, "half") is None
    assert (value(cleared_weir, "script_success"),
            value(cleared_weir, "script_exit_code")) == (0, 124)
    assert value(cleared_weir, "script_duration_seconds") >= 0.5


def test_script_that_ignores_being_stopped(cleared_weir, scripts):
    scripts.write("trap '' TERM; echo 'before 1'; while :; do sleep 0.1; done\n")
    scripts.fail("run-script", "--timeout=0.3", "check")
    assert (value(cleared_weir, "before"), value(cleared_weir, "script_exit_code")) == (1, 124)


def test_what_it_leaves_running_is_not_waited_for(cleared_weir, scripts):
    scripts.write(f"sleep 60 & echo $! >'{scripts.directory}/left'; echo 'there 1'\n")
    scripts.succeed("run-script", "check")
    assert value(cleared_weir, "there") == 1
    os.kill(int((scripts.directory / "left").read_text()), signal.SIGKILL)


def test_files_that_it_makes_are_as_it_makes_them(scripts):
    """What keeps our own files private is not for the script's."""
    scripts.write(f"echo x >'{scripts.directory}/made'\n")
    before = os.umask(0o022)
    try:
        scripts.succeed("run-script", "check")
    finally:
        os.umask(before)
    assert stat.S_IMODE((scripts.directory / "made").stat().st_mode) == 0o644


def test_exit_code(cleared_weir, scripts):
    scripts.write("echo 'there 1'; echo 'what went wrong' >&2; exit 3\n")
    said = scripts.run("run-script", "check")
    assert said.returncode == 1 and "what went wrong" in said.stderr and "ended with 3" in said.stderr
    assert (value(cleared_weir, "there"), value(cleared_weir, "script_exit_code")) == (1, 3)
    scripts.write("exit 0\n")
    scripts.succeed("run-script", "check")
    assert (value(cleared_weir, "there"), value(cleared_weir, "script_lines")) == (None, 0)


def test_metrics_that_contradict_others(cleared_weir, scripts):
    """Each costs its own lines, whatever it is that weir says of it."""
    cleared_weir.put("/metrics/job/other", "# TYPE m counter\nm 1\n# TYPE h histogram\n"
                     'h_bucket{le="+Inf"} 1\nh_sum 1\nh_count 1\n')
    scripts.write_output('# TYPE m gauge\n# HELP m Text.\nm{a="1"} 1\nm{a="2"} 1\nh_count{x="collected metric named \\"n\\" c"} 1\n'
                         "go_goroutines 1\nmm 1\nn 2\nx up\n")
    said = scripts.succeed("run-script", "check").stderr
    assert said.count("answered 400") == 3 and said.count("dropped (value): x up") == 1
    page = cleared_weir.scrape()
    assert {name for name, labels in page.samples if dict(labels).get("script")} - MARKERS == {
        "mm", "n", "push_time_seconds", "push_failure_time_seconds"}
    assert rejected(cleared_weir) == {"inconsistent": 4, "value": 1}
    assert (value(cleared_weir, "script_lines"), value(cleared_weir, "script_success")) == (2, 1)
    cleared_weir.delete("/metrics/job/other")
    scripts.succeed("run-script", "check")
    assert value(cleared_weir, "m", a="2") == 1 and rejected(cleared_weir) == {"inconsistent": 1, "value": 1}


def test_metrics_of_which_too_many_contradict_others(cleared_weir, scripts):
    """And those that weir does not name: the script has no success, which is all that is left of it."""
    names = [f"m{number}" for number in range(40)]
    cleared_weir.put("/metrics/job/other", "".join(f"# TYPE {name} counter\n{name} 1\n" for name in names))
    scripts.write_output("".join(f"{name} 1\n" for name in names))
    assert "answered 400" in scripts.fail("run-script", "check")
    assert (value(cleared_weir, "script_success"), value(cleared_weir, "script_lines")) == (0, None)
    for body in (b"no words\n", b'pushed metrics are invalid: collected metric "other" {} is not a COUNTER\n'):
        with FakeServer(lambda handler, _, body=body: reply(handler, 400, body=body.decode())) as weir:
            scripts.fail("run-script", f"--server=http://127.0.0.1:{weir.port}", "check")
            assert len(weir.requests) == 2, "the lines, and the marker"


@pytest.mark.parametrize("name",
                         ["../check", "/bin/true", ".hidden", "none", "plain", "open", "folder", "",
                          "a/b"])
def test_what_is_not_allowed_is_not_run(scripts, name):
    ran = scripts.directory / "ran"
    scripts.write(f"touch '{ran}'\n").rename(scripts.allowed.parent / "check")
    scripts.write(f"touch '{ran}'\n", name="plain").chmod(0o644)
    scripts.write(f"touch '{ran}'\n", name="open").chmod(0o777)
    scripts.write(f"touch '{ran}'\n", name=".hidden")
    (scripts.allowed / "folder").mkdir()
    assert "is no allowed script" in scripts.fail("run-script", name, code=2)
    assert not ran.exists()
    scripts.write("echo ok 1\n")
    scripts.allowed.chmod(stat.S_IRWXU | stat.S_IRWXG | stat.S_IRWXO)
    assert "is no allowed script" in scripts.fail("run-script", "check", code=2)


def test_names_and_arguments(cleared_weir, scripts):
    scripts.write('echo "arguments{all=\\"$*\\"} $#"\n')
    scripts.succeed("run-script", "--name=a/b", "--job=j", "check", "--ttl=5", "-h", "")
    page = cleared_weir.scrape()
    assert page.value("arguments", job="j", instance="10.0.0.1", script="a/b",
                      all="--ttl=5 -h ") == 3


def test_printed(cleared_weir, scripts):
    scripts.write_output("a 1\nb x\n")
    page = Page(scripts.succeed("run-script", "--stdout",
                                "check").stdout.replace("a 1\n", "# TYPE a gauge\na 1\n"),
                in_order=False)
    assert page.value("a") == 1 and page.value("script_success") == 1
    assert cleared_weir.scrape().groups() == set()


def test_small_shell(cleared_weir, tmp_path):
    scripts = Scripts(tmp_path / "site", cleared_weir.url, shell=[shutil.which("busybox"), "sh"],
                      path=small_tools(tmp_path / "tools"))
    scripts.write_output(BAD)
    scripts.succeed("run-script", "check")
    assert value(cleared_weir, "good") == 1
    scripts.write("echo 'there 1'; sleep 60\n")
    scripts.fail("run-script", "--timeout=1", "check")
    assert (value(cleared_weir, "there"), value(cleared_weir, "script_exit_code")) == (1, 124)


def test_whatever_is_kept_weir_takes(cleared_weir, scripts):
    """Lines that are nearly right, at random: a push of what is left is never refused."""
    random.seed(7)
    parts = ["a", "b_total", ":c", "9d", "é", "{", "}", 'x="1"', 'y="q\\"\\\\\\n"', 'job="k"', ",",
             " ", "  ", "\t", "=",
             '"', "\\", "1", "-1", "+1.5e3", ".", "e", "NaN", "+Inf", "inf", "1e309", "0x1", "1_0",
             "#", "# TYPE a ",
             "# HELP a ", "gauge", "counter", "histogram", "\xff", "\x00", 'le="1"', 'a="', "_sum",
             "_bucket"]
    lines = ["".join(random.choices(parts, k=random.randrange(1, 7))) for _ in range(1500)]
    lines += [random.choice(["a", "b_total", ":c"])
              + random.choice(["", "{}", "{x=1}", "{x=|1|}", "{y=|q|,}"]).replace("|", '"')
              + " " + random.choice(parts) for _ in range(1500)]
    scripts.write_output("\n".join(lines).encode("latin-1", "replace") + b"\n")
    scripts.succeed("run-script", "check")
    assert value(cleared_weir, "script_lines") > 5 and len(rejected(cleared_weir)) > 5


def test_again_and_again(cleared_weir, scripts):
    scripts.write("echo turn $(date +%N | sed 's/^0*//')\n")
    with scripts.running("run-script", "--every=0.2", "check"):
        first = wait_for(lambda: value(cleared_weir, "turn"), "it ran")
        wait_for(lambda: value(cleared_weir, "turn") != first, "it ran again")


def test_weir_that_is_away(scripts):
    with FakeServer(lambda handler, request: reply(handler, 503)) as fake:
        scripts.write("echo a 1\n")
        assert "answered 503" in scripts.fail("run-script", "check", PUSHGATEWAY_SERVER=fake.url)
        assert len(fake.requests) == 1


@pytest.mark.parametrize("arguments,words", [
    ([], "no script to run"), (["--most-bytes=x", "a"], "--most-bytes"),
    (["--what", "a"], "unknown option")])
def test_misuse(scripts, arguments, words):
    assert words in scripts.fail("run-script", *arguments, code=2)
