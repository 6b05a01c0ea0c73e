"""Pushgateways full of groups of every kind, and their pages compared with weir's."""

import base64
import json
import math
import re
import subprocess
import urllib.parse

import protobuf
from harness import BINARY, DEADLINE

EVERYTHING = r"""# HELP c_total Things, \\ and \n lines.
# TYPE c_total counter
c_total{path="/a"} 1e+06
c_total{path="/b \"quoted\"\n\\"} 0.1
# TYPE g gauge
g{what="nan"} NaN
g{what="inf"} +Inf
g{what="minus"} -Inf
g{what="small"} 1e-320
g{what="digits"} 0.1234567890123456789
g{what="",empty="yes"} 0
# TYPE h histogram
h_bucket{le="5"} 3
h_bucket{le="0.1"} 1
h_bucket{le="1e6"} 4
h_sum 3.5
h_count 1234567
# TYPE hi histogram
hi_bucket{a="b",le="1"} 1
hi_bucket{a="b",le="+Inf"} 2
hi_sum{a="b"} NaN
hi_count{a="b"} 2
# TYPE s summary
s{quantile="0.99"} 4
s{quantile="0.5"} NaN
s_sum 1e20
s_count 4
# TYPE s0 summary
s0_sum 0
s0_count 0
u 3
u{zażółć="x"} 4
""".replace("zażółć", "z").encode()

VALUES = ["a/b", "zażółć 花火", "with \"quotes\" and \\", "two\nlines", "nul \0 byte", " ", "<&>",
          "\u2028", "\ufffd", "%41+"]

MESSAGES = ["""name: "pb_h" help: "With exemplars." type: HISTOGRAM metric { histogram {
      sample_count: 4 sample_sum: 3 bucket { cumulative_count: 3 upper_bound: 1
      exemplar { label { name: "trace_id" value: "x" } value: 0.5 } } } }""",
            """name: "pb_c" type: COUNTER metric { label { name: "a" value: "b" } counter { value: 7
      exemplar { label { name: "trace_id" value: "y" } value: 1 timestamp { seconds: 1700000000 } } } }""",
            """name: "pb_n" type: HISTOGRAM metric { histogram { sample_count: 24 sample_sum: 18.4
      schema: 1 zero_threshold: 0.001 zero_count: 4 positive_span { offset: 0 length: 2 }
      positive_delta: 10 positive_delta: 0 } }"""]

# Older gateways keep it, but show another count of it.
FLOATS = """name: "pb_nf" type: HISTOGRAM metric { histogram { sample_count_float: 2.5 sample_sum: 2
    schema: 0 zero_threshold: 0.5 zero_count_float: 0.5 negative_span { offset: 1 length: 1 }
    negative_count: 2 } }"""


def target(**labels):
    """The path of a group, in base64 whatever it says; `job` first."""
    def part(name, value):
        digits = base64.urlsafe_b64encode(value.encode()).decode().rstrip("=") or "="
        return f"/{name}@base64/{digits}"
    rest = "".join(part(name, value) for name, value in labels.items() if name != "job")
    return "/metrics" + part("job", labels["job"]) + rest


def push(peer, method, path, body, status=200, headers=None):
    answer = peer.request(method, path, body, headers)
    assert answer.status == status, f"{path}: {answer.status} {answer.text}"


def fill(peer, groups=100):
    """Groups of all kinds, and so many plain ones."""
    push(peer, "PUT", target(job="all"), EVERYTHING)
    for value in VALUES:
        push(peer, "PUT", target(job=value, instance=f"i {value}", other=""),
             f'odd{{value="{escape(value)}"}} 1\n'.encode())
    push(peer, "PUT", target(job="no instance", instance=""), b"m 1\n")
    push(peer, "PUT", "/metrics/job/names", b"labels 1\nlast_push_successful{a=\"b\"} 2\n"
         b"# TYPE data gauge\ndata 3\n# TYPE metrics counter\nmetrics 4\n")
    push(peer, "PUT", "/metrics/job/names/metrics/x/type/y", b"help 1\n")
    push(peer, "PUT", "/metrics/job/messages", protobuf.body(*MESSAGES), headers=protobuf.HEADERS)
    push(peer, "PUT", "/metrics/job/emptied", b"m 1\n")
    push(peer, "PUT", "/metrics/job/emptied", b"")
    push(peer, "POST", "/metrics/job/twice", b"first 1\nsecond 1\n")
    push(peer, "POST", "/metrics/job/twice", b"second 2\n")
    push(peer, "POST", "/metrics/job/twice", b"third 1 1000\n", 400)
    push(peer, "POST", "/metrics/job/refused/instance/only", b"m 1 1000\n", 400)
    for i in range(groups):
        push(peer, "PUT", f"/metrics/job/batch/instance/host{i}",
             f"# TYPE duration_seconds gauge\nduration_seconds {i}.25\n"
             f'# TYPE rows_total counter\nrows_total{{table="a"}} {i}\n'
             f'rows_total{{table="b"}} {i * i}\n'.encode())


def escape(value):
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


# ---- Pages ---------------------------------------------------------------------------------

OWN = re.compile(r"(# (HELP|TYPE|UNIT) )?(go_|process_|promhttp_|pushgateway_|weir_)")
TIME = re.compile(r"push(_failure)?_time_seconds[ {]")


def lines(page):
    """The sorted lines of what was pushed: (text, value), the value None of a comment."""
    found = []
    for line in page.removesuffix("\n").split("\n"):
        if OWN.match(line):
            continue
        text, _, value = line.rpartition(" ")
        found.append((line, None) if line.startswith("#") else (text, float(value)))
    return sorted(found, key=lambda line: line[0])


def assert_same_pages(one, other):
    """As sorted lines; values and times as numbers, these to the microsecond."""
    one, other = lines(one), lines(other)
    assert [text for text, _ in one] == [text for text, _ in other]
    for (text, a), (_, b) in zip(one, other):
        if TIME.match(text) and a is not None:
            assert abs(a - b) < 2e-6, text
        else:
            assert a == b or (math.isnan(a) and math.isnan(b)), text


def messages(page):
    """The pushed families of a protobuf page, apart from times: sorted, as text."""
    def own(family):
        return OWN.match(family.name) or TIME.match(family.name + " ")
    return sorted(str(protobuf.sorted_metrics(family)) for family in protobuf.decode(page)
                  if not own(family))


def groups(answer):
    """The groups of GET /api/v1/metrics by their labels, without the stamps of their times and
    the group of which a Pushgateway does not tell the labels."""
    found = {}
    for group in json.loads(answer)["data"]:
        for name in ("push_time_seconds", "push_failure_time_seconds"):
            del group[name]["time_stamp"]
        if "last_push_successful" in group and group["last_push_successful"] in (True, False):
            found[tuple(sorted(group["labels"].items()))] = group
    found.pop((("job", "names"),), None)
    return found


# ---- weir import ---------------------------------------------------------------------------

def weir(*arguments, data=b""):
    return subprocess.run([BINARY, *arguments], input=data, capture_output=True, timeout=DEADLINE,
                          check=False)


def import_from(url, server, *flags):
    """Moves what a Pushgateway has into weir, and gives all that was said."""
    done = weir("import", f"--from-pushgateway={url}", f"--url={server.url}", *flags)
    said = (done.stdout + done.stderr).decode()
    assert done.returncode == 0, said
    return said


def quoted(value):
    return urllib.parse.quote(value, safe="")
