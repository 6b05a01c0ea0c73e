"""What a push, a replacing push and a delete do to the store and to the page."""

import gzip
import time

import pytest

from harness import curl, wait_for


@pytest.mark.smoke
def test_curl_pushes_scrapes_and_deletes(weir):
    group = f"{weir.url}/metrics/job/backup/instance/db1"
    assert curl("--data-binary", "@-", group, data=b"# TYPE runs counter\nruns 3\n") == b""
    page = curl(f"{weir.url}/metrics").decode()
    assert '# TYPE runs counter\nruns{instance="db1",job="backup"} 3\n' in page
    code = curl("-X", "DELETE", "-o", "/dev/null", "-w", "%{http_code}", group)
    assert code == b"202"
    assert "db1" not in curl(f"{weir.url}/metrics").decode()


def test_large_body_by_curl_with_expect(weir):
    body = b"".join(b'big{n="%d"} %d\n' % (n, n) for n in range(60_000))
    assert len(body) > 1 << 20, "curl asks for 100 Continue only above 1 MiB"
    curl("--data-binary", "@-", f"{weir.url}/metrics/job/big", data=body)
    page = weir.scrape()
    assert page.value("big", job="big", n="59999") == 59999
    assert page.total("big") == sum(range(60_000))


def test_post_replaces_families_by_name(weir):
    weir.post("/metrics/job/j", 'm{x="1"} 1\nm{x="2"} 2\nother 7\n')
    assert weir.post("/metrics/job/j", 'm{x="3"} 3\n').status == 200
    assert weir.scrape().stored() == [
        "# TYPE m untyped", 'm{instance="",job="j",x="3"} 3',
        "# TYPE other untyped", 'other{instance="",job="j"} 7']


def test_put_replaces_the_group(weir):
    weir.put("/metrics/job/j", "a 1\nb 2\n")
    weir.put("/metrics/job/k", "a 3\n")
    assert weir.put("/metrics/job/j", "c 4\n").status == 200
    assert weir.scrape().stored() == [
        "# TYPE a untyped", 'a{instance="",job="k"} 3',
        "# TYPE c untyped", 'c{instance="",job="j"} 4']


@pytest.mark.parametrize("body", [b"", None], ids=["empty body", "no body"])
def test_put_of_nothing_empties_the_group_but_keeps_it(weir, body):
    weir.put("/metrics/job/j", "a 1\n")
    assert weir.put("/metrics/job/j", body).status == 200
    page = weir.scrape()
    assert page.stored() == []
    assert page.value("push_time_seconds", job="j") > 0


def test_post_of_nothing_refreshes_the_push_time(weir):
    weir.post("/metrics/job/j", "a 1\n")
    before = weir.scrape()
    assert weir.post("/metrics/job/j", "").status == 200
    after = weir.scrape()
    assert after.stored() == before.stored()
    assert (after.value("push_time_seconds", job="j")
            > before.value("push_time_seconds", job="j"))


def test_post_of_nothing_creates_a_group(weir):
    assert weir.post("/metrics/job/new", "").status == 200
    assert weir.scrape().value("push_time_seconds", job="new") > 0


def test_type_may_change_inside_the_only_group_that_has_it(weir):
    weir.post("/metrics/job/j", "# TYPE m counter\nm 1\n")
    assert weir.post("/metrics/job/j", "# TYPE m gauge\nm 2\n").status == 200
    assert weir.scrape().families["m"].type == "gauge"


def test_delete_takes_exactly_the_group_named(weir):
    weir.put("/metrics/job/j", "a 1\n")
    weir.put("/metrics/job/j/instance/i", "a 2\n")
    weir.put("/metrics/job/j/zone/z", "a 3\n")
    assert weir.delete("/metrics/job/j").status == 202
    page = wait_for(lambda: (page := weir.scrape()) and page.value("a", job="j") is None and page,
                    "the group goes")
    assert page.value("a", job="j", instance="i") == 2
    assert page.value("a", job="j", zone="z") == 3
    assert len(page.groups()) == 2


def test_delete_of_an_unknown_group_is_202(weir):
    assert weir.delete("/metrics/job/nobody").status == 202
    assert weir.scrape().groups() == set()


def test_delete_names_labels_in_any_order_and_coding(weir):
    weir.put("/metrics/job/j/a/1/b/2", "m 1\n")
    assert weir.delete("/metrics/job@base64/ag/b@base64/Mg==/a/1").status == 202
    wait_for(lambda: not weir.scrape().groups(), "the group goes")


def test_put_after_delete_stays(weir):
    for value in range(50):
        assert weir.delete("/metrics/job/j").status == 202
        assert weir.put("/metrics/job/j", f"m {value}\n").status == 200
    assert weir.scrape().value("m", job="j") == 49


def test_groups_of_the_same_labels_in_any_order_are_one(weir):
    weir.put("/metrics/job/j/a/1/b/2", "m 1\n")
    weir.put("/metrics/job/j/b/2/a/1", "m 2\n")
    page = weir.scrape()
    assert page.value("m", job="j", a="1", b="2") == 2
    assert len(page.groups()) == 1


