"""Client libraries that Debian has not, or not so new: Go, Java, Python."""

import os
import subprocess
from pathlib import Path

import pytest

import exposition
from built import BUILT
from exposition import fetch
from harness import wait_for

HERE = Path(__file__).resolve().parent
CLASS_PATH = f"{BUILT / 'java' / 'classes'}:{BUILT / 'java' / 'libraries'}/*"

needs_go = pytest.mark.skipif(not (BUILT / "extra.test").exists(), reason="no Go tests built")
needs_java = pytest.mark.skipif(not (BUILT / "java" / "classes" / "Push.class").exists(),
                                reason="no Java client built")
needs_python = pytest.mark.skipif(not (BUILT / "python" / "bin" / "python").exists(),
                                  reason="no newer Python client installed")


def run(*command, **environment):
    done = subprocess.run([str(word) for word in command], cwd=HERE / "go", capture_output=True,
                          text=True, timeout=300, check=False,
                          env={**os.environ, **environment})
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-5000:]
    return done.stdout


@needs_go
@pytest.mark.parametrize("test", ["TestPush", "TestNativeHistogramAndExemplarsComeBack",
                                  "TestNegotiation", "TestEscaping", "TestTextParsersAgree",
                                  "TestProtobufDecodersAgree"])
def test_go(start_weir, test):
    flags = ["--push.enable-utf8-names"] if test == "TestEscaping" else []
    weir = start_weir("--web.enable-admin-api", *flags)
    print(run(BUILT / "extra.test", "-test.v", "-test.run", f"^{test}$", WEIR_URL=weir.url))


@needs_python
def test_newest_python_client(start_weir):
    weir = start_weir("--push.enable-utf8-names")
    run(BUILT / "python" / "bin" / "python", HERE / "python" / "client.py",
        weir.url.removeprefix("http://"))


def java(weir, library, job="j"):
    run("java", "-cp", CLASS_PATH, "Push", library, weir.url.removeprefix("http://"), job)


@needs_java
def test_java_by_default_in_protobuf(weir):
    java(weir, "new")
    key = {"job": "j", "path": "/var/tmp", "zone": "ж"}
    families = exposition.protobuf_families(fetch(weir, "protobuf"))
    page = weir.scrape()
    assert page.value("jobs_total", kind='a"b\\c\nd', **key) == 3
    assert page.families["jobs_total"].type == "counter"
    assert page.value("temperature_celsius", **key) == -1.5
    assert page.value("classic_seconds_bucket", le="1", **key) == 11
    assert page.value("native_seconds_count", **key) == 100
    assert page.value("size_bytes_count", **key) == 100
    assert page.value("build_info", version="1.0", **key) == 1
    assert page.value("feature", feature="ON", **key) == 1
    assert len(families["native_seconds"].metric[0].histogram.positive_delta) > 10
    both = families["took_seconds"].metric[0].histogram
    assert both.bucket and both.positive_delta
    exemplars = [metric.counter.exemplar for metric in families["jobs_total"].metric
                 if metric.counter.HasField("exemplar")]
    assert [label.value for one in exemplars for label in one.label
            if label.name == "trace_id"] == ["abc"]
    java(weir, "newdelete")
    wait_for(lambda: not weir.scrape().groups(), "the group goes")


@needs_java
def test_java_text_says_the_same(weir):
    java(weir, "new", "a")
    java(weir, "newtext", "b")
    samples = exposition.text_samples(fetch(weir, "text"))

    def of(job):
        return {(name, labels - {("job", job)}): value
                for (name, labels), value in samples.items()
                if ("job", job) in labels and not name.endswith("_created")
                and not name.startswith("size_bytes")}

    # Native histograms are nothing in text, and classic ones have more buckets there.
    classic = {key: value for key, value in of("a").items()
               if not key[0].startswith(("native_", "took_"))}
    assert classic == {key: value for key, value in of("b").items()
                       if not key[0].startswith(("native_", "took_"))}


@needs_java
def test_old_java_client(weir):
    java(weir, "old")
    page = weir.scrape()
    key = {"job": "j", "path": "/var/tmp"}
    assert page.value("jobs_total", **key) == 3
    assert page.value("took_seconds_bucket", le="0.75", **key) == 1
    assert page.value("size_bytes", quantile="0.5", **key) == 2
    java(weir, "olddelete")
    wait_for(lambda: not weir.scrape().groups(), "the group goes")
