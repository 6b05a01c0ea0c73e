"""What weir stands on, and how that is: told by /api/v1/status, on the web page and by metrics."""

import datetime
import json
import re

import pytest

from disks import Disk
from harness import wait_for
from redis_servers import RedisServer

METRICS = {"state": "weir_state_up", "targets": "weir_targets_store_up", "lists": "weir_ingest_redis_up"}


def components(weir):
    listed = json.loads(weir.get("/api/v1/status").text)["data"]["components"]
    assert [one["name"] for one in listed] == sorted(one["name"] for one in listed)
    return {one["name"]: one for one in listed}


def time_of(text):
    return datetime.datetime.fromisoformat(re.sub(r"(\.\d{6})?\d*Z$", r"\1+00:00", text))


def wait_until(weir, name, is_up):
    """The component, when it is so."""
    def look():
        one = components(weir)[name]
        return one if one["up"] is is_up else None
    return wait_for(look, f"{name} is {'up' if is_up else 'away'}")


def check_page(weir, away):
    """The top of the web page names those that are away, and its table says since when."""
    page = weir.get("/").text
    found = re.search(r'<a class="failed" href="#status">away: ([^<]*)</a>', page)
    assert (found.group(1).split(", ") if found else []) == away
    rows = dict(re.findall(r"<tr><td>(lists|state|targets)</td><td>(.*?)</td>", page))
    assert sorted(name for name, row in rows.items() if "away" in row) == away
    assert all(row == "up" for name, row in rows.items() if name not in away)


def check_metrics(weir):
    page = weir.scrape()
    for name, one in components(weir).items():
        assert page.value(METRICS[name]) == one["up"]


@pytest.fixture
def start(start_weir, postgres, tmp_path):
    """A weir on a Redis and a PostgreSQL of its own, with a second Redis to drain; passwords in files and URLs."""
    (tmp_path / "password").write_text("s3cretest")
    with RedisServer(tmp_path / "state", password="s3cretest", keeps=True) as state, \
            RedisServer(tmp_path / "lists", password="s3cretest") as lists:
        url = lists.url.replace("redis://", "redis://:s3cretest@")
        yield start_weir(f"--state.url={state.url}", f"--state.password-file={tmp_path}/password",
                         f"--targets.url={postgres.url}", f"--ingest.redis-lists={url}"), state, lists


@pytest.mark.smoke
def test_each_that_goes_away_is_named(start, postgres):
    weir, state, lists = start
    for name in METRICS:
        wait_until(weir, name, True)
    check_page(weir, [])
    check_metrics(weir)
    before = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(seconds=1)
    state.kill()
    seen = time_of(wait_until(weir, "state", False)["last_seen"])
    assert before <= seen <= datetime.datetime.now(datetime.timezone.utc)
    lists.kill()
    wait_until(weir, "lists", False)
    postgres.stop()
    wait_until(weir, "targets", False)
    assert time_of(components(weir)["state"]["last_seen"]) == seen
    check_page(weir, ["lists", "state", "targets"])
    check_metrics(weir)
    assert "s3cretest" not in weir.get("/api/v1/status").text + weir.get("/").text + weir.stderr()
    state.start()
    lists.start()
    postgres.start()
    for name in METRICS:
        assert time_of(wait_until(weir, name, True)["last_seen"]) > seen
    check_page(weir, [])


def test_one_that_was_never_there(start_weir, redis):
    lists = redis.url
    redis.stop()
    weir = start_weir(f"--ingest.redis-lists={lists}")
    assert wait_until(weir, "lists", False)["last_seen"] == ""
    assert "away since weir started" in weir.get("/").text
    check_page(weir, ["lists"])
    redis.start()
    wait_until(weir, "lists", True)


def test_disk_that_fails(start_weir, tmp_path):
    disk = Disk(tmp_path / "data", tmp_path)
    weir = start_weir(f"--state.url=sqlite:{disk.directory}/weir.db", "--targets.url=none", variables=disk.variables(loses=False))
    assert weir.put("/metrics/job/j", "m 1\n").status == 200
    stored = time_of(components(weir)["state"]["last_seen"])
    disk.fail("fsync")
    assert weir.put("/metrics/job/j", "m 2\n").status == 503
    one = components(weir)["state"]
    assert not one["up"] and one["waiting"] > 0 and time_of(one["last_seen"]) <= stored
    check_page(weir, ["state"])
    check_metrics(weir)
    disk.heal()
    wait_until(weir, "state", True)
    wait_for(lambda: components(weir)["state"]["waiting"] == 0, "all is stored")


def test_what_is_not_asked_for_is_not_there(start_weir):
    weir = start_weir("--state.url=none", "--targets.url=none")
    assert components(weir) == {}
    assert "components" not in weir.get("/").text
