"""weir check: what it says about pages, and that a push is answered accordingly.

tests/golden/check/ has a page and beside it, ending in .out, what weir check says about it. After
a change of words: WEIR_RENEW_GOLDEN=1 scripts/test integration, and read the difference.
"""

import os
import subprocess

import pytest

from harness import BINARY, REPOSITORY

GOLDEN = REPOSITORY / "tests" / "golden" / "check"
PAGES = sorted(path.name for path in GOLDEN.iterdir() if path.suffix != ".out")
TIMEOUT = 60  # seconds

CONTENT_TYPES = {
    ".txt": "text/plain; version=0.0.4",
    ".om": "application/openmetrics-text; version=1.0.0",
    ".pb": "application/vnd.google.protobuf; encoding=delimited; "
           "proto=io.prometheus.client.MetricFamily",
}


def check(*arguments, page=b"", cwd=None):
    return subprocess.run([BINARY, "check", *arguments], input=page, capture_output=True, cwd=cwd,
                          timeout=TIMEOUT, check=False)


def said(done):
    """All that was said, the findings before the verdict."""
    return (done.stderr + done.stdout).decode()


@pytest.mark.parametrize("name", PAGES)
def test_golden(name):
    done = check(name, cwd=GOLDEN)
    text = said(done) + f"exit {done.returncode}\n"
    wanted = GOLDEN / (name + ".out")
    if os.environ.get("WEIR_RENEW_GOLDEN"):
        wanted.write_text(text)
    assert text == wanted.read_text()


@pytest.mark.parametrize("name", PAGES)
def test_push_agrees(weir, name):
    """What is refused by one is refused by the other."""
    done = check(name, cwd=GOLDEN)
    page = (GOLDEN / name).read_bytes()
    headers = {"Content-Type": CONTENT_TYPES[os.path.splitext(name)[1]]}
    answer = weir.request("PUT", "/metrics/job/check", page, headers)
    has_timestamps = b"samples have timestamps" in done.stderr
    assert answer.status == (200 if done.returncode == 0 and not has_timestamps else 400)


@pytest.mark.smoke
def test_exit_codes_and_streams():
    fine = check("-", page=b"# HELP m x\n# TYPE m gauge\nm 1\n")
    assert fine.returncode == 0
    assert fine.stdout == b"<stdin>: 1 family, 1 sample, text: ok\n"
    assert fine.stderr == b""

    warned = check("-", page=b"m 1\n")
    assert warned.returncode == 0
    assert warned.stdout == b"<stdin>: 1 family, 1 sample, text: ok, 1 warning\n"
    assert warned.stderr.startswith(b"<stdin>:1:1: warning: ")

    faulty = check("-", page=b"m{a=b} 1\n")
    assert faulty.returncode == 1
    assert faulty.stdout == b""
    assert faulty.stderr == (b"<stdin>:1:5: expected '\"' at start of label value, found 'b'\n"
                             b"    m{a=b} 1\n"
                             b"        ^\n"
                             b"hint: label values are in double quotes\n"
                             b"<stdin>: 1 fault, read as text\n")


@pytest.mark.parametrize("arguments, what", [
    ([], "no file"),
    (["a", "b"], "one file at a time"),
    (["--frmat=text", "a"], "unknown flag '--frmat=text'"),
    (["-x", "a"], "unknown flag '-x'"),
    (["--format=xml", "a"], "unknown format 'xml'"),
    (["--format", "xml", "a"], "unknown format 'xml'"),
    (["--format=", "a"], "unknown format ''"),
    (["--format"], "expected argument for flag '--format'"),
    (["--format=text", "--format=text", "a"], "cannot be repeated"),
    (["--"], "no file"),
])
def test_bad_usage(arguments, what):
    done = check(*arguments)
    assert done.returncode == 2
    assert done.stdout == b""
    assert done.stderr.decode().startswith("weir check: error: ")
    assert what in done.stderr.decode()
    assert done.stderr.decode().endswith(", try --help\n")


def test_unreadable(tmp_path):
    for path, why in ((tmp_path / "none", "No such file"), (tmp_path, "Is a directory")):
        done = check(str(path))
        assert done.returncode == 2
        assert done.stderr.decode().startswith(f"weir check: error: {path}: {why}")


@pytest.mark.parametrize("flag", ["--help", "-h"])
def test_help(flag):
    done = check(flag)
    assert done.returncode == 0
    assert done.stdout.startswith(b"usage: weir check ")
    assert done.stderr == b""


def test_file_that_looks_like_a_flag(tmp_path):
    (tmp_path / "--format").write_bytes(b"m 1\n")
    done = check("--", "--format", cwd=tmp_path)
    assert done.returncode == 0
    assert done.stdout.startswith(b"--format: 1 family")


