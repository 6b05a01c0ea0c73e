"""scripts/stack check of docker/compose.site.yml: who has an exporter's port, and which files are not there."""

import os
import socket

import pytest

from compose_files import DOCKER
from redis_servers import free_port
from test_stack import stack

GOOD = {"MYIP": "10.0.0.1", "PUSHGATEWAY_SERVER": "http://weir.invalid", "COMPOSE": "true"}


@pytest.fixture
def check():
    """Exit code and faults."""
    def run(**variables):
        code, _, errors = stack(f"--compose-file={DOCKER / 'compose.site.yml'}", "check", **{
            **GOOD, "NODE_PORT": free_port(), **variables})
        return code, [line.removeprefix("stack: ") for line in errors.splitlines()]

    return run


def test_who_has_the_port_of_an_exporter_is_told(check):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port, name = other.getsockname()[1], open("/proc/self/comm").read().strip()
        taken = f"port {port} is taken by {name} (pid {os.getpid()})"
        assert check(NODE_PORT=port) == (1, [f"NODE_PORT: {taken}"])
        assert check(SNMP_PORT=port) == (0, []), "nobody wants it"
        assert check(SNMP_PORT=port, COMPOSE_PROFILES="snmp", SNMP_FILE=__file__) == (1, [f"SNMP_PORT: {taken}"])
    assert check(NODE_PORT="http") == (1, ["NODE_PORT: 127.0.0.1:http is no port, nor an address and a port"])
    assert check() == (0, [])


def test_files_that_are_not_there(check, tmp_path):
    """Docker would make directories of that name."""
    assert check(CURL_CONFIG="/dev/null") == (0, [])
    assert check(CURL_CONFIG="none") == (1, [f"CURL_CONFIG: there is no file {DOCKER}/none"])
    assert check(CURL_CONFIG=tmp_path) == (1, [f"CURL_CONFIG: there is no file {tmp_path}"])
    (tmp_path / "curl").touch()
    assert check(CURL_CONFIG=tmp_path / "curl") == (1, [f"CURL_CONFIG: {tmp_path}/curl is empty"])
    assert check(COMMUNITY_FILE="none") == (0, []), "nobody wants it"
    snmp = {"COMPOSE_PROFILES": "other,snmp", "SNMP_PORT": free_port()}
    assert check(COMMUNITY_FILE="/none", MIB_DIR="/no/mibs", **snmp) == (
        1, ["COMMUNITY_FILE: there is no file /none", "MIB_DIR: there is no directory /no/mibs"])
    (tmp_path / "community").write_text("c\n")
    assert check(COMMUNITY_FILE=tmp_path / "community", MIB_DIR=tmp_path, **snmp) == (0, [])


def test_somebody_has_to_know_the_community(check):
    code, faults = check(COMPOSE_PROFILES="snmp", SNMP_PORT=free_port())
    assert (code, faults) == (1, ["COMMUNITY_FILE is missing: a file with the community of the switches in its one line, "
                                  "unless SNMP_FILE has an snmp.yml"])
