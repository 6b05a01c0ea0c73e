"""Lists of a Redis, as ORWELL's translators fill them, are drained into groups."""

import json
import time

import pytest

from certificates import Authority
from harness import Weir, run_weir, wait_for
from peers import promtool
from persistence import kill
from redis_servers import RedisCluster, RedisServer
from takeovers import Succession
from targets import create

NOW = 1700000000000  # milliseconds
FAST = "--ingest.redis-lists.interval=20ms"


@pytest.fixture
def drain(start_weir, redis):
    def start(*flags, **options):
        return start_weir(f"--ingest.redis-lists={redis.url}", FAST, *flags, **options)
    return start


def element(*lines, instance="10.0.0.5", end="\n"):
    """As a translator writes one: each line with the instance and a time in milliseconds."""
    label = f'instance="{instance}"'
    return "\n".join((line.replace("}", f",{label}}}") if "{" in line else line.replace(" ", f"{{{label}}} "))
                     + f" {NOW}" for line in lines) + end


def push(redis, key, *elements):
    redis.command("RPUSH", key, *elements)


def is_drained(redis, *keys):
    return all(redis.command("EXISTS", key) == 0 for key in keys or ["10.0.0.5"])


def value(weir, name, instance="10.0.0.5", **labels):
    return weir.scrape().value(name, instance=instance, job="node", **labels)


def wait_value(weir, wanted, name, **labels):
    wait_for(lambda: value(weir, name, **labels) == wanted, f"{name} is {wanted}")


def own(weir, name, **labels):
    return weir.scrape().value(f"weir_ingest_{name}", **labels)


def rejected(weir):
    """By reason, those that there are."""
    page = weir.scrape()
    return {dict(labels)["reason"]: int(count) for (name, labels), count in page.samples.items()
            if name == "weir_ingest_rejected_lines_total" and count != "0"}


@pytest.mark.smoke
def test_elements_appear_and_stay(drain, redis):
    weir = drain()
    push(redis, "10.0.0.5", element('node_load1{a="b"} 0.5', end=""),
         element('node_cpu_seconds_total{cpu="0",mode="user"} 10', 'node_cpu_seconds_total{cpu="0",mode="idle"} 90'))
    push(redis, "METRICS", "legacy 1\n")
    wait_value(weir, 90, "node_cpu_seconds_total", cpu="0", mode="idle")
    wait_value(weir, 1, "legacy", instance="METRICS")
    wait_for(lambda: is_drained(redis, "10.0.0.5", "METRICS"), "both lists are drained")
    page = weir.scrape()
    assert page.value("node_load1", a="b", instance="10.0.0.5", job="node") == 0.5
    assert page.pushed() == weir.scrape().pushed(), "reading takes nothing away"
    assert redis.keys() == []
    assert not promtool(page.text)[0]
    assert own(weir, "elements_total") == 3
    assert own(weir, "stripped_timestamps_total") == 3
    assert own(weir, "redis_up") == 1
    targets = json.loads(weir.get("/api/v1/targets").body)["data"]["targets"]
    assert {(t["labels"]["instance"], t["labels"]["job"]) for t in targets} == {("10.0.0.5", "node"), ("METRICS", "node")}
    assert "redis-list" in weir.get("/api/v1/targets").text


def test_lines_are_taken_apart_from_bad_ones(drain, redis):
    weir = drain()
    lines = [f'm{{n="{n}"}} {n}' for n in range(100)]
    lines[41] = 'm{n="41"} fortytwo'
    push(redis, "10.0.0.5", element(*lines))
    wait_value(weir, 99, "m", n="99")
    page = weir.scrape()
    assert page.total("m", job="node") == sum(range(100)) - 41
    assert sum(name == "m" for name, _ in page.samples) == 99
    wait_for(lambda: rejected(weir) == {"value": 1}, "it is counted")
    assert "lines of lists were left out" in weir.stderr() and "fortytwo" in weir.stderr()


