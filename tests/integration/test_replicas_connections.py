"""Ways to reach a Redis, and to be kept from it: passwords, users, TLS, sockets; what it has to confirm."""

import pytest

from certificates import Authority
from harness import run_weir, wait_for
from redis_servers import RedisServer, free_port
from replicas import Replicas, has


def serve(replicas):
    """They are ready, and share what is pushed."""
    replicas.wait_until_ready()
    for number, replica in enumerate(replicas):
        assert replica.weir.put(f"/metrics/job/{number}", "m 1\n").status == 200
    replicas.settle(has(*(f'm{{instance="",job="{number}"}} 1' for number in range(len(replicas.all)))))


def stays_unready(tmp_path, url, *words, flags=()):
    """A weir that goes on trying, and says why it cannot; then whoever mends it is noticed."""
    replicas = Replicas(tmp_path, url, 0, *flags)
    try:
        replica = replicas.add()
        wait_for(lambda: any(word in replica.stderr() for word in words), f"the log says one of {words}")
        assert not replica.is_ready()
        assert replica.weir.get("/-/healthy").status == 200
        assert replica.weir.put("/metrics/job/j", "m 1\n", {"Connection": "close"}).status == 503
    except BaseException:
        replicas.__exit__()
        raise
    return replicas


# ---- Who may ----------------------------------------------------------------------------------


def test_password(tmp_path):
    with RedisServer(tmp_path / "redis", password="se cr@t:/?") as redis:
        url = f"redis://:se%20cr%40t%3A%2F%3F@127.0.0.1:{redis.port}/0"
        with Replicas(tmp_path, url, 2) as replicas:
            serve(replicas)
            for replica in replicas:
                assert "cr@t" not in replica.stderr() and "cr%40t" not in replica.stderr()


