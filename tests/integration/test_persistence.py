"""What is stored is there again after a restart: --persistence.file, --persistence.interval."""

import errno
import json
import os
import re
import signal
import stat

import pytest

import protobuf
from exposition import fetch
from harness import preload, run_weir, wait_for
from takeovers import READY, STATE, Pretender

NEVER = "--persistence.interval=1000h"
OFTEN = "--persistence.interval=100ms"


@pytest.fixture
def path(tmp_path):
    """What --persistence.file is given."""
    directory = tmp_path / "state"
    directory.mkdir()
    return directory / "pushgateway.data"


@pytest.fixture
def disk(tmp_path):
    return Disk(tmp_path / "disk")


class Disk:
    """What weir does to its files, by tests/preload/disk_steps.c."""

    def __init__(self, directory):
        directory.mkdir()
        self.directory = directory

    def variables(self):
        return preload("disk_steps", DISK_STEPS=self.directory)

    def steps(self):
        log = self.directory / "log"
        return [line.split(" ", 1) for line in log.read_text().splitlines()] if log.exists() else []

    def has(self, step):
        return any(name == step for name, _ in self.steps())

    def order(self, name, text):
        (self.directory / name).write_text(text)

    def call_off(self, name):
        (self.directory / name).unlink()


def flags(path, *more):
    return [f"--persistence.file={path}", *more]


def file_of(path):
    return path.with_name(path.name + ".weir")


def names(path):
    """What is in the directory, without the lock."""
    return sorted(name for name in os.listdir(path.parent) if not name.endswith(".lock"))


def own_metric(weir, name):
    return float(re.search(rf"^{name} (\S+)$", weir.get("/metrics").text, re.M)[1])


def written(weir):
    return own_metric(weir, "weir_state_last_write_time_seconds")


def failures(weir):
    return own_metric(weir, "weir_state_write_failures_total")


# ---- The life cycle -------------------------------------------------------------------------

MF1 = 'name: "mf1" type: UNTYPED metric { untyped { value: %s } }'
MF2 = """name: "mf2" help: "doc string 2" type: GAUGE
    metric { label { name: "basename" value: "basevalue2" } label { name: "labelname" value: "val2" }
      gauge { value: inf } }
    metric { label { name: "labelname" value: "val1" } gauge { value: -inf } }"""
MF3 = 'name: "mf3" type: UNTYPED metric { untyped { value: 42 } }'
MF4 = 'name: "mf4" type: UNTYPED metric { untyped { value: 3.4345 } }'
MF5 = 'name: "mf5" type: SUMMARY metric { summary { sample_count: 0 sample_sum: 0 } }'
MF_HIST = """name: "mf_hist" type: HISTOGRAM metric { histogram { sample_count_float: 20
    sample_sum: 99.23 schema: 1 negative_span { offset: 0 length: 2 }
    negative_span { offset: 0 length: 2 } negative_count: 2 negative_count: 2 negative_count: -2
    negative_count: 0 positive_span { offset: 0 length: 2 } positive_span { offset: 0 length: 2 }
    positive_count: 2 positive_count: 2 positive_count: -2 positive_count: 0 } }"""


def pushed(weir):
    """All pages without what is weir's own."""
    return {form: without_own(form, fetch(weir, form)) for form in ("text", "openmetrics", "protobuf")}


def without_own(form, page):
    own = ("weir_", "process_", "pushgateway_")
    if form == "protobuf":
        return [one.SerializeToString() for one in protobuf.decode(page)
                if not one.name.startswith(own)]
    return [line for line in page.decode().splitlines()
            if not line.removeprefix("# HELP ").removeprefix("# TYPE ").removeprefix("# UNIT ")
            .startswith(own)]


def everything(weir):
    return {**pushed(weir), "json": weir.get("/api/v1/metrics").text}


def kill(weir):
    """As a crash ends it."""
    weir.signal(signal.SIGKILL)
    assert weir.wait() == -signal.SIGKILL
    weir.process.stdout.close()
    weir.stop = lambda: None


def groups(weir):
    """Per group, by instance and job: its families with their times."""
    data = json.loads(weir.get("/api/v1/metrics").text)["data"]
    return {(one["labels"].get("instance"), one["labels"]["job"]):
            {name: family["time_stamp"] for name, family in one.items()
             if isinstance(family, dict) and name != "labels"} for one in data}


def push(weir, target, *families):
    answer = weir.post(target, protobuf.body(*families), protobuf.HEADERS)
    assert answer.status == 200, answer.text


