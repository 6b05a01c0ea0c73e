"""How each component is: up or away, since when, when last seen, what waits in it, and where it is.

All are asked at once, each for a limited time, so that one which hangs does not hold up the others. Of one that is away,
who stood on it or scraped it knows when it was last there.
"""

import json
import re
import sys
import threading
import time
from dataclasses import asdict, dataclass
from datetime import datetime, timezone

from asking import AskError, seconds_of, visible
from stack_places import Fault, kind_of

LAST_UP = "max_over_time(timestamp(up == 1)[5m:1s]) or max_over_time(timestamp(up == 1)[1d:1m])"
POSTGRES_START = "SELECT extract(epoch FROM pg_postmaster_start_time())"


@dataclass
class Component:
    name: str
    up: bool = False
    since: float = None  # Unix time of its start
    last_seen: float = None
    waiting: int = None
    link: str = ""
    why: str = ""  # it is away
    instance: str = ""  # as Prometheus calls it


def text_of(seconds):
    if seconds is None:
        return "-"
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


# ---- Probes: each says how one is, or raises -------------------------------------------------


def inner_of(weir, part):
    """What that weir says of one that it stands on."""
    if not isinstance(part["up"], bool) or not isinstance(part["url"], str):
        raise TypeError("of a component")
    return Component(f"{weir}/{part['name']}", part["up"], last_seen=seconds_of(part["last_seen"]),
                     waiting=int(part["waiting"]), link=part["url"], why="" if part["up"] else f"{weir} cannot use it")


def probe_weir(place, name, one):
    """With a component for each that it stands on."""
    place.probe_weir(name)
    one.up = True
    data = json.loads(place.fetch(name, "/api/v1/status"))["data"]
    one.since = seconds_of(data["start_time"])
    inner = [inner_of(name, part) for part in data.get("components", ())]
    one.waiting = sum(part.waiting for part in inner)
    return inner


def probe_redis(place, name, one):
    said = place.run(name, place.redis_cli("PING"), timeout=place.timeout)
    if said != "PONG":
        raise Fault(said or "it says nothing to PING")
    one.up = True
    found = re.search(r"^uptime_in_seconds:(\d+)", place.run(name, place.redis_cli("INFO", "server"),
                                                             timeout=place.timeout), re.M)
    one.since = time.time() - int(found[1]) if found else None


def probe_postgres(place, name, one):
    command = place.postgres("psql", place.databases[0], "-XqAt", "-c", POSTGRES_START)
    one.since = float(place.run(name, command, timeout=place.timeout))
    one.up = True


def probe_prometheus(place, name, one):
    place.fetch(name, "/-/ready")
    one.up = True
    one.since = seconds_of(json.loads(place.fetch(name, "/api/v1/status/runtimeinfo"))["data"]["startTime"])
    lengths = re.findall(r"^prometheus_notifications_queue_length (\S+)$", place.fetch(name, "/metrics"), re.M)
    one.waiting = int(float(lengths[0])) if lengths else None


def probe_alertmanager(place, name, one):
    place.fetch(name, "/-/ready")
    one.up = True
    one.since = seconds_of(json.loads(place.fetch(name, "/api/v2/status"))["uptime"])


def probe_grafana(place, name, one):
    said = json.loads(place.fetch(name, "/api/health"))
    if said.get("database") != "ok":
        raise Fault(f"its database is {said.get('database')!r}")
    one.up = True


def probe_nginx(place, name, one):
    place.probe_nginx(name)
    one.up = True


def probe_pusher(place, name, one):
    place.run(name, ["is-pushing"], timeout=place.timeout)
    one.up = True


PROBES = {"weir": probe_weir, "redis": probe_redis, "postgres": probe_postgres, "prometheus": probe_prometheus,
          "alertmanager": probe_alertmanager, "grafana": probe_grafana, "nginx": probe_nginx, "push-nginx": probe_pusher}


# ---- All of them ----------------------------------------------------------------------------


def ask_one(place, one, found):
    inner = []
    try:
        inner = PROBES[kind_of(one.name)](place, one.name, one) or []
    except (Fault, AskError, OSError) as fault:
        # What is more than being up need not be there.
        one.why = "" if one.up else " ".join(str(fault).split())
    except (AttributeError, KeyError, OverflowError, RecursionError, TypeError, ValueError) as fault:
        one.up, one.why = False, f"its answer is not understood: {type(fault).__name__} {fault}"
    if one.up:
        one.last_seen = time.time()
    found[one.name] = [one, *inner]


def ask_all(place):
    """Those that have not answered in time are left behind."""
    names, found, threads = place.components(), {}, []
    for name in names:
        one = Component(name, link=place.link(name), instance=place.instance(name))
        threads.append(threading.Thread(target=ask_one, args=(place, one, found), daemon=True))
        threads[-1].start()
    end = time.monotonic() + 3 * place.timeout
    for thread in threads:
        thread.join(max(0.0, end - time.monotonic()))
    listed = []
    for name in names:
        late = Component(name, why="it does not answer in time", link=place.link(name), instance=place.instance(name))
        listed += found.get(name) or [late]
    return listed


def last_up(place, components):
    """By the instance, as Prometheus has scraped them; what it does not know is not there."""
    if not any(one.name == "prometheus" and one.up for one in components):
        return {}
    try:
        result = json.loads(place.fetch("prometheus", "/api/v1/query", [("query", LAST_UP)]))["data"]["result"]
        return {row["metric"].get("instance", ""): float(row["value"][1]) for row in result}
    except (Fault, AskError, OSError, AttributeError, KeyError, RecursionError, TypeError, ValueError):
        return {}


def fill_last_seen(place, components):
    """What weir stands on, it has seen; a Redis is its state, a PostgreSQL its targets."""
    scraped = last_up(place, components)
    parts = {"redis": "redis", "postgres": "postgres"}
    for one in components:
        if one.up or one.last_seen:
            continue
        seen = [part.last_seen for part in components if "/" in part.name and part.last_seen and not part.up
                and part.link.startswith(parts.get(one.name, "no such"))]
        one.last_seen = max(seen, default=scraped.get(one.instance))


def table(components):
    rows = [("COMPONENT", "UP", "SINCE", "LAST SEEN", "WAITING", "LINK")]
    for one in components:
        rows.append((one.name, "up" if one.up else "away", text_of(one.since),
                     "now" if one.up else text_of(one.last_seen),
                     "-" if one.waiting is None else str(one.waiting), one.link or "-"))
    rows = [[visible(cell) for cell in row] for row in rows]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row, one in zip(rows, [None, *components]):
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())
        if one and one.why:
            print(f"    {visible(one.why)}")


def as_json(components):
    listed = []
    for one in components:
        row = asdict(one)
        del row["instance"]
        for name in ("since", "last_seen"):
            row[name] = None if row[name] is None else text_of(row[name])
        listed.append(row)
    json.dump({"up": all(one.up for one in components), "components": listed}, sys.stdout, indent=2)
    print()


def status(place, is_json):
    """0: all are up."""
    if not place.components():
        raise Fault("nothing to ask: no variable tells of a server, and no service of the file is one that is known")
    components = ask_all(place)
    fill_last_seen(place, components)
    (as_json if is_json else table)(components)
    return 0 if all(one.up for one in components) else 1