BAD = [
    ("name", "1m 1"), ("name", "}{ 1"), ("name", "\x00"), ("label", 'm{a=b} 1'), ("label", 'm{a="b 1'),
    ("label", 'm{__name__="x"} 1'), ("duplicate", 'm{a="1",a="2"} 1'), ("value", "m nf"), ("value", "m"),
    ("timestamp", "m 1 2.5"), ("timestamp", "m 1 2 3"), ("syntax", "# TYPE m thing"),
    ("limit", 'm{%s} 1' % ",".join(f'l{n}="x"' for n in range(200))),
]


def test_what_is_wrong_is_counted_by_reason(drain, redis):
    weir = drain("--limit.labels=100")
    texts = [text + "\ngood{n=\"%d\"} 1" % n for n, (_, text) in enumerate(BAD)]
    push(redis, "h", *texts, b"m{a=\"\xff\"} 1\ngood{n=\"utf8\"} 1")
    wait_value(weir, 1, "good", instance="h", n="utf8")
    wanted = {}
    for reason, _ in [*BAD, ("label", "")]:
        wanted[reason] = wanted.get(reason, 0) + 1
    wait_for(lambda: rejected(weir) == wanted, f"{wanted}, not {rejected(weir)}")
    assert weir.scrape().total("good") == len(BAD) + 1


def test_label_values_are_what_they_are(drain, redis):
    weir = drain()
    values = ["a,b", "a=b", " a  b ", 'say "x"', "back\\slash", "line\nfeed", "ünï 中", "}", "#"]
    escape = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n"})
    push(redis, "h", "".join(f'm{{v="{v.translate(escape)}",instance="h",job="node"}} {n} {NOW}\r\n'
                             for n, v in enumerate(values)) + "\r\n  \n# words\n# HELP m Some\n")
    for n, text in enumerate(values):
        wait_value(weir, n, "m", instance="h", v=text)
    assert rejected(weir) == {}
    page = weir.scrape()
    assert page.families["m"].help == "Some"


def test_other_instances_are_kept_apart(drain, redis):
    weir = drain()
    push(redis, "perf", 'rtt{instance="a"} 1\nrtt{instance="b"} 2\nrtt{instance="perf"} 3\n'
                        'rtt{instance="a",exported_instance="c",job="other"} 4\nrtt{instance=""} 5\n')
    wait_value(weir, 5, "rtt", instance="perf")
    assert value(weir, "rtt", instance="perf", exported_instance="a") == 1
    assert value(weir, "rtt", instance="perf", exported_instance="b") == 2
    assert value(weir, "rtt", instance="perf", exported_instance="c", exported_exported_instance="a",
                 exported_job="other") == 4


def test_the_newest_sample_of_a_series_counts(drain, redis):
    weir = drain()
    push(redis, "h", f"m 1 {NOW}\nm 3 {NOW + 2}\nm 2 {NOW + 1}\nn 1\nn 2\no 1 {NOW}\n", f"o 2 {NOW}\np{{a=\"1\",b=\"2\"}} 1\n"
                                                                                     "p{b=\"2\",a=\"1\"} 2\n")
    wait_value(weir, 2, "p", instance="h", a="1", b="2")
    assert [value(weir, name, instance="h") for name in "mno"] == [3, 2, 2]
    wait_for(lambda: own(weir, "superseded_samples_total") == 5, "they are counted")
    assert rejected(weir) == {}