def test_push_times(weir):
    before = time.time()
    weir.put("/metrics/job/j/instance/i", "m 1\n")
    page = weir.scrape()
    assert before <= page.value("push_time_seconds", job="j", instance="i") <= time.time()
    assert page.value("push_failure_time_seconds", job="j", instance="i") == 0
    assert page.families["push_time_seconds"].help == (
        "Last Unix time when changing this group in the Pushgateway succeeded.")
    assert page.families["push_failure_time_seconds"].help == (
        "Last Unix time when changing this group in the Pushgateway failed.")


def test_failed_push_marks_the_group_and_changes_nothing_else(weir):
    weir.put("/metrics/job/j", "m 1\n")
    before = weir.scrape()
    answer = weir.put("/metrics/job/j", "m 2 1000\n")
    assert answer.status == 400
    assert answer.text.startswith("pushed metrics are invalid or inconsistent with existing "
                                  "metrics: pushed metrics must not have timestamps")
    after = weir.scrape()
    assert after.stored() == before.stored()
    assert (after.value("push_time_seconds", job="j")
            == before.value("push_time_seconds", job="j"))
    assert after.value("push_failure_time_seconds", job="j") > 0


def test_failed_push_creates_the_group_unpushed(weir):
    assert weir.post("/metrics/job/j", "m 1\nm 1\n").status == 400
    page = weir.scrape()
    assert page.stored() == []
    assert page.value("push_time_seconds", job="j") == 0
    assert page.value("push_failure_time_seconds", job="j") > 0


def test_success_keeps_the_time_of_the_last_failure(weir):
    weir.post("/metrics/job/j", "m 1 1000\n")
    failed = weir.scrape().value("push_failure_time_seconds", job="j")
    weir.post("/metrics/job/j", "m 1\n")
    page = weir.scrape()
    assert page.value("push_failure_time_seconds", job="j") == failed
    assert page.value("push_time_seconds", job="j") >= failed


@pytest.mark.parametrize("target,body", [
    ("/metrics/job/j", "m one\n"),
    ("/metrics/job/j", "m 1"),
    ("/metrics/job/j/odd", "m 1\n"),
    ("/metrics/job/j/a-b/c", "m 1\n"),
    ("/metrics/job@base64/=", "m 1\n"),
])
def test_what_cannot_be_read_leaves_no_trace(weir, target, body):
    answer = weir.post(target, body)
    assert answer.status == 400
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.text.endswith("\n")
    assert weir.scrape().pushed() == []


def test_success_has_an_empty_body(weir):
    answer = weir.put("/metrics/job/j", "m 1\n")
    assert (answer.status, answer.body) == (200, b"")
    assert answer.headers["content-length"] == "0"
    assert "content-type" not in answer.headers
    assert "date" in answer.headers


def test_type_clash_between_groups(weir):
    weir.put("/metrics/job/first", "# TYPE m counter\nm 1\n")
    answer = weir.put("/metrics/job/second", "# TYPE m gauge\nm 2\n")
    assert answer.status == 400
    assert "is not a" in answer.text
    page = weir.scrape()
    assert page.value("m", job="first") == 1
    assert page.value("m", job="second") is None
    weir.delete("/metrics/job/first")
    assert weir.put("/metrics/job/second", "# TYPE m gauge\nm 2\n").status == 200


def test_same_series_from_two_groups(weir):
    weir.put("/metrics/job/j", 'm{zone="z"} 1\n')
    answer = weir.put("/metrics/job/j/zone/z", "m 2\n")
    assert answer.status == 400
    assert "was collected before with the same name and label values" in answer.text
    assert weir.scrape().value("m", job="j", zone="z") == 1


@pytest.mark.parametrize("header", ["gzip", "GZIP"])
def test_gzip_body(weir, header):
    body = gzip.compress(b"first 1\n") + gzip.compress(b"second 2\n")
    assert weir.put("/metrics/job/j", body, {"Content-Encoding": header}).status == 200
    page = weir.scrape()
    assert (page.value("first", job="j"), page.value("second", job="j")) == (1, 2)


@pytest.mark.parametrize("body,sentence", [
    (b"", "EOF\n"),
    (b"m 1\n", "unexpected EOF\n"),
    (b"this is surely no gzip\n", "gzip: invalid header\n"),
])
def test_broken_gzip_body(weir, body, sentence):
    answer = weir.put("/metrics/job/j", body, {"Content-Encoding": "gzip"})
    assert (answer.status, answer.text) == (400, sentence)
    assert weir.scrape().pushed() == []


def test_error_body_shows_the_place(weir):
    answer = weir.post("/metrics/job/j", 'good 1\nbad{a=b} 2\n')
    lines = answer.text.splitlines()
    assert lines[0].startswith("text format parsing error in line 2: expected '\"' at start")
    assert any("bad{a=b} 2" in line for line in lines[1:]), answer.text
    assert any(line.strip() == "^" for line in lines[1:]), answer.text
