"""scripts/site/push-textfiles: each *.prom is pushed for itself, and what is gone or broken goes."""

import os
import shutil
import threading

import pytest

from harness import BINARY, wait_for
from sites import FakeServer, Site, reply, small_tools

QUICK = "--settle=0.05"


class Textfiles(Site):
    def __init__(self, directory, server, **options):
        super().__init__(directory, server, **options)
        self.files = directory / "files"
        self.files.mkdir()

    def write(self, name, text):
        new = self.files / "new"
        new.write_bytes(text.encode() if isinstance(text, str) else text)
        new.rename(self.files / name)

    def arguments(self, *further):
        return "push-textfiles", str(self.files), QUICK, *further


@pytest.fixture
def textfiles(cleared_weir, tmp_path):
    return Textfiles(tmp_path / "site", cleared_weir.url)


def shown(weir, name):
    """{file: value} of one metric; file None: of none."""
    found = {}
    for (sample, labels), value in weir.scrape().samples.items():
        if sample == name:
            labels = dict(labels)
            assert (labels["job"], labels["instance"]) == ("textfile", "10.0.0.1")
            found[labels.get("textfile", labels.get("file"))] = float(value)
    return found


@pytest.mark.smoke
def test_files_come_change_and_go(cleared_weir, textfiles):
    textfiles.write("battery.prom", "# TYPE battery_charge gauge\nbattery_charge 0.5\n")
    textfiles.write("disk.prom", "disk_age 3\n")
    textfiles.write("other.txt", "other 1\n")
    textfiles.succeed(*textfiles.arguments())
    assert shown(cleared_weir, "battery_charge") == {"battery.prom": 0.5}
    assert shown(cleared_weir, "textfile_error") == {"battery.prom": 0, "disk.prom": 0}
    assert shown(cleared_weir, "textfile_directory_up") == {None: 1}
    mtimes = shown(cleared_weir, "textfile_mtime_seconds")
    assert mtimes["disk.prom"] == int((textfiles.files / "disk.prom").stat().st_mtime)
    textfiles.write("battery.prom", "battery_volts 12\n")
    (textfiles.files / "disk.prom").unlink()
    textfiles.succeed(*textfiles.arguments())
    assert shown(cleared_weir, "battery_charge") == {} == shown(cleared_weir, "disk_age")
    assert shown(cleared_weir, "battery_volts") == {"battery.prom": 12}
    assert shown(cleared_weir, "textfile_error") == {"battery.prom": 0}
    assert len(cleared_weir.scrape().groups()) == 2


@pytest.mark.parametrize("checker,words", [
    pytest.param(BINARY, "bad.prom: 2:3: expected float as value, got \"x\"", id="checked"),
    pytest.param("/none", "bad.prom: was refused", id="not checked")])
def test_broken_file_loses_itself_alone(cleared_weir, textfiles, checker, words):
    arguments = textfiles.arguments(f"--weir={checker}")
    for name in ("a.prom", "bad.prom", "z.prom"):
        textfiles.write(name, f"from_{name[0]} 1\n")
    textfiles.succeed(*arguments)
    textfiles.write("bad.prom", "from_b 1\nm x\n")
    textfiles.write("z.prom", "from_z 2\n")
    said = textfiles.fail(*arguments)
    assert words in said, said
    assert shown(cleared_weir, "textfile_error") == {"a.prom": 0, "bad.prom": 1, "z.prom": 0}
    assert shown(cleared_weir,
                 "from_z") == {"z.prom": 2} and shown(cleared_weir, "from_a") == {"a.prom": 1}
    assert shown(cleared_weir, "from_b") == {}  # what it was once is not true any more
    textfiles.write("bad.prom", "from_b 3\n")
    textfiles.succeed(*arguments)
    assert shown(cleared_weir,
                 "textfile_error")["bad.prom"] == 0 and shown(cleared_weir, "from_b") == {"bad.prom": 3}


BROKEN = {"no end": "m 1", "twice": "m 1\nm 1\n", "timestamp": "m 1 1700000000000\n",
          "nul": 'm{a="\x00',
          "no UTF-8": b'm{a="\xff"} 1\n', "HTML": "<p>\n"}