def test_types_are_kept_and_conflicts_cost_their_families_alone(drain, redis):
    weir = drain()
    assert weir.put("/metrics/job/x", "# TYPE taken counter\ntaken 1\n# TYPE h histogram\nh_bucket{le=\"+Inf\"} 1\n"
                                      "h_sum 1\nh_count 1\n").status == 200
    push(redis, "a", "# TYPE g gauge\n# HELP g Text\ng 1\ntaken 2\ntaken{z=\"1\"} 2\nh_count 3\nfine 4\n"
                     "push_time_seconds 1\nprocess_cpu_seconds_total 1\n")
    wait_value(weir, 4, "fine", instance="a")
    push(redis, "a", "g 2\n")
    wait_value(weir, 2, "g", instance="a")
    page = weir.scrape()
    assert (page.families["g"].type, page.families["g"].help) == ("gauge", "Text")
    assert page.value("taken", instance="a", job="node") is None and page.value("taken", job="x") == 1
    wait_for(lambda: rejected(weir) == {"type": 3, "inconsistent": 2}, f"{rejected(weir)}")


def test_histograms_come_together(drain, redis):
    weir = drain()
    push(redis, "a", '# TYPE h histogram\nh_bucket{le="1"} 1\nh_bucket{le="+Inf"} 3\nh_sum 5\nh_count 3\n')
    wait_value(weir, 3, "h_count", instance="a")
    push(redis, "a", 'h_bucket{le="1"} 2\n', 'h_bucket{le="+Inf"} 4\nh_sum 6\nh_count 4\n')
    wait_value(weir, 4, "h_count", instance="a")
    assert value(weir, "h_bucket", instance="a", le="1.0") is None
    assert [value(weir, "h_bucket", instance="a", le=le) for le in ("1", "+Inf")] == [2, 4]
    assert rejected(weir) == {}


def test_parts_of_a_family_are_put_together(drain, redis):
    """Over several elements, reads, and weirs; what is the same is not written again."""
    weir = drain()
    for cpu in range(4):
        push(redis, "10.0.0.5", element(*(f'cpu{{cpu="{cpu}",mode="{mode}"}} {cpu}' for mode in ("a", "b"))))
        wait_value(weir, cpu, "cpu", cpu=str(cpu), mode="b")
    assert sum(name == "cpu" for name, _ in weir.scrape().samples) == 8
    push(redis, "10.0.0.5", element('cpu{cpu="0",mode="a"} 7', "load 1"))
    wait_value(weir, 7, "cpu", cpu="0", mode="a")
    assert sum(name == "cpu" for name, _ in weir.scrape().samples) == 8


def test_series_and_groups_expire(drain, redis):
    weir = drain("--ingest.ttl=1500ms")
    push(redis, "10.0.0.5", element('m{n="1"} 1', 'm{n="2"} 2', "gone 1"))
    push(redis, "idle", "m 1\n")
    wait_value(weir, 1, "gone")

    def keep():
        push(redis, "10.0.0.5", element('m{n="1"} 1'))
        page = weir.scrape()
        kept, other = (page.value("m", n=n, instance="10.0.0.5", job="node") for n in "12")
        return kept == 1 and other is None and "gone" not in page.families
    wait_for(keep, "what does not come any more goes, and what does stays")
    wait_for(lambda: not weir.scrape().groups(), "then the groups go")


def test_what_is_pushed_otherwise_is_left_alone(drain, redis):
    """By HTTP to the same group, again and again: it lives as long as that."""
    weir = drain("--ingest.ttl=600ms")
    began = time.monotonic()

    def both():
        assert weir.post("/metrics/job/node/instance/h", "other 1\n").status == 200
        push(redis, "h", "m 1\n")
        page = weir.scrape()
        assert page.value("other", instance="h", job="node") == 1
        return page.value("m", instance="h", job="node") == 1 and time.monotonic() - began > 1.5
    wait_for(both, "it stays for more than the time to live")


