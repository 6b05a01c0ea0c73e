"""Rules for jobs in --config.file: what they do to pushes, and to nothing else."""

import gzip

import pytest

import protobuf
from harness import wait_for

OPENMETRICS = {"Content-Type": "application/openmetrics-text; version=1.0.0; charset=utf-8"}


@pytest.fixture
def start_with_rules(start_weir, tmp_path):
    def start(rules, *flags):
        path = tmp_path / "weir.yml"
        path.write_text("jobs:\n" + rules)
        return start_weir(f"--config.file={path}", *flags)

    return start


def lines(weir, job):
    return [line for line in weir.scrape().stored() if f'job="{job}"' in line]


def gone(weir, job):
    return all(("job", job) not in labels for labels in weir.scrape().groups())


@pytest.mark.smoke
def test_labels_and_metrics(start_with_rules):
    weir = start_with_rules("- match: 'b.*'\n  labels: {drop: [pod], add: {team: x}}\n"
                            "  metrics: {drop: ['go_.*']}\n")
    body = 'm{pod="1",a="b"} 1\nm{team="y"} 2\ngo_x 3\n'
    for job in ("backup", "other"):
        assert weir.put(f"/metrics/job/{job}", body).status == 200
    assert lines(weir, "backup") == ['m{a="b",instance="",job="backup",team="x"} 1',
                                     'm{instance="",job="backup",team="y"} 2']
    assert 'go_x{instance="",job="other"} 3' in lines(weir, "other")


@pytest.mark.parametrize("body,headers", [
    (b'm{pod="1"} 5\ngo_x 3\n', {}),
    (gzip.compress(b'm{pod="1"} 5\ngo_x 3\n', mtime=0), {"Content-Encoding": "gzip"}),
    (b'# TYPE m unknown\nm{pod="1"} 5\n# TYPE go_x gauge\ngo_x 3\n# EOF\n', OPENMETRICS),
    (protobuf.body('name: "m" type: UNTYPED metric { label { name: "pod" value: "1" }'
                   ' untyped { value: 5 } }',
                   'name: "go_x" type: GAUGE metric { gauge { value: 3 } }'),
     protobuf.HEADERS),
])
def test_every_format(start_with_rules, body, headers):
    weir = start_with_rules("- job: b\n  labels: {drop: [pod], add: {team: x}}\n"
                            "  metrics: {drop: ['go_.*']}\n")
    assert weir.put("/metrics/job/b", body, headers).status == 200
    assert lines(weir, "b") == ['m{instance="",job="b",team="x"} 5']


def test_the_first_that_fits(start_with_rules):
    weir = start_with_rules("- job: b\n  labels: {add: {n: '1'}}\n- match: '.*'\n"
                            "  labels: {add: {n: '2'}}\n- job: c\n  labels: {add: {n: '3'}}\n")
    weir.put("/metrics/job/b", "m 1\n")
    weir.put("/metrics/job/c", "m 1\n")
    weir.put("/metrics/job@base64/L3g=", "m 1\n")
    assert lines(weir, "b") == ['m{instance="",job="b",n="1"} 1']
    assert lines(weir, "c") == ['m{instance="",job="c",n="2"} 1']
    assert lines(weir, "/x") == ['m{instance="",job="/x",n="2"} 1']


def test_grouping_labels_stay(start_with_rules):
    weir = start_with_rules("- job: b\n  labels: {drop: ['.*'], add: {zone: added, pod: added}}\n")
    assert weir.put("/metrics/job/b/zone/north", 'm{x="1"} 1\n').status == 200
    assert lines(weir, "b") == ['m{instance="",job="b",pod="added",zone="north"} 1']


def test_the_layout_of_last_time(start_with_rules):
    """The same lines with other values take a short way, by the same rule."""
    weir = start_with_rules("- job: b\n  labels: {add: {team: x}}\n"
                            "- job: c\n  metrics: {drop: ['n']}\n")
    for value in range(5):
        assert weir.put("/metrics/job/b", f"m {value}\nn {value}\n").status == 200
        assert weir.put("/metrics/job/c", f"m {value}\nn {value}\n").status == 200
        assert lines(weir, "b") == [f'm{{instance="",job="b",team="x"}} {value}',
                                    f'n{{instance="",job="b",team="x"}} {value}']
        assert lines(weir, "c") == [f'm{{instance="",job="c"}} {value}']
    assert weir.scrape().value("weir_push_unchanged_layout_total") == 4