@pytest.mark.smoke
def test_life_cycle(start_weir, path):
    weir = start_weir(*flags(path, OFTEN))
    push(weir, "/metrics/job/job1/instance/instance1", MF3)
    first = groups(weir)["instance1", "job1"]
    assert set(first) == {"mf3", "push_time_seconds", "push_failure_time_seconds"}
    push(weir, "/metrics/job/job1/instance/instance2", MF1 % 1, MF2)
    push(weir, "/metrics/job/job1/instance/instance1", MF_HIST)
    second = groups(weir)["instance1", "job1"]
    assert set(second) - set(first) == {"mf_hist"}
    assert second["mf3"] == first["mf3"]
    assert second["push_time_seconds"] > first["push_time_seconds"]
    push(weir, "/metrics/job/job1/instance/instance2", MF1 % -3000)
    push(weir, "/metrics/job/job5", MF5)
    before, times = everything(weir), groups(weir)
    weir.stop()

    weir = start_weir(*flags(path, OFTEN))
    assert everything(weir) == before
    assert groups(weir) == times
    assert weir.delete("/metrics/job/job1/instance/instance1").status == 202
    assert weir.delete("/metrics/job/job5").status == 202
    assert set(groups(weir)) == {("instance2", "job1")}
    push(weir, "/metrics/job/job3/instance/instance2", MF4)
    assert weir.delete("/metrics/job/job1").status == 202  # no such group
    assert set(groups(weir)) == {("instance2", "job1"), ("instance2", "job3")}
    assert weir.delete("/metrics/job/job3/instance/instance2").status == 202
    assert set(groups(weir)) == {("instance2", "job1")}
    # What was taken before the end is in the file, however short before.
    with weir.connect() as connection:
        for number in range(10):
            connection.request("POST", f"/metrics/job/job3/instance/{number}",
                               protobuf.body(MF4), protobuf.HEADERS)
        connection.request("POST", "/metrics/job/job4/instance/instance1",
                           protobuf.body('name: "mf_unlabelled" type: GAUGE metric { gauge { value: 42 } }'),
                           protobuf.HEADERS)
        assert connection.response().status == 200
        weir.signal()
        assert all(connection.response().status == 200 for _ in range(10))
    assert weir.wait() == 0
    weir = start_weir(*flags(path, NEVER))
    assert len(groups(weir)) == 12
    assert 'mf_unlabelled{instance="instance1",job="job4"} 42' in weir.get("/metrics").text


def test_no_file(start_weir, tmp_path):
    weir = start_weir()
    weir.put("/metrics/job/j", "m 1\n")
    weir.stop()
    weir = start_weir()
    assert groups(weir) == {}
    assert weir.get("/-/healthy").status == 200
    assert weir.get("/-/ready").status == 200
    assert "weir_state_groups_loaded " not in weir.get("/metrics").text


# ---- What is kept ---------------------------------------------------------------------------

OPENMETRICS = {"Content-Type": "application/openmetrics-text; version=1.0.0"}
RICH = r"""# TYPE c counter
# HELP c With a \\ and a\nline feed and "quotes".
c_total{a="x\"y\\z\n"} 17.000 # {trace_id="KOO5S4vxi0o"} 0.67 1520879607.789
c_created{a="x\"y\\z\n"} 1520872607.123
# TYPE h_seconds histogram
# UNIT h_seconds seconds
h_seconds_bucket{le="0.0"} 0
h_seconds_bucket{le="1.0"} 11 # {} 0.5
h_seconds_bucket{le="1e+05"} 1899
h_seconds_bucket{le="+Inf"} 2.55e+03
h_seconds_count 2.55e+03
h_seconds_sum 324789.300
h_seconds_created 1520430000.123
# TYPE s summary
s{quantile="0.95"} NaN
s_count 1
s_sum 1.0
# TYPE i info
i_info{"dotted.name"="ü",entity="controller"} 1
# TYPE st stateset
st{st="on"} 1
st{st="off"} 0
# TYPE g gaugehistogram
g_bucket{le="1.0"} 20
g_bucket{le="+Inf"} 29
g_gcount 29
g_gsum 54.5
# TYPE u unknown
u{empty=""} +Inf
# EOF
"""
TEXT = """# HELP t A \\\\ in the help.
# TYPE t gauge
t{"ö"="ä",b="2"} 1.500e+00
t -Inf
{"http.requests","http.code"="200"} 00012
# TYPE q summary
q{quantile="0.50"} 4.0
q_sum 1
q_count 2
"""


