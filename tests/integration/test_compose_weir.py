"""weir and Redis as docker/compose.cloud.yml starts them: what they are told, what they keep, what they take."""

import contextlib
import re
import subprocess
from pathlib import Path

import pytest

from compose_files import DOCKER, services, understood, values_for
from harness import BINARY, DEADLINE, Weir, environment, wait_for
from redis_servers import free_port

IS_SANITIZED = b"__asan_init" in Path(BINARY).read_bytes()


class Redis:
    """As the file says, but for the places."""

    def __init__(self, directory):
        self.settings, self.port = services("cloud")["redis"], free_port()
        self.data, run = directory / "data", directory / "run"
        for path in (self.data, run):
            path.mkdir(parents=True, exist_ok=True)
        shell, option, text = self.settings["command"]
        text = text.replace("/run/redis", str(run)).replace("/data", str(self.data))
        self.command = [shell, option, text + f" --port {self.port} --bind 127.0.0.1"]
        self.password = self.settings["environment"]["REDISCLI_AUTH"]

    def __enter__(self):
        self.process = subprocess.Popen(self.command, stdout=subprocess.PIPE, text=True,
                                        env={**environment(), **self.settings["environment"]})
        for line in self.process.stdout:
            if "Ready to accept" in line:
                break
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(DEADLINE)
        self.process.stdout.close()

    def ask(self, *words, **variables):
        return subprocess.run(["redis-cli", "-p", str(self.port), *words], capture_output=True, text=True, check=False,
                              env={**environment(), **variables}).stdout.strip()

    def setting(self, name):
        return self.ask("CONFIG", "GET", name, REDISCLI_AUTH=self.password).split()[1]


def test_redis_is_started_with_its_password(tmp_path):
    with Redis(tmp_path) as redis:
        assert redis.ask("PING").startswith("NOAUTH")
        assert [redis.setting(name) for name in ("maxmemory-policy", "appendonly", "maxmemory", "dir")] == [
            "noeviction", "yes", str(640 << 20), str(redis.data)]
        assert int(redis.setting("maxmemory")) < 0.7 * bytes_of(redis.settings["mem_limit"])


def bytes_of(text):
    number, unit = re.fullmatch(r"(\d+)([a-zA-Z]*)", text).groups()
    return int(number) << {"k": 10, "m": 20, "g": 30}[unit[0].lower()] if unit else int(number)


# ---- weir ---------------------------------------------------------------------------------------


def flags(settings, redis):
    """What weir-1 is told of, but for its targets and for where Redis is."""
    told = {**settings, "WEIR_STATE_URL": settings["WEIR_STATE_URL"].replace("redis:6379", f"127.0.0.1:{redis.port}")}
    assert told["WEIR_STATE_URL"] != settings["WEIR_STATE_URL"]
    return [f"--{name.removeprefix('WEIR_').lower().replace('_', '.', 1).replace('_', '-')}={value}"
            for name, value in told.items() if name.startswith("WEIR_") and name != "WEIR_TARGETS_URL"]


@contextlib.contextmanager
def all_of_it(directory, number):
    """(both weirs), new ones on the same Redis; at the end nothing runs any more."""
    with Redis(directory / "redis") as redis, contextlib.ExitStack() as stack:
        weirs = []
        for name in ("weir-1", "weir-2"):
            weirs.append(Weir(directory / f"{name}-{number}", *flags(services("cloud")[name]["environment"], redis)))
            stack.callback(weirs[-1].stop)
        for weir in weirs:
            wait_for(lambda weir=weir: weir.get("/-/ready").status == 200, "it is ready")
        yield weirs