def test_series_that_become_one_are_refused(start_with_rules):
    weir = start_with_rules("- job: b\n  labels: {drop: [pod]}\n")
    answer = weir.put("/metrics/job/b", 'm{pod="1"} 1\nm{pod="2"} 2\n')
    assert answer.status == 400
    assert "was collected before with the same name and label values" in answer.text
    assert lines(weir, "b") == []


def test_a_histogram_keeps_its_bounds(start_with_rules):
    weir = start_with_rules("- job: b\n  labels: {drop: ['.*'], add: {a: '1'}}\n")
    body = '# TYPE h histogram\nh_bucket{le="1",x="y"} 1\nh_bucket{le="+Inf",x="y"} 2\n' \
           'h_sum{x="y"} 3\nh_count{x="y"} 2\n'
    assert weir.put("/metrics/job/b", body).status == 200
    assert lines(weir, "b") == ['h_bucket{a="1",instance="",job="b",le="1"} 1',
                                'h_bucket{a="1",instance="",job="b",le="+Inf"} 2',
                                'h_sum{a="1",instance="",job="b"} 3',
                                'h_count{a="1",instance="",job="b"} 2']


@pytest.mark.parametrize("rule,target,expires", [
    ("ttl: 300ms", "/metrics/job/b", True),
    ("ttl: 300ms", "/metrics/job/b?ttl=1h", False),
    ("ttl: 1h", "/metrics/job/b?ttl=300ms", True),
    ("ttl-max: 300ms", "/metrics/job/b?ttl=1h", True),
    ("{ttl: 1h, ttl-max: 300ms}", "/metrics/job/b", True),
    ("ttl: 0s", "/metrics/job/b", False),  # instead of the server's
    ("{ttl: 0s, ttl-max: 0s}", "/metrics/job/b?ttl=0", False),
])
def test_time_to_live(start_with_rules, rule, target, expires):
    rule = rule.strip("{}").replace(", ", "\n  ")
    weir = start_with_rules(f"- job: b\n  {rule}\n", "--group.ttl=600ms")
    weir.put(target, "m 1\n")
    weir.put("/metrics/job/server", "m 1\n")
    if expires:
        wait_for(lambda: gone(weir, "b"), "the group of the rule expires")
    wait_for(lambda: gone(weir, "server"), "the other group expires")
    assert gone(weir, "b") == expires


@pytest.mark.parametrize("limit,bodies,status,text", [
    ("body-bytes: 10", [b"m 1\n", b"mmmmmmmmm 1\n"], 413,
     "the body has too many bytes: 10 are allowed (limits.body-bytes of the rule for this job)"),
    ("series-per-group: 2", [b"m 1\nn 1\n", b"m 1\nn 1\no 1\n"], 429,
     "too many series in one push: 2 are allowed (limits.series-per-group of the rule for this "
     "job)"),
    ("labels: 2", [b'm{a="b",c="d"} 1\n', b'm{a="b",c="d",e="f"} 1\n'], 413,
     "a sample has too many labels: 2 are allowed (limits.labels of the rule for this job)"),
    ("label-bytes: 4", [b'm{a="b"} 1\n', b'm{a="bcdef"} 1\n'], 413,
     "a name or label value is too long in bytes: 4 are allowed (limits.label-bytes of the rule "
     "for this job)"),
])
def test_limits_of_a_push(start_with_rules, limit, bodies, status, text):
    weir = start_with_rules(f"- job: b\n  limits: {{{limit}}}\n")
    assert weir.put("/metrics/job/b", bodies[0]).status == 200
    before = lines(weir, "b")
    answer = weir.put("/metrics/job/b", bodies[1])
    assert (answer.status, answer.text) == (status, text + "\n")
    assert lines(weir, "b") == before
    assert weir.put("/metrics/job/c", bodies[1]).status == 200, "others are not limited"


def test_bodies_are_measured_decoded(start_with_rules):
    weir = start_with_rules("- job: b\n  limits: {body-bytes: 1KiB}\n")
    body = gzip.compress(b"".join(b"m%d 1\n" % i for i in range(1000)))
    assert weir.put("/metrics/job/b", body, {"Content-Encoding": "gzip"}).status == 413
    assert weir.put("/metrics/job/c", body, {"Content-Encoding": "gzip"}).status == 200