@pytest.mark.parametrize("way", ["kill", "stop"])
def test_a_new_weir_goes_on(tmp_path, redis, way):
    flags = (f"--ingest.redis-lists={redis.url}", FAST, "--ingest.ttl=1h")
    weir = Weir(tmp_path / "weir", *flags)
    push(redis, "10.0.0.5", element('m{n="1"} 1', 'm{n="2"} 2', "once 1"))
    wait_for(lambda: is_drained(redis), "it is drained")
    for round_number in range(3):
        push(redis, "10.0.0.5", *(element(f'm{{n="1"}} {round_number}', f'r{{n="{n}"}} {round_number}') for n in range(500)))
        kill(weir) if way == "kill" else weir.stop()
        weir = Weir(tmp_path / "weir", *flags)
        wait_for(lambda: is_drained(redis), "the rest is drained")
        page = weir.scrape()
        assert page.value("m", n="2", instance="10.0.0.5", job="node") == 2
        assert page.value("once", instance="10.0.0.5", job="node") == 1
        assert page.total("r") == 500 * round_number
        assert page.total("m") == round_number + 2
    weir.stop()


@pytest.mark.parametrize("shared", [False, True], ids=["apart", "replicas"])
def test_two_weirs_lose_nothing(drain, redis, shared):
    flags = [f"--state.url={redis.url}"] if shared else []
    weirs = [drain(*flags), drain(*flags)]
    for part in range(20):
        for host in range(5):
            push(redis, f"h{host}", *(f'm{{part="{part}",n="{n}"}} 1\n' for n in range(5)))
        if part == 10 and shared:
            holder = next(weir for weir in weirs if own(weir, "draining") == 1)
            holder.stop()
            weirs.remove(holder)

    def wanted(page):
        return {key for key in page.samples if key[0] == "m"}
    wait_for(lambda: is_drained(redis, *(f"h{host}" for host in range(5))), "all is drained")
    wait_for(lambda: len(set.union(*(wanted(weir.scrape()) for weir in weirs))) == 500, "all is there")


def test_redis_comes_and_goes(start_weir, tmp_path):
    with RedisServer(tmp_path / "redis", keeps=True, password="secret") as redis:
        file = tmp_path / "password"
        file.write_text("secret\n")
        weir = start_weir(f"--ingest.redis-lists={redis.url}", FAST,
                          f"--ingest.redis-lists.password-file={file}")
        push(redis, "h", "m 1\n")
        wait_value(weir, 1, "m", instance="h")
        redis.stop()
        wait_for(lambda: own(weir, "redis_up") == 0, "it is noticed")
        assert weir.put("/metrics/job/x", "x 1\n").status == 200
        redis.start()
        push(redis, "h", "m 2\n")
        wait_value(weir, 2, "m", instance="h")
        wait_for(lambda: "lists are drained again" in weir.stderr(), "it is told")
        assert weir.stderr().count("cannot drain lists") == 1


def test_what_cannot_be_taken_off_comes_again(drain, redis):
    weir = drain()
    push(redis, "warm", "m 1\n")
    wait_for(lambda: is_drained(redis, "warm"), "it is drained")
    with redis.connect() as connection:
        for words in (["MULTI"], ["RPUSH", "h", "m 1"], ["CONFIG", "SET", "min-replicas-to-write", 1], ["EXEC"]):
            connection.command(*words)
    wait_value(weir, 1, "m", instance="h")
    wait_for(lambda: own(weir, "errors_total") > 2, "it is tried again")
    assert redis.command("LLEN", "h") == 1 and own(weir, "lines_total") == 1
    assert weir.stderr().count("cannot drain lists") == 1 and "NOREPLICAS" in weir.stderr()
    redis.command("CONFIG", "SET", "min-replicas-to-write", "0")
    wait_for(lambda: is_drained(redis, "h"), "it is drained")


def test_tls(start_weir, tmp_path):
    authority = Authority(tmp_path / "ca")
    identity = authority.issue("server")
    with RedisServer(tmp_path / "redis", tls=(identity, authority)) as redis:
        url = redis.url.replace("redis://127.0.0.1", "rediss://localhost")
        weir = start_weir(f"--ingest.redis-lists={url}", FAST, "--state.url=none",
                          f"--ingest.redis-lists.tls-ca-file={authority.cert}",
                          f"--ingest.redis-lists.tls-cert-file={identity.cert}",
                          f"--ingest.redis-lists.tls-key-file={identity.key}")
        push(redis, "h", "m 1\n")
        wait_value(weir, 1, "m", instance="h")
        wait_for(lambda: is_drained(redis, "h"), "it is drained")