@pytest.mark.parametrize("checker", [BINARY, "/none"], ids=["checked", "not checked"])
def test_kinds_of_broken_files(cleared_weir, textfiles, checker):
    textfiles.write("good.prom", "good 1\n")
    for kind, text in BROKEN.items():
        textfiles.write(f"{kind}.prom", text)
    said = textfiles.fail(*textfiles.arguments(f"--weir={checker}"))
    assert all(f"{kind}.prom: " in said for kind in BROKEN)
    assert shown(cleared_weir, "textfile_error") == {
        "good.prom": 0, **{f"{kind}.prom": 1 for kind in BROKEN}}
    assert shown(cleared_weir, "good") == {"good.prom": 1} and shown(cleared_weir, "m") == {}


def test_files_that_contradict_each_other(cleared_weir, textfiles):
    textfiles.write("a.prom", "# TYPE m gauge\nm 1\n")
    textfiles.write("b.prom", "# TYPE m counter\nm 1\n")
    textfiles.write("c.prom", "# TYPE m gauge\nm 3\n")
    assert "answered 400" in textfiles.fail(*textfiles.arguments())
    assert shown(cleared_weir, "m") == {"a.prom": 1, "c.prom": 3}
    assert shown(cleared_weir, "textfile_error") == {"a.prom": 0, "b.prom": 1, "c.prom": 0}


@pytest.mark.parametrize("text", [
    'textfile_error{file="x"} 3\n', "textfile_mtime_seconds 1\n", "# TYPE textfile_directory_up counter\n",
    "#  TYPE  textfile_error untyped\n", "m 1\n\ttextfile_error 1\n", '{"textfile_error"} 1\n'])
@pytest.mark.parametrize("checker", [BINARY, "/none"], ids=["checked", "not checked"])
def test_file_with_names_of_push_textfiles_own(cleared_weir, textfiles, checker, text):
    """It comes first, and what there is to know of all files would contradict it."""
    textfiles.write("own.prom", text)
    textfiles.write("z.prom", "textfile_errors 1\n# as textfile_error is\n")
    assert "own.prom: has metrics of push-textfiles' own" in textfiles.fail(*textfiles.arguments(f"--weir={checker}"))
    assert shown(cleared_weir, "textfile_error") == {"own.prom": 1, "z.prom": 0}
    assert shown(cleared_weir, "textfile_errors") == {"z.prom": 1}


def test_file_that_is_being_written(cleared_weir, textfiles):
    """It is whole lines, but goes on changing: what was pushed before stays, and it is no error."""
    file = textfiles.files / "slow.prom"
    textfiles.write("slow.prom", "slow 1\n")
    textfiles.write("quick.prom", "quick 1\n")
    textfiles.succeed(*textfiles.arguments())
    textfiles.write("quick.prom", "quick 2\n")
    done = threading.Event()

    def write():
        with open(file, "w") as out:
            for number in range(100000):
                out.write(f'slow_part{{n="{number}"}} 1\n')
                out.flush()
                if done.wait(0.005):
                    break

    thread = threading.Thread(target=write)
    thread.start()
    try:
        said = textfiles.succeed(*textfiles.arguments()).stderr
        assert "slow.prom: is being written; it has another turn" in said
        assert shown(cleared_weir,
                     "slow") == {"slow.prom": 1} and shown(cleared_weir, "slow_part") == {}
        assert shown(cleared_weir, "quick") == {"quick.prom": 2}
        assert shown(cleared_weir, "textfile_error") == {"quick.prom": 0, "slow.prom": 0}
    finally:
        done.set()
        thread.join()
    textfiles.succeed(*textfiles.arguments())
    assert shown(cleared_weir, "slow") == {}
    assert cleared_weir.scrape().total("slow_part") == file.read_text().count("\n") > 0