def test_all_that_formats_know(start_weir, path):
    more = ["--push.enable-utf8-names", "--push.disable-consistency-check"]
    weir = start_weir(*flags(path, NEVER, *more))
    assert weir.put("/metrics/job/open", RICH, OPENMETRICS).status == 202
    assert weir.put("/metrics/job/text/instance/i", TEXT).status == 202
    assert weir.post("/metrics/job/text/instance/i", "later 1\n").status == 202
    assert weir.put("/metrics/job/proto", protobuf.body(MF_HIST, MF2, MF5), protobuf.HEADERS).status == 202
    assert weir.put("/metrics/job/empty").status == 202
    assert weir.put("/metrics/job/text/instance@base64/=/zone@base64/=", 'z{instance="gone"} 1\n').status == 202
    assert weir.put("/metrics/job/own", 'own{instance="kept"} 1\n').status == 202
    # Refused, with its time kept; and shadowed, by another type, another group, itself.
    assert weir.put("/metrics/job/own", "m 1 5\n").status == 202
    assert weir.put("/metrics/job/other", "# TYPE t counter\nt 2\n").status == 202
    assert weir.put("/metrics/job/own/instance@base64/=", "twin 1\n").status == 202
    assert weir.put("/metrics/job/le/le/0.5", "# TYPE lh histogram\n" 'lh_bucket{le="1"} 1\n').status == 202
    assert weir.put("/metrics/job/wrong", protobuf.body(
        'name: "mismatch" type: COUNTER metric { gauge { value: 1 } }'), protobuf.HEADERS).status == 202
    # An order of lines that is not that of the groups.
    assert weir.post("/metrics/job/open", "later 0\n").status == 202
    assert weir.delete("/metrics/job/empty").status == 202
    assert weir.put("/metrics/job/last", "later 3\n").status == 202
    before = everything(weir)
    hidden = own_metric(weir, "weir_shadowed_blocks"), own_metric(weir, "weir_shadowed_groups")
    assert hidden[0] >= 3 and hidden[1] == 1
    weir.stop()
    weir = start_weir(*flags(path, NEVER, *more))
    assert everything(weir) == before
    assert (own_metric(weir, "weir_shadowed_blocks"), own_metric(weir, "weir_shadowed_groups")) == hidden
    # What was shadowed is shown when what it gave way to goes.
    assert "t 2" not in weir.get("/metrics").text
    weir.delete("/metrics/job/text/instance/i")
    assert 't{instance="",job="other"} 2' in weir.get("/metrics").text


def test_unchanged_layout_after_restart(start_weir, path):
    weir = start_weir(*flags(path, NEVER))
    weir.put("/metrics/job/j", "m 1\nn 1\n")
    weir.stop()
    weir = start_weir(*flags(path, NEVER))
    for number in range(3):
        assert weir.put("/metrics/job/j", f"m {number}\nn 1\n").status == 200
    assert 'm{instance="",job="j"} 2' in weir.get("/metrics").text


# ---- When it is written ---------------------------------------------------------------------


def test_nothing_changed(start_weir, path):
    weir = start_weir(*flags(path, OFTEN))
    weir.get("/metrics")
    weir.stop()
    assert names(path) == []
    weir = start_weir(*flags(path, OFTEN))
    weir.put("/metrics/job/j", "m 1\n")
    weir.stop()
    before = file_of(path).stat()
    weir = start_weir(*flags(path, OFTEN))
    weir.get("/metrics")
    weir.stop()
    after = file_of(path).stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert names(path) == ["pushgateway.data.weir"]


@pytest.mark.smoke
def test_survives_kill(start_weir, path):
    weir = start_weir(*flags(path, OFTEN))
    weir.put("/metrics/job/j", "m 1\n")
    first = wait_for(lambda: written(weir), "the file is written")
    weir.put("/metrics/job/j", "m 2\n")
    wait_for(lambda: written(weir) > first, "the file is written again")
    weir.put("/metrics/job/k", "m 3\n")
    weir.delete("/metrics/job/k")
    kill(weir)
    weir = start_weir(*flags(path, OFTEN))
    assert 'm{instance="",job="j"} 2' in weir.get("/metrics").text


