"""A Redis Cluster: masters that fail, and slots that move, while weirs are at work."""

import pytest

from crashes import SEED
from harness import wait_for
from redis_servers import RedisCluster
from replicas import Clients, Replicas, parse


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """For all tests of this file: whoever kills a node starts it again."""
    with RedisCluster(tmp_path_factory.mktemp("cluster")) as started:
        yield started


@pytest.fixture
def replicas(cluster, tmp_path):
    for node in cluster.masters():
        node.command("FLUSHALL")
    with Replicas(tmp_path, cluster.url, 3) as started:
        yield started


@pytest.fixture
def clients():
    return Clients(SEED, groups=20)  # some in every partition, all clients together


def work_on(clients, replicas, count=200):
    replicas.wait_until_ready()
    with clients.at_work(replicas):
        clients.acknowledge_more(count)
    clients.settle(replicas)


@pytest.mark.smoke
def test_cluster(cluster, replicas, clients):
    work_on(clients, replicas)
    assert all(node.keys() for node in cluster.masters())  # each has something to do
    replicas[1].kill()
    replicas[1].start()
    work_on(clients, replicas)


def test_one_address_is_enough(cluster, replicas, clients):
    """Of a node that is no master, at that."""
    copy = next(node for node in cluster.running() if not node.is_master())
    replicas.add(url=copy.url)
    work_on(clients, replicas)


def test_master_is_killed(cluster, replicas, clients):
    """What belongs to others goes on meanwhile; everything does when there is another master."""
    work_on(clients, replicas)
    master = cluster.masters()[0]
    with clients.at_work(replicas, pause=0.002):
        clients.acknowledge_more()
        master.kill()
        clients.refuse_more(5)
        clients.acknowledge_more(50)
        cluster.fail_over_from(master)
        clients.acknowledge_more(300)
    # What the new master had not heard of, those weirs tell it that know it.
    clients.settle(replicas)
    work_on(clients, replicas)
    master.start()
    cluster.wait_until_well()
    work_on(clients, replicas)
    replicas.add()
    work_on(clients, replicas)


def test_master_is_killed_and_nobody_refused(cluster, tmp_path, clients):
    for node in cluster.masters():
        node.command("FLUSHALL")
    with Replicas(tmp_path, cluster.url, 2, "--state.on-outage=accept") as replicas:
        work_on(clients, replicas)
        master = cluster.masters()[0]
        with clients.at_work(replicas, pause=0.01):
            clients.acknowledge_more(50)
            master.kill()
            cluster.fail_over_from(master)
            clients.acknowledge_more(100)
        clients.settle(replicas)
        assert clients.count("refused") == 0
        master.start()
        cluster.wait_until_well()
        work_on(clients, replicas)


def test_planned_failover(cluster, replicas, clients):
    """Nothing is lost, and hardly anybody notices."""
    copy = next(node for node in cluster.running() if not node.is_master())
    with clients.at_work(replicas):
        clients.acknowledge_more()
        copy.command("CLUSTER", "FAILOVER")
        wait_for(copy.is_master, "it is the master")
        clients.acknowledge_more()
    cluster.wait_until_well()
    work_on(clients, replicas)


def test_slots_move(cluster, replicas, clients):
    """To another master, key by key, while they are in use."""
    slots = {cluster.slot_of(key) for key in cluster.keys("weir:*")}
    assert len(slots) == 16
    with clients.at_work(replicas, pause=0.002):
        for slot in sorted(slots)[:6]:
            owner = next(port for first, last, port in cluster.slots() if first <= slot <= last)
            target = next(node for node in cluster.masters() if node.port != owner)
            cluster.move_slot(slot, target)
            clients.acknowledge_more(30)
    work_on(clients, replicas)
    assert clients.count("refused") == 0
    replicas.add()
    work_on(clients, replicas)


def test_partition_is_emptied(cluster, replicas, clients):
    """One master loses what it has: it is filled again."""
    work_on(clients, replicas)
    before = parse(replicas.settle())
    cluster.masters()[0].command("FLUSHALL")
    work_on(clients, replicas)
    replicas.add()
    replicas.wait_until_ready()
    assert parse(replicas.settle()).keys() >= before.keys() - {
        (client.job, group.name) for client in clients.all for group in client.groups
        if group.contents == {None}}