@pytest.mark.smoke
def test_what_was_pushed_outlives_all_of_it(tmp_path):
    """down and up, with the volume of Redis alone."""
    with all_of_it(tmp_path, 1) as weirs:
        for number, weir in enumerate(weirs):
            assert weir.put(f"/metrics/job/{number}", f"# TYPE kept counter\nkept {number}.500\n").status == 200
        wait_for(lambda: len(weirs[0].scrape().stored()) == len(weirs[1].scrape().stored()), "both have both")
        stored = sorted(weirs[0].scrape().stored())
    assert any(line.endswith(" 1.500") for line in stored)
    with all_of_it(tmp_path, 2) as weirs:
        for weir in weirs:
            assert sorted(weir.scrape().stored()) == stored


@pytest.mark.parametrize("name,service", [("cloud", "weir-1"), ("cloud", "weir-2"), ("minimal", "weir")])
def test_any_setting_can_be_given(tmp_path, name, service):
    """But none that the file itself gives."""
    mine = tmp_path / "mine.env"
    mine.write_text("# mine\nWEIR_LIMIT_SERIES=77\nWEIR_LIMIT_BODY_BYTES=1KiB\nWEIR_LOG_LEVEL=debug\n")
    before = services(name)[service]["environment"]
    after = understood(name, {**values_for(name), "WEIR_ENV_FILE": str(mine)})["services"][service]["environment"]
    assert after == {**before, "WEIR_LIMIT_SERIES": "77", "WEIR_LOG_LEVEL": "debug"}
    done = subprocess.run([BINARY, "--print-config"], capture_output=True, text=True, timeout=DEADLINE, check=False,
                          env={**environment(), "WEIR_DATA_DIR": "/var/lib/weir", **after})
    assert re.search(r"^limit\.series +=? *77 ", done.stdout, re.M), done.stdout + done.stderr


def test_the_examples_of_settings_are_settings():
    names = re.findall(r"^#(WEIR_\w+)=(\S+)$", (DOCKER / "weir.env").read_text(), re.M)
    assert len(names) >= 2
    done = subprocess.run([BINARY, "--print-config"], capture_output=True, text=True, timeout=DEADLINE, check=False,
                          env={**environment(), "WEIR_DATA_DIR": "/var/lib/weir", **dict(names)})
    assert set(re.findall(r"environment, (WEIR_\w+)$", done.stdout, re.M)) == {*dict(names), "WEIR_DATA_DIR"}


def body_of(series):
    return b"".join(b'metric_name_%d{label="value",other="v%d"} %d\n' % (number % 50, number, number)
                    for number in range(series))


@pytest.mark.parametrize("name,service", [("cloud", "weir-1"), ("minimal", "weir")])
def test_limits_go_with_the_memory(name, service):
    """What is stored, and the largest body while it is read, are less than there is."""
    settings = services(name)[service]
    limits = [bytes_of(settings["environment"][f"WEIR_LIMIT_{kind}_BYTES"]) for kind in ("STORED", "BODY")]
    assert 1.3 * limits[0] + 9 * limits[1] < bytes_of(settings["mem_limit"])


@pytest.mark.skipif(IS_SANITIZED, reason="a sanitizer takes several times the memory")
def test_a_full_weir_takes_half_of_its_memory(start_weir):
    """Filled up to its limit, scraped and pushed to all the while."""
    settings = services("minimal")["weir"]
    weir = start_weir(*(f"--limit.{kind}-bytes=" + settings["environment"][f"WEIR_LIMIT_{kind.upper()}_BYTES"]
                        for kind in ("stored", "body")))
    body, groups = body_of(5000), 0
    while (status := weir.put(f"/metrics/job/j/instance/{groups}", body).status) == 200:
        groups += 1
        if groups % 100 == 0:
            weir.get("/metrics")
    assert status == 429 and groups > 100
    for number in range(0, groups, 4):
        assert weir.put(f"/metrics/job/j/instance/{number}", body.replace(b" 1", b" 2")).status == 200
    most = re.search(r"^VmHWM:\s+(\d+) kB$", Path(f"/proc/{weir.process.pid}/status").read_text(), re.M)[1]
    assert int(most) << 10 < bytes_of(settings["mem_limit"]) / 2