def test_every_change_is_kept(start_weir, path):
    weir = start_weir(*flags(path, OFTEN), "--web.enable-admin-api")

    def after(act):
        before = written(weir)
        act()
        wait_for(lambda: written(weir) > before, "the file is written")

    after(lambda: weir.put("/metrics/job/j", "m 1\n"))
    after(lambda: weir.put("/metrics/job/j", "m 2\n"))
    after(lambda: weir.put("/metrics/job/j", "m{ 2\n m 1 5\n") and weir.put("/metrics/job/j", "m 1 5\n"))
    after(lambda: weir.delete("/metrics/job/j"))
    after(lambda: weir.put("/metrics/job/j?ttl=200ms", "m 1\n"))
    wait_for(lambda: groups(weir) == {}, "the group expires")
    after(lambda: weir.put("/metrics/job/j", "m 1\n"))
    after(lambda: weir.put("/api/v1/admin/wipe"))
    weir.stop()
    weir = start_weir(*flags(path, NEVER))
    assert groups(weir) == {}


def test_pushes_go_on_meanwhile(start_weir, path, disk):
    weir = start_weir(*flags(path, "--persistence.interval=0s"), variables=disk.variables())
    disk.order("hold", "fsync")
    for number in range(50):
        weir.put(f"/metrics/job/j/number/{number}", "m 1\n")
    wait_for(lambda: disk.has("fsync"), "it is being written")
    assert weir.put("/metrics/job/j/number/1", "m 2\n").status == 200
    assert weir.delete("/metrics/job/j/number/2").status == 202
    # What is replaced meanwhile is not kept until the disk has it all.
    taken = own_metric(weir, "weir_stored_bytes")
    for number in range(100, 200):
        assert weir.put("/metrics/job/j/number/1", f"m {number}\n").status == 200
    wait_for(lambda: own_metric(weir, "weir_stored_bytes") <= taken, "what was replaced is let go")
    disk.call_off("hold")
    wait_for(lambda: written(weir), "it is written")
    weir.stop()
    weir = start_weir(*flags(path, NEVER))
    page = weir.get("/metrics").text
    assert 'm{instance="",job="j",number="1"} 199' in page
    assert 'number="2"' not in page
    assert page.count("\nm{") == 49


def ready_to_take_over(weir):
    pretender = Pretender(weir.stderr_path.parent / "data")
    pretender.offer()
    pretender.send(READY)
    return pretender


def test_nobody_waits_for_the_disk_in_a_takeover(start_weir, path, disk):
    weir = start_weir(*flags(path, OFTEN, "--timeout.takeover=5s"), variables=disk.variables())
    disk.order("hold", "fsync")
    weir.put("/metrics/job/j", "m 1\n")
    wait_for(lambda: disk.has("fsync"), "it is being written")
    with ready_to_take_over(weir) as pretender:
        for number in range(100):
            assert weir.put("/metrics/job/j", f"m {number}\n").status == 200
        disk.call_off("hold")
        pretender.until(STATE)
        assert [name for name, _ in disk.steps()][-2:] == ["rename", "fsync"]


def test_file_is_left_alone_once_all_is_handed_over(start_weir, path, disk):
    """What is begun then could end when the new one has written later changes."""
    weir = start_weir(*flags(path, OFTEN), variables=disk.variables())
    disk.order("fail", f"fsync {errno.ENOSPC}")
    weir.put("/metrics/job/j", "m 1\n")
    wait_for(lambda: "cannot write the state" in weir.stderr(), "it is to be tried again")
    disk.call_off("fail")
    with ready_to_take_over(weir) as pretender:
        pretender.until(STATE)
        steps = len(disk.steps())
        with pytest.raises(AssertionError):
            wait_for(lambda: len(disk.steps()) > steps, "a step while another weir loads", 2)
    wait_for(lambda: written(weir), "it is written when the other one has given up")


# ---- How it is written ----------------------------------------------------------------------


def test_order_of_steps(start_weir, path, disk):
    weir = start_weir(*flags(path, OFTEN), variables=disk.variables())
    weir.put("/metrics/job/j", "m 1\n")
    wait_for(lambda: written(weir), "the file is written")
    steps = disk.steps()
    assert [name for name, _ in steps] == ["write", "fsync", "rename", "fsync"]
    draft = steps[0][1]
    assert re.fullmatch(re.escape(str(file_of(path))) + r"\.tmp-\w{6}", draft)
    assert [where for _, where in steps] == [draft, draft, str(file_of(path)), str(path.parent)]
    assert stat.S_IMODE(file_of(path).stat().st_mode) == 0o600