def test_password_file(tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("se cr@t\n")
    with RedisServer(tmp_path / "redis", password="se cr@t") as redis:
        with Replicas(tmp_path, redis.url, 2, f"--state.password-file={secret}") as replicas:
            serve(replicas)


@pytest.mark.parametrize("user", ["", ":wrong@"])
def test_wrong_password(tmp_path, user):
    with RedisServer(tmp_path / "redis", password="secret") as redis:
        url = f"redis://{user}127.0.0.1:{redis.port}/0"
        with stays_unready(tmp_path, url, "NOAUTH", "WRONGPASS", flags=["--state.timeout=1s"]) as replicas:
            redis.command("CONFIG", "SET", "requirepass", "wrong" if user else "")
            redis.password = "wrong" if user else None
            serve(replicas)


RIGHTS = ("on", ">secret", "resetkeys", "~weir:*", "resetchannels", "-@all", "+@read", "+@write", "+@connection",
          "+@scripting", "+@stream", "+time", "+wait", "+cluster|slots", "+cluster|shards", "+info")


def test_user(tmp_path):
    """Who may do no more than weir needs."""
    with RedisServer(tmp_path / "redis") as redis:
        redis.command("ACL", "SETUSER", "weir", *RIGHTS)
        redis.command("ACL", "SETUSER", "default", "off")
        with Replicas(tmp_path, f"redis://weir:secret@127.0.0.1:{redis.port}/0", 2) as replicas:
            serve(replicas)


def test_user_without_rights(tmp_path):
    with RedisServer(tmp_path / "redis") as redis:
        redis.command("ACL", "SETUSER", "weir", *RIGHTS, "-@scripting")
        url = f"redis://weir:secret@127.0.0.1:{redis.port}/0"
        with stays_unready(tmp_path, url, "NOPERM", "permissions", flags=["--state.timeout=1s"]) as replicas:
            redis.command("ACL", "SETUSER", "weir", *RIGHTS)
            serve(replicas)


def test_is_locked_out_later(tmp_path):
    """The password is changed while it is connected."""
    with RedisServer(tmp_path / "redis", password="secret") as redis:
        with Replicas(tmp_path, f"redis://:secret@127.0.0.1:{redis.port}/0", 1) as replicas:
            serve(replicas)
            with redis.connect() as connection:
                connection.command("CONFIG", "SET", "requirepass", "other")
                redis.password = "other"
                redis.cut_clients()
                replicas[0].wait_until_cut_off()
                redis.command("CONFIG", "SET", "requirepass", "secret")
                redis.password = "secret"
            serve(replicas)


# ---- How ------------------------------------------------------------------------------------


def test_socket(tmp_path):
    path = tmp_path / "socket"
    with RedisServer(tmp_path / "redis", "--unixsocket", path) as redis:
        with Replicas(tmp_path, f"redis+unix://{path}", 2) as replicas:
            serve(replicas)
            redis.restart()
            serve(replicas)


def test_prefix(tmp_path):
    """Two sets of weirs in one database."""
    with RedisServer(tmp_path / "redis") as redis:
        with Replicas(tmp_path / "a", redis.url, 1) as first, \
                Replicas(tmp_path / "b", f"{redis.url}?prefix=test", 2) as second:
            serve(second)
            assert first[0].page() == set()
            assert first[0].weir.request("PUT", "/api/v1/admin/wipe").status == 202
            serve(first)
            assert len(second.settle()) > len(first.settle())
            assert all(key.startswith(("weir:", "test:")) for key in redis.keys())


def test_another_master(tmp_path):
    """Of several servers one is the master; who it is may change."""
    with RedisServer(tmp_path / "a") as first, RedisServer(tmp_path / "b") as second:
        second.follow(first)
        url = f"redis://127.0.0.1:{second.port},127.0.0.1:{first.port}/0"
        with Replicas(tmp_path, url, 2) as replicas:
            serve(replicas)
            first.kill()
            replicas[0].wait_until_cut_off()
            second.command("REPLICAOF", "NO", "ONE")
            serve(replicas)
            first.start()
            first.follow(second)
            serve(replicas)
            # It becomes another one's copy while they are connected to it.
            first.command("REPLICAOF", "NO", "ONE")
            second.follow(first)
            serve(replicas)


def test_tls(tmp_path):
    authority = Authority(tmp_path / "ca")
    server = authority.issue("server")
    with RedisServer(tmp_path / "redis", "--tls-auth-clients", "no", tls=(server, authority)) as redis:
        flags = [f"--state.tls-ca-file={authority.cert}"]
        with Replicas(tmp_path, f"rediss://127.0.0.1:{redis.port}/0", 2, *flags) as replicas:
            serve(replicas)
            redis.restart()
            serve(replicas)
        other = Authority(tmp_path / "other")
        with stays_unready(tmp_path / "wrong", f"rediss://127.0.0.1:{redis.port}/0", "certificate",
                           flags=[f"--state.tls-ca-file={other.cert}", "--state.timeout=1s"]):
            pass


def test_tls_with_a_certificate_of_its_own(tmp_path):
    authority = Authority(tmp_path / "ca")
    server, client = authority.issue("server"), authority.issue("client")
    with RedisServer(tmp_path / "redis", tls=(server, authority)) as redis:
        flags = [f"--state.tls-ca-file={authority.cert}", f"--state.tls-cert-file={client.cert}",
                 f"--state.tls-key-file={client.key}"]
        with Replicas(tmp_path, f"rediss://localhost:{redis.port}/0", 2, *flags) as replicas:
            serve(replicas)


def test_nobody_is_there(tmp_path):
    with stays_unready(tmp_path, f"redis://127.0.0.1:{free_port()}/0", "refused",
                       flags=["--state.timeout=1s"]):
        pass


def test_someone_else_is_there(tmp_path, start_weir):
    """What answers is no Redis."""
    _, port = start_weir().address
    with stays_unready(tmp_path / "other", f"redis://127.0.0.1:{port}/0", "msg=", flags=["--state.timeout=1s"]):
        pass


# ---- What it must have confirmed ------------------------------------------------------------


def test_wait(tmp_path):
    """A replica of Redis has it, or it is answered with 503 in time."""
    with RedisServer(tmp_path / "redis") as redis, RedisServer(tmp_path / "copy") as copy:
        copy.follow(redis)
        with Replicas(tmp_path, redis.url, 2, "--state.wait=1") as replicas:
            serve(replicas)
            copy.pause()
            replica = replicas[0]
            answer = replica.weir.put("/metrics/job/j", "m 1\n")
            assert answer.status == 503, answer.text
            copy.resume()
            wait_for(lambda: replica.weir.put("/metrics/job/j", "m 2\n").status == 200,
                     "the copy confirms again")
            replicas.settle(has('m{instance="",job="j"} 2'))


def test_wait_for_more_than_there_are(tmp_path):
    with RedisServer(tmp_path / "redis") as redis, Replicas(tmp_path, redis.url, 0, "--state.wait=1") as replicas:
        replica = replicas.add()
        answer = replica.weir.put("/metrics/job/j", "m 1\n")
        assert answer.status == 503 and "0 of 1 replicas" in answer.text, answer.text
        replica.stop_behind()


# ---- What others have stored ----------------------------------------------------------------


def dump(redis):
    """All but who is there."""
    return {key: redis.command("DUMP", key) for key in redis.keys() if "replica" not in key}


@pytest.mark.parametrize("field", ["version", "partitions"])
def test_stored_by_a_newer_one(tmp_path, field):
    """It is left as it is, and the log says so."""
    with RedisServer(tmp_path / "redis") as redis:
        with Replicas(tmp_path, redis.url, 1) as replicas:
            serve(replicas)
        for key in redis.keys("weir:*:meta"):
            redis.command("HSET", key, field, 99)
        before = dump(redis)
        code, log = run_weir(tmp_path, f"--state.url={redis.url}")
        assert code == 1 and "99" in log
        assert dump(redis) == before