def test_names_of_any_kind(cleared_weir, textfiles):
    names = ['a b.prom', 'q"uote.prom', "back\\slash.prom", "-n.prom", "ü.prom", "line\nfeed.prom",
             "*.prom", "..prom"]
    for number, name in enumerate(names):
        textfiles.write(name, f"m {number}\n")
    (textfiles.files / os.fsdecode(b"\xff.prom")).write_text("m 1\n")
    (textfiles.files / "directory.prom").mkdir()
    assert "its name is not UTF-8" in textfiles.fail(*textfiles.arguments())
    seen = {name: float(number) for number, name in enumerate(names) if not name.startswith(".")}
    assert shown(cleared_weir, "m") == seen
    assert shown(cleared_weir, "textfile_error") == dict.fromkeys(seen, 0)
    for name in names:
        (textfiles.files / name).unlink()
    textfiles.fail(*textfiles.arguments())
    assert shown(cleared_weir, "m") == {} == shown(cleared_weir, "textfile_error")


def test_file_that_nobody_writes(cleared_weir, textfiles):
    textfiles.write("old.prom", "old 1\n")
    textfiles.write("new.prom", "new 1\n")
    textfiles.succeed(*textfiles.arguments("--max-age=1h"))
    os.utime(textfiles.files / "old.prom", (1, 1))
    said = textfiles.fail(*textfiles.arguments("--max-age=1h"))
    assert "nobody has written it for more than 3600" in said
    assert shown(cleared_weir, "old") == {} and shown(cleared_weir, "new") == {"new.prom": 1}
    assert shown(cleared_weir, "textfile_error") == {"new.prom": 0, "old.prom": 1}
    textfiles.succeed(*textfiles.arguments())
    assert shown(cleared_weir, "old") == {"old.prom": 1}


def test_directory_that_is_not_there(cleared_weir, textfiles):
    textfiles.write("a.prom", "a 1\n")
    textfiles.succeed(*textfiles.arguments())
    textfiles.files.rename(textfiles.directory / "moved")
    assert "cannot be read" in textfiles.fail(*textfiles.arguments())
    assert shown(cleared_weir, "textfile_directory_up") == {None: 0}


def test_empty_directory(cleared_weir, textfiles):
    textfiles.succeed(*textfiles.arguments(), TEXTFILE_DIR="/none")
    assert shown(cleared_weir, "textfile_directory_up") == {None: 1}


def test_small_shell_and_again_and_again(cleared_weir, tmp_path):
    site = Textfiles(tmp_path / "site", cleared_weir.url, shell=[shutil.which("busybox"), "sh"],
                     path=small_tools(tmp_path / "tools"))
    site.write("a b.prom", "a 1\n")
    with site.running(*site.arguments("--every=0.2")):
        wait_for(lambda: shown(cleared_weir, "a") == {"a b.prom": 1}, "the file is there")
        site.write("b.prom", "b\n")
        wait_for(lambda: shown(cleared_weir, "textfile_error") == {"a b.prom": 0, "b.prom": 1},
                 "b is an error")
        site.write("b.prom", "textfile_error 1\n")
        wait_for(lambda: "metrics of push-textfiles' own" in site.log(), "b is known for what it is")
        (site.files / "a b.prom").unlink()
        wait_for(lambda: shown(cleared_weir, "a") == {}, "the file is gone")


def test_weir_that_is_away_loses_nothing(textfiles):
    status = 503
    with FakeServer(lambda handler, request: reply(handler, status)) as fake:
        textfiles.variables["PUSHGATEWAY_SERVER"] = fake.url
        textfiles.write("a.prom", "a 1\n")
        textfiles.write("b.prom", "b 1\n")
        textfiles.fail(*textfiles.arguments())
        assert [request.method for request in fake.requests] == ["PUT"]
        status = 200
        textfiles.succeed(*textfiles.arguments())
        (textfiles.files / "a.prom").unlink()
        status = 503
        textfiles.fail(*textfiles.arguments())
        status = 202
        textfiles.succeed(*textfiles.arguments())
        assert [request.path.rpartition("/")[2] for request in fake.requests
                if request.method == "DELETE"][-1] == "a.prom"
        assert textfiles.succeed(*textfiles.arguments()).stderr == ""


@pytest.mark.parametrize("arguments,words", [
    (["a", "b"], "one directory a run"), (["--what"], "unknown option"),
    (["--settle=1x"], "a duration is")])
def test_misuse(site, arguments, words):
    assert words in site.fail("push-textfiles", *arguments, code=2)