@pytest.mark.parametrize("step", ["write", "fsync", "rename"])
def test_killed_while_writing(start_weir, path, disk, step):
    weir = start_weir(*flags(path, NEVER))
    weir.put("/metrics/job/j", "m 1\n")
    weir.stop()
    whole = file_of(path).read_bytes()
    disk.order("hold", step)
    weir = start_weir(*flags(path, OFTEN), variables=disk.variables())
    weir.put("/metrics/job/k", "m 2\n")
    wait_for(lambda: disk.has(step), "it is being written")
    kill(weir)
    assert file_of(path).read_bytes() == whole
    assert len(names(path)) == 2
    # Files of others are left alone, however much they look like weir's.
    others = [path.with_name(path.name + end) for end in (".weir.tmp-", ".weir.tmp-1234567", ".tmp-123456")]
    for other in others:
        other.touch()
    weir = start_weir(*flags(path, NEVER))
    assert set(groups(weir)) == {(None, "j")}
    assert names(path) == sorted([file_of(path).name, *(other.name for other in others)])


@pytest.mark.parametrize("step", ["write", "fsync", "rename"])
def test_failures(start_weir, path, disk, step):
    weir = start_weir(*flags(path, OFTEN), variables=disk.variables())
    weir.put("/metrics/job/j", "m 1\n")
    before = wait_for(lambda: written(weir), "the file is written")
    whole = file_of(path).read_bytes()
    disk.order("fail", f"{step} {errno.ENOSPC}")
    weir.put("/metrics/job/j", "m 2\n")
    wait_for(lambda: failures(weir) >= 2, "it is tried again")
    assert weir.put("/metrics/job/k", "m 3\n").status == 200
    assert weir.stderr().count("cannot write the state") == 1
    assert "No space left on device" in weir.stderr()
    assert file_of(path).read_bytes() == whole
    assert names(path) == [file_of(path).name]
    disk.call_off("fail")
    wait_for(lambda: written(weir) > before, "it is written again")
    assert "the state is written again" in weir.stderr()
    weir.stop()


def test_failure_at_the_end(start_weir, path, disk):
    weir = start_weir(*flags(path, NEVER), variables=disk.variables())
    weir.put("/metrics/job/j", "m 1\n")
    disk.order("fail", f"fsync {errno.EIO}")
    weir.signal()
    assert weir.wait() == 1
    assert "cannot write the state" in weir.stderr()
    weir.process.stdout.close()
    weir.stop = lambda: None
    assert names(path) == []


def test_end_while_writing(start_weir, path, disk):
    weir = start_weir(*flags(path, OFTEN), variables=disk.variables())
    disk.order("hold", "fsync")
    weir.put("/metrics/job/j", "m 1\n")
    wait_for(lambda: disk.has("fsync"), "it is being written")
    weir.put("/metrics/job/j", "m 2\n")
    weir.signal()
    wait_for(lambda: "stopping" in weir.stderr(), "it stops")
    disk.call_off("hold")
    assert weir.wait() == 0
    weir = start_weir(*flags(path, NEVER))
    assert 'm{instance="",job="j"} 2' in weir.get("/metrics").text


def test_second_signal_at_the_end(start_weir, path, disk):
    weir = start_weir(*flags(path, NEVER), variables=disk.variables())
    weir.put("/metrics/job/j", "m 1\n")
    disk.order("hold", "fsync")
    weir.signal()
    wait_for(lambda: disk.has("fsync"), "it is being written")
    weir.signal(signal.SIGTERM)
    weir.signal(signal.SIGINT)
    disk.call_off("hold")
    assert weir.wait() == 0
    assert file_of(path).exists()


# ---- What is there at start -----------------------------------------------------------------


def fill(start_weir, path, count=3):
    weir = start_weir(*flags(path, NEVER))
    for number in range(count):
        weir.put(f"/metrics/job/j{number}", f'm{{mark="mark{number}"}} 1\n')
    weir.stop()
    return file_of(path).read_bytes()


def damaged(data):
    return data.replace(b"mark1", b"mask1")


CASES = {
    "a record": (damaged, 2, r'group="?instance=.*job=.*j1'),
    "cut off": (lambda data: data[:-30], None, "the file ends before its end"),
    "a hole": (lambda data: data[:300] + bytes(60) + data[360:], None, "what is here is no record"),
    "empty": (lambda data: b"", 0, "the headers cannot be read"),
    "in the header": (lambda data: data[:20], 0, "the headers cannot be read"),
    "more behind": (lambda data: data + b"more", 3, "what is here is no record"),
}