def test_series_of_a_group_add_up(start_with_rules):
    weir = start_with_rules("- job: b\n  limits: {series-per-group: 2}\n"
                            "  metrics: {drop: ['go_.*']}\n")
    assert weir.post("/metrics/job/b", "m 1\nn 1\ngo_a 1\ngo_b 1\n").status == 200
    assert weir.post("/metrics/job/b", "m 2\n").status == 200, "it replaces one"
    answer = weir.post("/metrics/job/b", "o 1\n")
    assert answer.status == 429
    assert answer.text == ("too many series in one group: 2 are allowed (limits.series-per-group "
                           "of the rule for this job)\n")
    assert weir.put("/metrics/job/b", "o 1\n").status == 200


def test_groups_of_a_job(start_with_rules):
    weir = start_with_rules("- match: 'ci-.*'\n  limits: {groups: 2}\n")
    for build in (1, 2):
        assert weir.put(f"/metrics/job/ci-a/build/{build}", "m 1\n").status == 200
    answer = weir.put("/metrics/job/ci-a/build/3", "m 1\n")
    assert answer.status == 429
    assert answer.text == ("too many groups of this job: 2 are allowed (limits.groups of the rule "
                           "for this job)\n")
    assert weir.put("/metrics/job/ci-a/build/2", "m 2\n").status == 200, "an old group goes on"
    assert weir.put("/metrics/job/ci-b/build/1", "m 1\n").status == 200, "each job has its own"
    # A refused push leaves a trace in its group, but makes no group over the limit.
    assert weir.put("/metrics/job/ci-a/build/4", "m 1\nm 1\n").status == 400
    assert weir.scrape().total("weir_groups") == 3
    weir.delete("/metrics/job/ci-a/build/1")
    assert weir.put("/metrics/job/ci-a/build/3", "m 1\n").status == 200


def test_wiped_groups_do_not_count(start_with_rules):
    weir = start_with_rules("- job: b\n  limits: {groups: 1}\n", "--web.enable-admin-api")
    for build in range(3):
        assert weir.put(f"/metrics/job/b/build/{build}", "m 1\n").status == 200
        weir.put("/api/v1/admin/wipe")
    assert weir.put("/metrics/job/b/build/a?ttl=100ms", "m 1\n").status == 200
    wait_for(lambda: gone(weir, "b"), "it expires")
    assert weir.put("/metrics/job/b/build/b", "m 1\n").status == 200


def test_an_expression_that_takes_too_long(start_with_rules):
    weir = start_with_rules("- job: b\n  metrics: {drop: ['(a+)+$']}\n")
    answer = weir.put("/metrics/job/b", "a" * 60 + "b 1\n")
    assert answer.status == 400
    assert answer.text.startswith("a regular expression of the rule for this job takes too long")
    assert weir.put("/metrics/job/b", "b 1\n").status == 200


def test_a_job_for_which_no_rule_can_be_told_is_refused(start_with_rules):
    """Or else a name could be chosen by which a rule is got around."""
    weir = start_with_rules("- match: '(a+)+y|a.*'\n  limits: {groups: 1}\n"
                            "- match: '.*'\n  labels: {add: {other: x}}\n")
    answer = weir.put("/metrics/job/" + "a" * 60 + "b", "m 1\n")
    assert answer.status == 400
    assert answer.text.startswith("a regular expression of the rules for jobs takes too long")
    assert weir.scrape().groups() == set()
    assert weir.put("/metrics/job/b", "m 1\n").status == 200


def test_a_large_push(start_with_rules):
    """On a thread, by the same rule."""
    weir = start_with_rules("- job: b\n  labels: {drop: [pod], add: {team: x}}\n"
                            "  metrics: {drop: ['go_.*']}\n")
    body = "".join(f'm{{i="{i}",pod="x"}} 1\n' for i in range(20000)) + "go_x 1\n"
    assert weir.put("/metrics/job/b", body).status == 200
    stored = lines(weir, "b")
    assert len(stored) == 20000
    assert all('team="x"' in line and "pod=" not in line for line in stored)
