"""Fixtures: weir and the programs it works with, each started by the test that needs it."""

import sys

import pytest

import harness
import peers
import persistence
import postgres_servers
import redis_servers
import sites


def pytest_configure(config):
    config.addinivalue_line("markers", "smoke: a quick look at everything; run before each commit")


@pytest.fixture
def start_weir(tmp_path):
    """Starts weir with the given flags. At the end of the test each must have ended well."""
    started = []

    def start(*flags, **options):
        server = harness.Weir(tmp_path / f"weir{len(started)}", *flags, **options)
        started.append(server)
        return server

    yield start
    stop_all(started)


@pytest.fixture
def kept(start_weir, tmp_path):
    """A database, and weirs on it one after the other."""
    directory = tmp_path / "state"
    directory.mkdir()
    return persistence.Kept(start_weir, directory / "pushgateway.data")


@pytest.fixture
def weir(start_weir):
    return start_weir("--web.enable-admin-api")


@pytest.fixture(scope="module")
def start_shared_weir(tmp_path_factory):
    """As start_weir, for a fixture that all tests of a file share."""
    started = []

    def start(*flags):
        server = harness.Weir(tmp_path_factory.mktemp("shared"), *flags)
        started.append(server)
        return server

    yield start
    stop_all(started)


@pytest.fixture(scope="module")
def shared_weir(start_shared_weir):
    """One weir for all tests of a file that leave nothing behind that others could trip over."""
    return start_shared_weir("--web.enable-admin-api")


@pytest.fixture(scope="session")
def shared_postgres():
    with postgres_servers.PostgresServer() as server:
        yield server


@pytest.fixture
def postgres(shared_postgres):
    """Running, and with an empty database."""
    if shared_postgres.process is None:
        shared_postgres.start()
    for text in ("DROP DATABASE IF EXISTS weir WITH (FORCE)", "CREATE DATABASE weir"):
        shared_postgres.ask(text, database="postgres")
    return shared_postgres


@pytest.fixture
def cleared_weir(shared_weir):
    """The same one, empty at the start of each test."""
    assert shared_weir.put("/api/v1/admin/wipe").status == 202
    return shared_weir


@pytest.fixture
def site(cleared_weir, tmp_path):
    """A site that pushes to it."""
    return sites.Site(tmp_path / "site", cleared_weir.url)


@pytest.fixture
def redis(tmp_path):
    with redis_servers.RedisServer(tmp_path / "redis") as server:
        yield server


@pytest.fixture
def node_exporter(tmp_path):
    with peers.NodeExporter(tmp_path / "node_exporter") as exporter:
        yield exporter


def stop_all(servers):
    """Ends every server, shows what each logged, then raises the first fault."""
    faults = []
    for server in servers:
        try:
            server.stop()
        except AssertionError as fault:
            faults.append(fault)
        print(server.stderr(), file=sys.stderr, end="")
    for fault in faults:
        raise fault