def test_wrong_password_is_told_once(start_weir, tmp_path):
    with RedisServer(tmp_path / "redis", password="secret") as redis:
        weir = start_weir(f"--ingest.redis-lists={redis.url}", FAST)
        wait_for(lambda: own(weir, "errors_total") > 2, "it is tried again")
        assert weir.stderr().count("cannot drain lists") == 1
        assert "NOAUTH" in weir.stderr()
        assert own(weir, "redis_up") == 0 and weir.put("/metrics/job/x", "x 1\n").status == 200


def test_the_rights_that_are_said_to_do(start_weir, redis):
    redis.command("ACL", "SETUSER", "weir", "on", ">p%40ss", "~h*", "+@all", "-@dangerous", "+info", "+cluster|slots")
    weir = start_weir(f"--ingest.redis-lists=redis://weir:p%2540ss@127.0.0.1:{redis.port}/0", FAST)
    push(redis, "h", "m 1\n")
    push(redis, "other", "m 1\n")
    wait_value(weir, 1, "m", instance="h")
    wait_for(lambda: "NOPERM" in weir.stderr(), "what it may not read is left alone")
    wait_for(lambda: is_drained(redis, "h"), "the rest is drained")
    assert redis.command("LLEN", "other") == 1
    assert "cannot drain" not in weir.stderr() and "p%40ss" not in weir.stderr()


def test_nothing_else_is_touched(drain, redis):
    redis.command("SET", "string", "m 1")
    redis.command("HSET", "hash", "m", "1")
    redis.command("SADD", "set", "m 1")
    redis.command("XADD", "stream", "*", "m", "1")
    push(redis, b"\xff\xfe", "m 1")
    push(redis, "", "m 1")
    push(redis, "out/of", "m 1")
    weir = drain("--ingest.redis-lists.match=[^o]*")
    push(redis, "h", "m 1")
    wait_value(weir, 1, "m", instance="h")
    wait_for(lambda: is_drained(redis, "h"), "it is drained")
    assert own(weir, "skipped_lists_total") == 1
    assert redis.command("LLEN", b"\xff\xfe") == 1 and redis.command("LLEN", "out/of") == 1
    assert redis.command("GET", "string") == "m 1" and redis.command("DBSIZE") == 7
    wait_for(lambda: weir.stderr().count("a list is left alone") == 1, "it is told once")


def test_an_empty_key_is_left_alone(drain, redis):
    push(redis, "", "m 1")
    weir = drain()
    wait_for(lambda: own(weir, "skipped_lists_total") == 1, "it is left alone")
    assert redis.command("LLEN", "") == 1


def test_large_elements_and_many_lists(drain, redis):
    weir = drain("--limit.body-bytes=12MB")
    large = "".join(f'big{{n="{n}"}} {n}\n' for n in range(21000)) + "# " + "x" * 10_000_000 + "\n"
    push(redis, "large", "m 1\n", large, "m 2\n")
    push(redis, "too-large", "m 1\n", "x" * 13_000_000, "m 2\n")
    with redis.connect() as connection:
        for n in range(2000):
            connection.command("RPUSH", f"host{n}", f"m {n}\n")
    wait_for(lambda: redis.command("DBSIZE") == 0, "all is drained")
    page = weir.scrape()
    assert page.total("m") == 2 + 2 + sum(range(2000))
    assert sum(name == "big" for name, _ in page.samples) == 21000
    assert own(weir, "oversized_elements_total") == 1


