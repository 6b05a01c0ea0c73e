"""Names beyond [a-zA-Z0-9_:]: taken where allowed, and exposed as the scraper can read them."""

import random

import pytest

import exposition
import peers
import protobuf
from exposition import OPENMETRICS_HEADERS, counters, fetch
from harness import wait_for
from page import Page
from protobuf import HEADERS

DOTTED = '{"another.metric",instance="testinstance",job="testjob",' \
         '"dotted.label.name"="mylabelvalue"} 42\n'
U01 = "/metrics/job/testjob/instance/testinstance/U__dotted_2e_label_2e_name/mylabelvalue"
U02 = ("/metrics/job@base64/dGVzdC9qb2I=/instance@base64/dGVzdGluc3RhbmNl/"
       "U__dotted_2e_label_2e_name@base64/bXlsYWJlbHZhbHVl")

# Names, and what each scheme makes of them.
SCHEMES = {
    "a.b": ("a_b", "a_dot_b", "U__a_2e_b"),
    "a_b": ("a_b", "a_b", "a_b"),
    "no:de": ("no:de", "no:de", "no:de"),
    "mysystem.prod.west.cpu.load": (
        "mysystem_prod_west_cpu_load", "mysystem_dot_prod_dot_west_dot_cpu_dot_load",
        "U__mysystem_2e_prod_2e_west_2e_cpu_2e_load"),
    "http.status:sum": ("http_status:sum", "http_dot_status:sum", "U__http_2e_status:sum"),
    "ж": ("_", "__", "U___436_"),
    "花火": ("__", "____", "U___82b1__706b_"),
    "a b": ("a_b", "a__b", "U__a_20_b"),
    "9lives": ("_lives", "__lives", "U___39_lives"),
    "a.b_c": ("a_b_c", "a_dot_b__c", "U__a_2e_b__c"),
}


@pytest.fixture
def utf8_weir(start_weir):
    return start_weir("--push.enable-utf8-names", "--web.enable-admin-api")


def lines_of(weir, form, escaping):
    return [line for line in fetch(weir, form, escaping).decode().split("\n")
            if line and not line.startswith("#")]


@pytest.mark.smoke
@pytest.mark.parametrize("target,job", [(U01, "testjob"), (U02, "test/job")])
def test_upstream_u01_u02(utf8_weir, target, job):
    """And D05, D06: what was pushed is deleted by the same path."""
    answer = utf8_weir.post(target, "some_metric 3.14\n" + DOTTED)
    assert answer.status == 200, answer.text
    lines = lines_of(utf8_weir, "text", "allow-utf-8")
    rest = f'"dotted.label.name"="mylabelvalue",instance="testinstance",job="{job}"}}'
    assert f'{{"another.metric",{rest} 42' in lines
    assert f"some_metric{{{rest} 3.14" in lines
    page = utf8_weir.scrape()
    key = {"job": job, "instance": "testinstance", "dotted_label_name": "mylabelvalue"}
    assert page.value("another_metric", **key) == 42
    assert page.value("push_time_seconds", **key) > 0
    assert utf8_weir.delete(target).status == 202
    wait_for(lambda: not utf8_weir.scrape().groups(), "the group goes")


@pytest.mark.parametrize("target", [U01, U02])
def test_upstream_u03(utf8_weir, target):
    pushed = protobuf.body(
        'name: "some.metric" type: UNTYPED metric { untyped { value: 1.234 } }',
        'name: "another.metric" type: UNTYPED metric { untyped { value: 3.14 } }',
        'name: "histogram.metric" type: HISTOGRAM metric { histogram { sample_count_float: 20 '
        "sample_sum: 99.23 schema: 1 positive_span { offset: 0 length: 2 } positive_count: 2 "
        "positive_count: 2 } }")
    assert utf8_weir.post(target, pushed, HEADERS).status == 200
    families = exposition.protobuf_families(fetch(utf8_weir, "protobuf", "allow-utf-8"))
    assert set(families) == {"some.metric", "another.metric", "histogram.metric"}
    [metric] = families["histogram.metric"].metric
    assert list(metric.histogram.positive_count) == [2, 2]
    assert protobuf.labels_of(metric)["dotted.label.name"] == "mylabelvalue"