@pytest.mark.parametrize("page, name", [
    (b"", "text"),
    (b"m 1\n", "text"),
    (b"\n\n\n\n\n\n\n\n\n\n\n\n\n", "text"),
    (b"m\n", "text"),
    (b"# EOF x\n", "text"),
    (b"m 1 # EOF\n", "text"),
    (b"\xff\xfe\x00", "text"),
    (b"{\"m\"} 1\n", "text"),
    (b"# EOF\n", "openmetrics"),
    (b"# EOF", "openmetrics"),
    (b"m 1\n# EOF\r\n", "openmetrics"),
    (b"m 1\n# EOF\n\n", "openmetrics"),
    (b"\x00", "protobuf"),
    (b"\x05\x0a\x01m\x18\x01", "protobuf"),
    (b"\x05\x0a\x01m", "protobuf"),
])
def test_guess(page, name):
    done = check("-", page=page)
    assert f", {name}: ok" in said(done) or f", read as {name}\n" in said(done)


def test_format_is_obeyed():
    page = b"# HELP m x\n# TYPE m gauge\nm 1\n# EOF\n"
    assert b"openmetrics: ok" in check("-", page=page).stdout
    assert b"text: ok" in check("--format", "text", "-", page=page).stdout
    assert b"read as protobuf" in check("--format=protobuf", "-", page=page).stderr


def test_utf8_names():
    page = (GOLDEN / "names_utf8.txt").read_bytes()
    refused = check("-", page=page)
    assert b"--push.enable-utf8-names" in refused.stderr
    taken = check("--push.enable-utf8-names", "-", page=page)
    assert taken.returncode == 1
    assert taken.stderr.decode().startswith(
        '<stdin>:4:1: {"http.requests","http.method"="GET"} is there twice, first in line 3\n')


def test_what_is_shown_is_printable():
    page = b'm{a="\x1b[31m"} 1\nm{a="\x1b[31m"} \x1b[0m\nm{a="\x1b[31m"} 2\n\xc2\x9b 1\n'
    done = check("-", page=page)
    assert done.returncode == 1
    assert not set(done.stderr) & (set(range(0x20)) - {0x0a} | {0x7f, 0x9b})


def test_lines_keep_their_numbers():
    """Also when lines before were taken out: in places, in messages, in hints."""
    page = (b"m{a=1} 1\n"  # 1
            b"# HELP m first\n"
            b"m{a=1} 1\n"
            b"# HELP m second\n"  # 4
            b'm{b="line 2"} 1\n'
            b"m{a=1} 1\n"
            b'm{b="line 2"} 1\n')  # 7
    text = check("-", page=page).stderr.decode()
    places = [line.split(":")[1] for line in text.splitlines() if line.startswith("<stdin>:")]
    assert places[:-1] == ["1", "3", "4", "6", "7"]
    assert "hint: line 2 is the first" in text
    assert 'm{b="line 2"} is there twice, first in line 5\n' in text


def test_large_page(tmp_path):
    """Many lines, each fault found, in memory that follows the size."""
    path = tmp_path / "large.txt"
    lines = [f'm{{number="{i}",text="{"x" * 60}"}} {i}\n' for i in range(200_000)]
    for i in range(5):
        lines[i * 40_000 + 7] = "m 1,5\n"
    path.write_text("# HELP m x\n# TYPE m gauge\n" + "".join(lines))
    done = check(str(path))
    assert done.returncode == 1
    assert done.stderr.count(b"expected float as value") == 5
    assert done.stderr.endswith(b"large.txt: 5 faults, read as text\n")


def test_endless_duplicates():
    done = check("-", page=b"# HELP m x\n# TYPE m gauge\n" + b'm{a="b"} 1\n' * 100_000)
    assert done.returncode == 1
    assert done.stderr.count(b"is there twice") == 20
    assert done.stderr.endswith(b"<stdin>: too many faults, read as text\n")


@pytest.mark.parametrize("page", [
    b"# TYPE a counter\n# HELP a x\na_total 17 1\na_total 18 2\n# EOF\n",
    b"# TYPE h histogram\n# HELP h x\nh_bucket{le=\"1.0\"} 2 1\nh_bucket{le=\"+Inf\"} 3 1\n"
    b"h_bucket{le=\"1.0\"} 2 2\nh_bucket{le=\"+Inf\"} 4 2\n# EOF\n",
    b"# TYPE i info\n# HELP i x\ni_info{a=\"1\"} 1 1\ni_info{a=\"1\"} 1 2\n# EOF\n",
    b"# TYPE g gauge\n# HELP g x\ng{x=\"\"} 1\ng 2\n# EOF\n",
])
def test_openmetrics_decides_about_itself(page):
    """Points of a metric and labels without a value are its own business."""
    done = check("-", page=page)
    assert done.returncode == 0, done.stderr
    assert b"warning: " in done.stderr and b"is there twice" not in done.stderr.replace(
        b"warning: g is there twice", b"")