def test_limits_leave_what_fits(drain, redis):
    weir = drain("--limit.series-per-group=10")
    push(redis, "h", "".join(f'm{{n="{n}"}} 1\n' for n in range(6)))
    wait_value(weir, 1, "m", instance="h", n="5")
    push(redis, "h", "".join(f'm{{n="{n}"}} 2\n' for n in range(20)))
    wait_value(weir, 2, "m", instance="h", n="9")
    assert weir.scrape().total("m") == 20
    wait_for(lambda: rejected(weir) == {"limit": 10}, "they are counted")


def test_known_targets_only(drain, redis):
    weir = drain("--targets.register=known")
    create(weir, {"job": "node", "instance": "known"})
    push(redis, "unknown", "m 1\n")
    push(redis, "known", "m 1\n")
    wait_value(weir, 1, "m", instance="known")
    wait_for(lambda: own(weir, "skipped_lists_total") == 1, "the other is left alone")
    assert redis.command("LLEN", "unknown") == 1
    create(weir, {"job": "node", "instance": "unknown"})
    wait_value(weir, 1, "m", instance="unknown")


def test_nothing_is_taken_off_while_the_state_store_is_away(drain, redis, tmp_path):
    with RedisServer(tmp_path / "state", keeps=True) as state:
        weir = drain(f"--state.url={state.url}", "--state.outage-after=300ms", "--state.on-outage=accept")
        push(redis, "h", "m 1\n")
        wait_value(weir, 1, "m", instance="h")
        state.kill()
        wait_for(lambda: weir.scrape().value("weir_state_away_partitions") > 0, "it is noticed")
        push(redis, "h", "m 2\n")
        assert weir.put("/metrics/job/x", "x 1\n").status == 200
        assert redis.command("LLEN", "h") == 1
        state.start()
        wait_value(weir, 2, "m", instance="h")
        wait_for(lambda: is_drained(redis, "h"), "it is drained then")


def test_a_takeover_goes_on_draining(redis, tmp_path):
    succession = Succession(tmp_path / "weir", f"--ingest.redis-lists={redis.url}", FAST)
    try:
        push(redis, "h", "m 1\n")
        wait_for(lambda: is_drained(redis, "h"), "it is drained")
        succession.take_over()
        push(redis, "h", "m 2\n")
        wait_for(lambda: is_drained(redis, "h"), "by the new one, too")
    finally:
        succession.stop()


def test_clusters_are_refused(start_weir, tmp_path):
    with RedisCluster(tmp_path / "cluster", replicas=0) as cluster:
        weir = start_weir(f"--ingest.redis-lists={cluster.url}", FAST)
        wait_for(lambda: "this is a cluster" in weir.stderr(), "it is told")
        assert weir.put("/metrics/job/x", "x 1\n").status == 200


@pytest.mark.parametrize("flags, why", [
    (["--ingest.redis-lists=http://x"], "must be redis://HOST:PORT"),
    (["--ingest.redis-lists=redis://u:hidden@x/y"], "the number of the database"),
    (["--ingest.redis-lists=redis://x?prefix=p"], "lists have no prefix"),
    (["--ingest.redis-lists.match=a*"], "only with --ingest.redis-lists=redis://"),
    (["--ingest.redis-lists=redis://x", "--ingest.redis-lists.tls-ca-file=/f"], "only with --ingest.redis-lists=rediss://"),
    (["--ingest.redis-lists=redis://:p@x", "--ingest.redis-lists.password-file=/f"], "has a password, too"),
])
def test_settings_that_do_not_fit(tmp_path, flags, why):
    code, text = run_weir(tmp_path, "--check-config", *flags)
    assert code == 1 and why in text and "hidden" not in text


def test_settings_are_shown_without_passwords(tmp_path):
    code, text = run_weir(tmp_path, "--print-config", "--ingest.redis-lists=redis://u:hidden@x")
    assert code == 0 and "hidden" not in text