@pytest.mark.parametrize("path,first,second", [
    ("/label_name1/label_value1/U__label_2e_name2/label_value2", "label_value1", "label_value2"),
    ("/label_name1@base64/bGFiZWwvdmFsdWUx/U__label_2e_name2@base64/bGFiZWwvdmFsdWUy",
     "label/value1", "label/value2"),
])
def test_upstream_l09_l10_l11(start_weir, utf8_weir, path, first, second):
    """Decoded where names are; elsewhere a name like others."""
    assert utf8_weir.post("/metrics/job/j" + path, "m 1\n").status == 200
    assert (f'm{{instance="",job="j","label.name2"="{second}",label_name1="{first}"}} 1'
            in lines_of(utf8_weir, "text", "allow-utf-8"))
    plain = start_weir()
    assert plain.post("/metrics/job/j" + path, "m 1\n").status == 200
    page = plain.scrape()
    assert page.value("m", job="j", label_name1=first, U__label_2e_name2=second) == 1


@pytest.mark.parametrize("name,status", [
    ("U__foo_2e_bar", 200), ("foo.bar", 200), ("f%20o", 200), ("ж", 200), ("a-b", 200),
    ("U__in_xxx_valid", 200), ("U___d800_", 200), ("U__", 400), ("U______a", 400),
    ("__a", 400), ("U____name__", 200),
])
def test_label_names_in_paths(utf8_weir, name, status):
    """U______a is __a: reserved, and poison for a Pushgateway."""
    answer = utf8_weir.put(f"/metrics/job/j/{name}/v", "m 1\n")
    assert answer.status == status, answer.text
    page = Page(fetch(utf8_weir, "text").decode(), in_order=False)
    assert page.total("m", job="j") == (1 if status == 200 else 0)
    if status == 400:
        assert page.pushed() == []


@pytest.mark.parametrize("name", ["foo.bar", "ж", "a-b"])
def test_paths_without_the_flag(weir, name):
    assert weir.put(f"/metrics/job/j/{name}/v", "m 1\n").status == 400


@pytest.mark.parametrize("body", ['{"a.b"} 1\n', '{"a.b",c="d"} 1\n', 'm{"a.b"="c"} 1\n',
                                  '# TYPE "a.b" gauge\n{"a.b"} 1\n', '{"ж"} 1\n'])
def test_bodies_with_and_without_the_flag(weir, utf8_weir, body):
    assert weir.put("/metrics/job/j", body).status == 400
    assert weir.put("/metrics/job/j", body + "# EOF\n", OPENMETRICS_HEADERS).status == 400
    assert utf8_weir.put("/metrics/job/j", body).status == 200
    assert utf8_weir.put("/metrics/job/j", body + "# EOF\n", OPENMETRICS_HEADERS).status == 200


def test_quoted_names_that_need_no_quotes(weir):
    assert weir.put("/metrics/job/j", '{"m","a"="b"} 1\n').status == 200
    assert weir.scrape().value("m", job="j", a="b") == 1


@pytest.mark.parametrize("form", ["text", "openmetrics"])
@pytest.mark.parametrize("name", SCHEMES)
def test_schemes_on_text_pages(utf8_weir, name, form):
    assert utf8_weir.put("/metrics/job/j", f'# TYPE "{name}" gauge\n# HELP "{name}" H.\n'
                         f'{{"{name}","x.y"="z"}} 1\n').status == 200
    for escaping, escaped, label in zip(("underscores", "dots", "values"), SCHEMES[name],
                                        ("x_y", "x_dot_y", "U__x_2e_y")):
        page = fetch(utf8_weir, form, escaping).decode()
        assert f"# HELP {escaped} H.\n" in page
        assert f"# TYPE {escaped} gauge\n" in page
        [line] = [line for line in page.split("\n") if line.startswith(escaped + "{")]
        assert set(line[len(escaped) + 1:-len("} 1")].split(",")) == {
            'instance=""', 'job="j"', f'{label}="z"'}
    page = fetch(utf8_weir, form, "allow-utf-8").decode()
    if name in ("a_b", "no:de"):
        assert f"# TYPE {name} gauge\n" in page
        assert f'\n{name}{{instance="",job="j","x.y"="z"}} 1\n' in page
    else:
        assert f'# TYPE "{name}" gauge\n' in page
        assert f'\n{{"{name}",instance="",job="j","x.y"="z"}} 1\n' in page


@pytest.mark.parametrize("name", SCHEMES)
def test_schemes_on_protobuf_pages(utf8_weir, name):
    utf8_weir.put("/metrics/job/j", f'{{"{name}","x.y"="z"}} 1\n')
    wanted = {"underscores": (SCHEMES[name][0], "x_y"), "dots": (SCHEMES[name][1], "x_dot_y"),
              "values": (SCHEMES[name][2], "U__x_2e_y"), "allow-utf-8": (name, "x.y")}
    for escaping, (escaped, label) in wanted.items():
        families = exposition.protobuf_families(fetch(utf8_weir, "protobuf", escaping))
        assert set(families) == {escaped}
        assert protobuf.labels_of(families[escaped].metric[0]) == {
            "instance": "", "job": "j", label: "z"}