@pytest.mark.parametrize("case", CASES)
def test_damaged(start_weir, path, case):
    change, count, words = CASES[case]
    data = change(fill(start_weir, path))
    file_of(path).write_bytes(data)
    weir = start_weir(*flags(path, OFTEN))
    have = len(groups(weir))
    assert have == count if count is not None else 1 <= have < 3 or case == "cut off"
    assert re.search(words, weir.stderr()), weir.stderr()
    assert own_metric(weir, "weir_state_records_set_aside") >= 1
    assert own_metric(weir, "weir_state_groups_loaded") == have
    assert weir.put("/metrics/job/new", "m 1\n").status == 200
    weir.stop()
    aside = [name for name in names(path) if ".damaged-" in name]
    assert len(aside) == 1
    assert re.fullmatch(r"pushgateway\.data\.weir\.damaged-\d{8}T\d{6}Z", aside[0])
    assert (path.parent / aside[0]).read_bytes() == data
    weir = start_weir(*flags(path, OFTEN))
    assert len(groups(weir)) == have + 1
    assert own_metric(weir, "weir_state_records_set_aside") == 0
    # The next one gets a name of its own.
    weir.stop()
    file_of(path).write_bytes(damaged(data) or b"weir")
    start_weir(*flags(path, OFTEN)).stop()
    assert len([name for name in names(path) if ".damaged-" in name]) == 2
    assert (path.parent / aside[0]).read_bytes() == data


def test_damaged_and_killed(start_weir, path, disk):
    """A weir that ends before it has written another file leaves one aside, not many."""
    data = damaged(fill(start_weir, path))
    file_of(path).write_bytes(data)
    disk.order("hold", "write")
    for _ in range(3):
        weir = start_weir(*flags(path, OFTEN), variables=disk.variables())
        assert len(groups(weir)) == 2
        kill(weir)
        assert file_of(path).read_bytes() == data
        assert len([name for name in names(path) if ".damaged-" in name]) == 1


@pytest.mark.parametrize("what", ["foreign", "newer"])
def test_not_ours(start_weir, path, tmp_path, what):
    data = fill(start_weir, path)
    if what == "foreign":
        data, words = b"\x0c\xff\x81\x04\x01\x02 some gob" * 50, "is no state of weir"
    else:
        header = data[:8] + b"\x02\0\0\0" + data[12:16] + b"weir 99.1\0".ljust(48) + data[64:128]
        data, words = header * 2 + data[256:], "of a newer weir.*written_by=\"?weir 99.1"
    file_of(path).write_bytes(data)
    code, log = run_weir(tmp_path, *flags(path))
    assert code == 1
    assert re.search(words, log), log
    assert file_of(path).read_bytes() == data
    assert names(path) == [file_of(path).name]


def test_pushgateway_file_is_left_alone(start_weir, path):
    path.write_bytes(b"gob")
    before = path.stat()
    weir = start_weir(*flags(path, OFTEN))
    assert "a Pushgateway's state is there, which weir does not read" in weir.stderr()
    weir.put("/metrics/job/j", "m 1\n")
    weir.stop()
    assert path.read_bytes() == b"gob"
    assert path.stat().st_mtime_ns == before.st_mtime_ns
    weir = start_weir(*flags(path, OFTEN))
    assert "Pushgateway's state" not in weir.stderr()
    assert set(groups(weir)) == {(None, "j")}


def test_loaded_before_anybody_is_answered(start_weir, path):
    fill(start_weir, path, 5)
    weir = start_weir(*flags(path, NEVER))
    assert len(groups(weir)) == 5
    log = weir.stderr()
    assert re.search(r"state loaded.* groups=5 series=5 bytes=\d+ .*seconds=", log), log
    assert log.index("state loaded") < log.index("listening")


def test_two_weirs_on_one_file(start_weir, path, tmp_path):
    weir = start_weir(*flags(path, OFTEN))
    weir.put("/metrics/job/j", "m 1\n")
    code, log = run_weir(tmp_path, *flags(path))
    assert code == 1
    assert "in use by another weir" in log


@pytest.mark.parametrize("given, words", [
    ("missing/state", "No such file or directory"),
    ("file/state", "Not a directory"),
    ("", "is a directory"),
])
def test_where_nothing_can_be_written(tmp_path, given, words):
    (tmp_path / "file").touch()
    code, log = run_weir(tmp_path, f"--persistence.file={tmp_path}/{given}")
    assert code == 1
    assert words in log, log


def test_relative_path(start_weir):
    weir = start_weir("--persistence.file=state", OFTEN)
    weir.put("/metrics/job/j", "m 1\n")
    weir.stop()
    assert (weir.stderr_path.parent / "state.weir").exists()
