"""What one of several weirs on one Redis does not hear of in time, or only while it is busy otherwise."""

import contextlib
import signal
import threading

import pytest

from cutting_proxy import CuttingProxy
from harness import in_time, wait_for
from replicas import Replicas, has


@contextlib.contextmanager
def repeating(count, change):
    """In the block, threads call change(number of the thread, number of the call)."""
    stopping, faults = threading.Event(), []

    def run(thread):
        try:
            number = 0
            while not stopping.is_set():
                number += 1
                change(thread, number)
        except Exception as fault:  # told below
            faults.append(fault)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stopping.set()
        for thread in threads:
            thread.join()
    for fault in faults:
        raise fault


def test_older_copy_while_pushed(redis, tmp_path):
    """Redis comes back with an older copy, and groups are pushed meanwhile: what it lost it gets again."""
    count, pushed = 200, []
    with Replicas(tmp_path, redis.url, 1) as replicas:
        weir = replicas[0].weir
        for number in range(count):
            assert weir.put(f"/metrics/job/{number}", "a 1\n").status == 200
        redis.command("SAVE")
        for number in range(count):
            assert weir.post(f"/metrics/job/{number}", "b 1\n").status == 200

        def push(thread, number):
            answer = weir.post(f"/metrics/job/{(number * 4 + thread) % count}", f"c {number}\n")
            assert answer.status in (200, 503), answer.text
            if answer.status == 200:
                pushed.append(number)
        with repeating(4, push):
            redis.restart()
            replicas.wait_until_ready()
            enough = len(pushed) + 10 * count
            wait_for(lambda: len(pushed) > enough, "they are pushed")
        replicas.add()
        replicas.wait_until_ready()
        replicas.settle(has(*(f'b{{instance="",job="{number}"}} 1' for number in range(count))))


def test_large_group_is_pushed_all_the_time(redis, tmp_path):
    """What comes from others takes longer to prepare than it takes until the group is another one."""
    large = "".join(f'large_{i // 100}{{n="{i}",x="{i * 7919 % 10007}-{i * 104729 % 99991}"}} {i}\n'
                    for i in range(100000))
    with Replicas(tmp_path, redis.url, 2) as replicas:
        def push(thread, number):
            answer = replicas[0].weir.post("/metrics/job/j", f"m{number % 3} {number}\n")
            assert answer.status == 200, answer.text
        with repeating(2, push):
            assert replicas[1].weir.post("/metrics/job/j", large).status == 200
            assert replicas[1].weir.put("/metrics/job/other", "other 1\n").status == 200
            wait_for(lambda: 'other{instance="",job="other"} 1' in replicas[0].page(),
                     "what comes behind it is there")
        replicas.settle()


def test_large_pushes_to_one_group(redis, tmp_path):
    """Whoever did not hear of them for a while reads the group, and not once for each."""
    body = "".join(f'm{{n="{i}",x="{i * 7919 % 10007}-{i * 104729 % 99991}"}} {{}}\n' for i in range(200))
    with Replicas(tmp_path, redis.url, 2) as replicas:
        replicas[1].weir.signal(signal.SIGSTOP)
        for number in range(100):
            assert replicas[0].weir.post("/metrics/job/j", body.replace("{}", str(number))).status == 200
        replicas[1].weir.signal(signal.SIGCONT)
        replicas.settle(has('m{instance="",job="j",n="0",x="0-0"} 99'))
        reads = redis.info("commandstats")["cmdstat_hgetall"]
        assert int(reads.split(",")[0].removeprefix("calls=")) < 20, reads


@pytest.mark.parametrize("is_begun_anew", [False, True])
def test_prolonged_while_cut_off(redis, tmp_path, is_begun_anew):
    """A group is over for who has not heard that another prolonged it, who may push it as a new one."""
    with CuttingProxy(redis.port) as proxy:
        with Replicas(tmp_path, redis.url, 1, "--state.on-outage=accept") as replicas:
            replicas.add(url=proxy.url)
            replicas.wait_until_ready()

            def prolong():
                proxy.restore()
                replicas.wait_until_ready()
                assert replicas[0].weir.put("/metrics/job/j?ttl=2s", "a 1\n").status == 200
                replicas.settle(has('a{instance="",job="j"} 1'))
                proxy.refuse()
                assert replicas[0].weir.post("/metrics/job/j?ttl=10m", "b 1\n").status == 200

            in_time(2, prolong)
            wait_for(lambda: not replicas[1].page(), "it is over")
            if is_begun_anew:
                assert replicas[1].weir.post("/metrics/job/j?ttl=10m", "c 1\n").status == 200
            proxy.restore()
            names = "abc" if is_begun_anew else "ab"
            replicas.settle(has(*(f'{name}{{instance="",job="j"}} 1' for name in names)))


def test_failed_push_behind_the_end(redis, tmp_path):
    """A group that ended is there again, as long as that push says."""
    with Replicas(tmp_path, redis.url, 1) as replicas:
        weir = replicas[0].weir
        assert weir.put("/metrics/job/j?ttl=1s", "a 1\n").status == 200
        wait_for(lambda: not replicas[0].page(), "it is over")
        assert weir.put("/metrics/job/j?ttl=10m", "a 1 1000\n").status == 400
        replicas.add()
        replicas.wait_until_ready()
        page = replicas.settle()
        assert any(line.startswith("push_failure_time_seconds{") for line in page), page


@pytest.mark.parametrize("way", ["wiped", "deleted", "rescanned"])
def test_large_group_goes(redis, tmp_path, way):
    """It is deleted in slices there, and what comes behind it is there."""
    body = "".join(f"m{number} {number}\n" for number in range(10000))
    with Replicas(tmp_path, redis.url, 2, "--state.stream-length=100") as replicas:
        assert replicas[0].weir.put("/metrics/job/j", body).status == 200
        replicas.settle(has('m9999{instance="",job="j"} 9999'))
        if way == "rescanned":
            replicas[1].weir.signal(signal.SIGSTOP)
            replicas[0].weir.delete("/metrics/job/j")
            for number in range(1000):
                assert replicas[0].weir.put(f"/metrics/job/{number}", "m 1\n").status == 200
            redis.command("DEL", *[key for key in redis.keys() if 'group:"job"="j"' in key])
            replicas[1].weir.signal(signal.SIGCONT)
        elif way == "wiped":
            assert replicas[0].weir.request("PUT", "/api/v1/admin/wipe").status == 202
        else:
            assert replicas[0].weir.delete("/metrics/job/j").status == 202
        assert replicas[0].weir.put("/metrics/job/other", "m 1\n").status == 200
        page = replicas.settle(has('m{instance="",job="other"} 1'))
        assert not any('job="j"' in line for line in page)


def test_failed_push_while_a_large_one_comes(redis, tmp_path):
    """The group has its time, though it is being changed in slices then."""
    body = "".join(f"m{number} {number}\n" for number in range(10000))
    with Replicas(tmp_path, redis.url, 2) as replicas:
        for number in range(5):
            assert replicas[0].weir.put(f"/metrics/job/{number}", "m 1\n").status == 200
        replicas.settle(has('m{instance="",job="4"} 1'))
        for number in range(5):
            assert replicas[1].weir.put(f"/metrics/job/{number}", body).status == 200
            assert replicas[0].weir.put(f"/metrics/job/{number}", "m 1 1000\n").status == 400
        page = replicas.settle(has('m9999{instance="",job="4"} 9999'))
        failures = [line for line in page if line.startswith("push_failure_time_seconds{")]
        assert len(failures) == 5 and not any(line.endswith(" 0") for line in failures), failures