def test_names_in_quotes_are_escaped_in_them(utf8_weir):
    body = '{"a\\"b\\\\c\\nd","l\\"m"="v"} 1\n'
    assert utf8_weir.put("/metrics/job/j", body).status == 200
    assert ('{"a\\"b\\\\c\\nd",instance="",job="j","l\\"m"="v"} 1'
            in lines_of(utf8_weir, "text", "allow-utf-8"))
    [one] = exposition.protobuf_families(fetch(utf8_weir, "protobuf", "allow-utf-8")).values()
    assert one.name == 'a"b\\c\nd'
    assert utf8_weir.scrape().value("a_b_c_d", job="j", l_m="v") == 1


def test_histograms_and_summaries_of_such_names(utf8_weir):
    utf8_weir.put("/metrics/job/j", '# TYPE "h.h" histogram\n{"h.h_bucket",le="1"} 1\n'
                  '{"h.h_count"} 1\n{"h.h_sum"} 1\n# TYPE "s.s" summary\n'
                  '{"s.s",quantile="0.5"} 1\n{"s.s_count"} 1\n{"s.s_sum"} 1\n'
                  '# TYPE "c.c_total" counter\n{"c.c_total"} 1\n')
    page = utf8_weir.scrape()
    assert page.families["h_h"].type == "histogram"
    assert page.value("h_h_bucket", job="j", le="+Inf") == 1
    assert page.families["s_s"].type == "summary"
    assert "# TYPE c_c counter\n" in fetch(utf8_weir, "openmetrics").decode()
    assert '# TYPE "c.c" counter\n' in fetch(utf8_weir, "openmetrics", "allow-utf-8").decode()


COLLISIONS = ("weir_escape_collisions_total", frozenset())

# Pushes that an escaping cannot tell apart; each to a group of its own.
COLLIDING = {
    "two families": ['{"a.b"} 1\n', "a_b 2\n"],
    "two families of two types": ['# TYPE "a.b" gauge\n{"a.b"} 1\n', "# TYPE a_b counter\na_b 2\n"],
    "two families in one group": ['{"a.b"} 1\n{"a-b"} 2\n{"a b"} 3\na_b 4\n'],
    "two labels": ['m{"a.b"="1","a-b"="2",a_b="3"} 1\n'],
    "two series": ['m{"a.b"="1"} 1\nm{"a-b"="1"} 2\n'],
    "label of a group": ['m{"jo.b"="1"} 1\n', 'm{"j.ob"="1","jo-b"="1"} 1\n'],
    "bucket of a histogram": ["# TYPE h histogram\nh_count 1\n", '{"h.count"} 1\n'],
    "bound of a histogram": ['# TYPE h histogram\nh_bucket{"l.e"="1",le="1"} 1\nh_count{"l.e"="1"} '
                             '1\nh_sum{"l.e"="1"} 1\n'],
    "name of weir's own": ['{"weir.limit"} 1\n', '{"pushgateway.build.info"} 1\n'],
    "time of a push": ['{"push.time.seconds"} 1\n'],
    "counter's other name": ["# TYPE a_b_total counter\na_b_total 1\n", '{"a.b"} 1\n'],
}

ALIKE = ("label of a group", "bound of a histogram", "counter's other name")  # only at first sight


@pytest.mark.parametrize("name", COLLIDING)
def test_names_that_become_one_leave_the_page_valid(utf8_weir, name):
    """They are told apart by another scheme, nothing is lost, and a counter tells of it."""
    for number, body in enumerate(COLLIDING[name]):
        answer = utf8_weir.put(f"/metrics/job/j/n/{number}", body)
        assert answer.status == 200, answer.text
    utf8_weir.put("/metrics/job/steady", "zzz 1\n")
    samples = len(exposition.protobuf_samples(fetch(utf8_weir, "protobuf", "allow-utf-8")))
    before = counters(utf8_weir)[COLLISIONS]
    for escaping in ("underscores", "dots", "values"):
        text = fetch(utf8_weir, "text", escaping)
        page = Page(text.decode(), in_order=False)
        assert page.value("zzz", job="steady") == 1
        assert len(exposition.text_samples(text)) == samples
        openmetrics = fetch(utf8_weir, "openmetrics", escaping)
        assert len(exposition.openmetrics_lines(openmetrics)) == samples
        decoded = exposition.protobuf_samples(fetch(utf8_weir, "protobuf", escaping))
        assert len(decoded) == samples
    is_fatal, remarks = peers.promtool(fetch(utf8_weir, "text").decode())
    assert not is_fatal, remarks
    moved = counters(utf8_weir)[COLLISIONS] > before
    assert moved or name in ALIKE


