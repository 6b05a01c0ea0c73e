"""The tools of tests with Redis do what they say."""

import pytest

from certificates import Authority
from cutting_proxy import CuttingProxy
from harness import wait_for
from redis_servers import BROKEN, RedisClient, RedisCluster, RedisServer


def ping(port, **options):
    with RedisClient(port, **options) as client:
        return client.command("PING")


def test_server(tmp_path):
    with RedisServer(tmp_path / "a", keeps=True) as redis, RedisServer(tmp_path / "b") as copy:
        copy.follow(redis)
        redis.command("SET", "kept", b"x\r\n")
        redis.restart()
        assert redis.command("GET", "kept") == "x\r\n"
        redis.command("RPUSH", "list", 1, "")
        assert redis.command("LRANGE", "list", 0, -1) == ["1", ""]
        assert redis.keys() == ["kept", "list"]
        redis.restart(kill=False, empty=True)
        assert redis.keys() == [] and redis.command("GET", "kept") is None
        redis.pause()
        with redis.connect() as client, pytest.raises(TimeoutError):
            client.socket.settimeout(0.1)
            client.command("PING")
        redis.resume()
        assert redis.command("PING") == "PONG"


def test_password_and_tls(tmp_path):
    authority = Authority(tmp_path / "ca")
    with RedisServer(tmp_path / "a", password="p", tls=(authority.issue("redis"), authority)) as redis:
        assert redis.command("PING") == "PONG"


def test_proxy(tmp_path):
    with RedisServer(tmp_path / "a") as redis, CuttingProxy(redis.port) as proxy:
        with RedisClient(proxy.port) as client:
            assert client.command("PING") == "PONG"
            proxy.cut()
            with pytest.raises(BROKEN):
                client.command("PING")
        with RedisClient(proxy.port) as client:
            proxy.cut_in_replies(9)
            assert client.command("PING") == "PONG"
            with pytest.raises(BROKEN):
                client.command("PING")
        proxy.garble(b"+rubbish\r\n")
        assert ping(proxy.port) == "rubbish"
        proxy.restore()
        proxy.stall()
        with RedisClient(proxy.port) as client, pytest.raises(TimeoutError):
            client.socket.settimeout(0.1)
            client.command("PING")
        proxy.restore()
        assert ping(proxy.port) == "PONG"
        proxy.refuse()
        with pytest.raises(ConnectionRefusedError):
            ping(proxy.port)
        proxy.restore()
        assert ping(proxy.port) == "PONG"


def test_cluster(tmp_path):
    with RedisCluster(tmp_path / "cluster") as cluster:
        key = "weir:{7}:x"
        master = cluster.master_of(key)
        master.command("SET", key, 1)
        target = next(node for node in cluster.masters() if node is not master)
        cluster.move_slot(cluster.slot_of(key), target)
        assert cluster.master_of(key) is target and target.command("GET", key) == "1"
        with target.connect() as connection:
            connection.command("SET", "{7}:behind", 1)  # what is waited for is written by who waits
            wait_for(lambda: connection.command("WAIT", 1, 1000) >= 1, "its replica has the key, too")
        target.kill()
        cluster.fail_over_from(target)
        assert cluster.master_of(key).command("GET", key) == "1"
        target.start()
        cluster.wait_until_well()
        assert not target.is_master() and len(cluster.masters()) == 3