ALMOST_ONE = ("a.b", "a-b", "a b", "a_b", "a__b", "a_dot_b", "U__a_2e_b", "U__a_2d_b", "U__a__b",
              "U__U____a__2e__b", "a.b_count", "a-b_count", "a_b_count", "a.b.count", "a.b_total",
              "a_b_total", "a.b_sum", "a_b_bucket", "a.b_info", "ä", "ö", "_", "__")
ALMOST_ONE_LABEL = ("l.m", "l-m", "l_m", "l_dot_m", "U__l_2e_m", "job", "jo.b", "instance", "le",
                    "l.e", "ä", "ö", "_")


def odd_body(source):
    """Families of any type whose names are nearly one, each name once."""
    lines = []
    for name in source.sample(ALMOST_ONE, source.randrange(1, 8)):
        kind = source.choice(("gauge", "counter", "histogram", "summary", "untyped"))
        labels = source.sample(ALMOST_ONE_LABEL, source.randrange(5))
        if kind in ("histogram", "summary"):
            labels = [label for label in labels if label != "le"]
        pairs = "".join(f',"{label}"="{source.choice("xyz")}"' for label in labels)
        lines.append(f'# TYPE "{name}" {kind}\n')
        if kind in ("histogram", "summary"):
            lines += [f'{{"{name}_sum"{pairs}}} 1\n', f'{{"{name}_count"{pairs}}} 1\n']
        else:
            lines.append(f'{{"{name}"{pairs}}} 1\n')
    return "".join(lines)


@pytest.mark.parametrize("seed", range(12))
def test_random_names_that_are_nearly_one(utf8_weir, seed):
    """Whatever is taken of them is on every page, under names that differ."""
    source = random.Random(seed)
    for number in range(10):
        target = f"/metrics/job/j/n/{number}" + source.choice(("", "/U__l_2e_m/v", "/l_m/v"))
        answer = utf8_weir.put(target, odd_body(source))
        assert answer.status in (200, 400), answer.text
    count = len(exposition.protobuf_samples(fetch(utf8_weir, "protobuf", "allow-utf-8")))
    assert count > 0
    for escaping in ("underscores", "dots", "values"):
        text = fetch(utf8_weir, "text", escaping)
        Page(text.decode(), in_order=False)
        assert len(exposition.text_samples(text)) == count
        openmetrics = fetch(utf8_weir, "openmetrics", escaping)
        assert len(exposition.openmetrics_lines(openmetrics)) == count
        assert len(exposition.protobuf_samples(fetch(utf8_weir, "protobuf", escaping))) == count
    is_fatal, remarks = peers.promtool(fetch(utf8_weir, "text").decode())
    assert not is_fatal, remarks


def test_whoever_reads_utf8_sees_all_of_them(utf8_weir):
    utf8_weir.put("/metrics/job/j", '{"a.b"} 1\n{"a-b"} 2\na_b 3\nm{"x.y"="1"} 1\nm{"x-y"="1"} 2\n')
    lines = lines_of(utf8_weir, "text", "allow-utf-8")
    group = 'instance="",job="j"'
    for line in (f'{{"a.b",{group}}} 1', f'{{"a-b",{group}}} 2', f"a_b{{{group}}} 3",
                 f'm{{{group},"x.y"="1"}} 1', f'm{{{group},"x-y"="1"}} 2'):
        assert line in lines
    families = exposition.protobuf_families(fetch(utf8_weir, "protobuf", "allow-utf-8"))
    assert set(families) == {"a.b", "a-b", "a_b", "m"}


def test_protobuf_names_without_the_flag(weir):
    """Taken as a Pushgateway takes them, and exposed escaped."""
    answer = weir.put("/metrics/job/j", protobuf.body(
        'name: "a-b" type: GAUGE metric { label { name: "x.y" value: "z" } gauge { value: 1 } }'),
        HEADERS)
    assert answer.status == 200, answer.text
    assert weir.scrape().value("a_b", job="j", x_y="z") == 1
