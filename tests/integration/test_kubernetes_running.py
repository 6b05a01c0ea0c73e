"""What weir and the agents do with what docker/kubernetes says: their settings, probes, volumes and words."""

import base64
import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import urllib.request
from pathlib import Path

import pytest
from kubernetes.utils import parse_quantity

import sites
from harness import BINARY, DEADLINE, REPOSITORY, environment, wait_for
from kubernetes_files import assembled, containers_of, of_kind, pod_of, variables_of
from page import Page
from postgres_servers import descendants
from redis_servers import free_port

URLS = {"WEIR_STATE_URL": "rediss://weir:a@redis.example.com/0",
        "WEIR_TARGETS_URL": "postgres://weir:b@db.example.com/weir"}
HASH_OF_SECRET = "$2b$04$8X3B3pN60qa5f.wQmXrYt.phlmrHZQL822uBJx0GVMZ8y2x8RhJ4e"
needs_root = pytest.mark.skipif(os.getuid() != 0, reason="only root can be another user, and mount")


def weirs(name):
    """The weir of a whole, its pod's settings and the container."""
    document, = of_kind(assembled(name), "StatefulSet")
    container, = containers_of(document)
    return pod_of(document)["spec"], container


def without_rights(user, group):
    return ["setpriv", "--reuid", str(user), "--regid", str(group), "--clear-groups", "--no-new-privs",
            "--bounding-set=-all", "--inh-caps=-all"]


@pytest.mark.parametrize("name", ["base", "minimal", "replicas"])
def test_weir_takes_its_settings(name):
    """With room for what it holds beside what is stored."""
    _, container = weirs(name)
    fixed, referred = variables_of(container)
    variables = {**fixed, **{key: URLS[key] for key in referred}}
    assert set(referred) == (set(URLS) if name == "replicas" else set())
    done = subprocess.run([BINARY, "--print-config"], capture_output=True, text=True, timeout=DEADLINE, check=False,
                          env={**environment(), **variables})
    assert done.returncode == 0, done.stderr
    assert set(re.findall(r"environment, (WEIR_\w+)$", done.stdout, re.M)) == set(variables)
    stored, body = (int(re.search(rf"^limit.{kind}-bytes += (\d+)MiB", done.stdout, re.M)[1]) << 20
                    for kind in ("stored", "body"))
    assert parse_quantity(container["resources"]["limits"]["memory"]) > 1.3 * stored + 9 * body  # while it is read


def answers(weir, container):
    return {name: weir.get(probe["httpGet"]["path"]).status for name, probe in container.items()
            if name.endswith("Probe")}


def test_probes_of_a_weir_that_is_ready(start_weir):
    assert answers(start_weir(), weirs("minimal")[1]) == {
        "startupProbe": 200, "livenessProbe": 200, "readinessProbe": 200}


def test_probes_of_a_weir_without_its_redis(start_weir):
    """Nothing ends it, and nobody is sent there."""
    weir = start_weir("--state.url=redis://127.0.0.1:1")
    assert answers(weir, weirs("replicas")[1]) == {"startupProbe": 200, "livenessProbe": 200, "readinessProbe": 503}


def test_there_is_time_to_end():
    for name in ("minimal", "replicas"):
        pod, container = weirs(name)
        begun = int(container.get("lifecycle", {}).get("preStop", {}).get("exec", {}).get("command", [0])[-1])
        printed = subprocess.run([BINARY, "--print-config"], capture_output=True, text=True, check=True).stdout
        shutdown = int(re.search(r"^timeout.shutdown += (\d+)s", printed, re.M)[1])
        assert pod["terminationGracePeriodSeconds"] >= begun + shutdown + 5


@needs_root
def test_weir_writes_a_volume_of_its_group():
    """As fsGroup leaves it: root's, and writable for weir's group."""
    pod, _ = weirs("minimal")
    user, group = (str(pod["securityContext"][key]) for key in ("runAsUser", "fsGroup"))
    with tempfile.TemporaryDirectory() as directory:  # where that user can go
        os.chmod(directory, 0o755)
        binary, data = shutil.copy(BINARY, directory), Path(directory) / "data"
        data.mkdir()
        os.chown(data, 0, int(group))
        data.chmod(0o2775)
        process = subprocess.Popen(
            [*without_rights(user, group), binary, f"--data.dir={data}", "--web.listen-address=127.0.0.1:0"],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd="/", env=environment())
        said = process.stdout.readline()
        process.terminate()
        said += process.stdout.read()
        assert process.wait(DEADLINE) == 0, said
        assert (data / "weir.db").stat().st_uid == int(user)


# --- agents ---

def agents():
    """The containers of a node's agent, by their names, and its pod's settings."""
    document, = of_kind(assembled("site"), "DaemonSet")
    return {container["name"]: container for container in containers_of(document)}, pod_of(document)["spec"]


def entrypoint():
    return json.loads(re.search(r"^ENTRYPOINT (.*)$", (REPOSITORY / "docker/Dockerfile.site").read_text(), re.M)[1])


class Node:
    """Where an agent's container is run without one: its words, with places and values of the test."""

    def __init__(self, weir, directory, curl=None, site="berlin"):
        self.directory = directory
        self.values = {"spec.nodeName": "node-a", "server": weir.url, "site": site}
        if curl:
            (directory / "curl.conf").write_text(curl)

    def command(self, container):
        own = str(self.directory / "cgroup")
        return [word.replace("/host/cgroup", own) for word in entrypoint() + container["args"]]

    def variables(self, container):
        fixed, referred = variables_of(container)
        return {"PATH": f"{sites.SCRIPTS}:/usr/bin:/bin", **fixed, **{
            name: self.values[key] for name, (_, _, key) in referred.items()},
            "WEIR_CURL_CONFIG": str(self.directory / "curl.conf"), "WEIR_SITE_DIR": str(self.directory / "state")}

    @contextlib.contextmanager
    def running(self, name, **variables):
        """Told to stop, it ends at once, and well."""
        container = agents()[0][name]
        with open(self.directory / "said", "wb") as said:
            process = subprocess.Popen(self.command(container), env={**self.variables(container), **variables},
                                       stderr=said, cwd="/")
        try:
            yield
        finally:
            process.terminate()
            code = process.wait(DEADLINE)
        assert code == 0, self.said()

    def said(self):
        return (self.directory / "said").read_text()


def test_a_node_pushes_its_page(cleared_weir, tmp_path, node_exporter):
    group = {"job": "node-exporter", "instance": "node-a", "site": "berlin"}
    with Node(cleared_weir, tmp_path).running("push-node", NODE_PORT=str(node_exporter.port)):
        wait_for(lambda: cleared_weir.scrape().value("push_source_up", **group), "its page is pushed")
    assert cleared_weir.scrape().value("node_load1", **group) is not None


def test_a_node_pushes_what_containers_use(cleared_weir, tmp_path):
    """As containerd and CRI-O name them, with systemd and without, and the node as a whole."""
    ids = [letter * 64 for letter in "abcd"]
    burstable = "/kubepods.slice/kubepods-burstable.slice"
    paths = ["", f"{burstable}/kubepods-burstable-pod1.slice/cri-containerd-{ids[0]}.scope",
             f"/kubepods.slice/kubepods-pod2.slice/crio-{ids[1]}.scope", f"/kubepods/besteffort/pod3/{ids[2]}"]
    for path in [*paths, burstable, "/system.slice/kubelet.service"]:
        directory = tmp_path / f"cgroup{path}"
        directory.mkdir(parents=True, exist_ok=True)
        for name, text in (("memory.current", "4096\n"), ("memory.stat", "anon 1\n"), ("cpu.stat", "usage_usec 5\n")):
            (directory / name).write_text(text)
    (tmp_path / "cgroup" / "cgroup.controllers").write_text("cpu memory\n")
    with Node(cleared_weir, tmp_path).running("push-cgroups"):
        wait_for(lambda: cleared_weir.scrape().value(
            "cgroups_up", job="cgroups", instance="node-a", site="berlin"), "cgroups are pushed")
    found = {dict(labels)["id"] for (name, labels), _ in cleared_weir.scrape().samples.items()
             if name == "container_memory_usage_bytes"}
    assert found == {path or "/" for path in paths}


def test_agents_read_the_nodes_own_cgroups():
    containers, pod = agents()
    mounts = {mount["mountPath"]: mount for mount in containers["push-cgroups"]["volumeMounts"]}
    volumes = {volume["name"]: volume for volume in pod["volumes"]}
    assert mounts["/host/cgroup"]["readOnly"] is True
    assert volumes[mounts["/host/cgroup"]["name"]]["hostPath"] == {"path": "/sys/fs/cgroup", "type": "Directory"}
    assert pod["hostNetwork"] is True and pod["tolerations"] == [{"operator": "Exists"}]


@pytest.mark.parametrize("name", ["push-node", "push-cgroups"])
def test_an_agent_without_a_site_says_so(cleared_weir, tmp_path, name):
    node, container = Node(cleared_weir, tmp_path, site=""), agents()[0][name]
    done = subprocess.run(node.command(container), env=node.variables(container), capture_output=True, text=True,
                          timeout=DEADLINE, check=False)
    assert done.returncode == 2 and "say in the ConfigMap weir-site how this site is called" in done.stderr


def test_an_agent_shows_its_password(start_weir, tmp_path):
    """By the file of the Secret; without it, weir refuses what it pushes."""
    (tmp_path / "web.yml").write_text(
        f"basic_auth_users:\n  node: {HASH_OF_SECRET}\n")
    weir = start_weir(f"--web.config.file={tmp_path / 'web.yml'}")
    (tmp_path / "cgroup").mkdir()
    login = {"Authorization": "Basic " + base64.b64encode(b"node:secret").decode()}
    stranger = Node(weir, tmp_path)
    with stranger.running("push-cgroups"):
        wait_for(lambda: "401" in stranger.said(), "it is refused")
    with Node(weir, tmp_path, curl='user = "node:secret"\n').running("push-cgroups"):
        wait_for(lambda: "cgroups_up" in weir.get("/metrics", login).text, "it is let in")


# A container's view: processes of its own, the node's files at /mnt, and nobody's rights.
IN_CONTAINER = 'mount --rbind / /mnt; mount -t proc proc /proc; exec "$@"'


def can_unshare():
    """Not where the root is no mount, as in a chroot."""
    return subprocess.run(["unshare", "--mount", "--propagation", "private", "--pid", "--fork", "true"],
                          capture_output=True, check=False).returncode == 0


@pytest.mark.skipif(not can_unshare(), reason="no view of its own of processes and mounts")
def test_node_exporter_sees_the_node(node_exporter):
    """As one beside it does, that is in no container: all collectors work, and file systems are the node's."""
    container, port = agents()[0]["node-exporter"], free_port()
    rights = container["securityContext"]
    words = [word.replace("/host", "/mnt").replace("9100", str(port)) for word in container["args"]]
    command = ["unshare", "--mount", "--propagation", "private", "--pid", "--fork", "--kill-child", "sh", "-euc",
               IN_CONTAINER, "sh", *without_rights(rights["runAsUser"], rights["runAsGroup"]),
               "prometheus-node-exporter", *words, "--log.level=error"]
    with subprocess.Popen(command, cwd="/") as process:
        try:
            page = wait_for(lambda: page_of(port), "it listens")
        finally:
            # Whoever gives up rights does not end with unshare: --kill-child is not for him.
            for pid in reversed(descendants(process.pid)):
                os.kill(pid, signal.SIGKILL)
    beside = Page(node_exporter.page().decode())
    for name, label in (("node_scrape_collector_success", "collector"), ("node_filesystem_size_bytes", "mountpoint"),
                        ("node_network_mtu_bytes", "device"), ("node_uname_info", "nodename")):
        assert labels_of(page, name, label) == labels_of(beside, name, label)
    assert page.value("node_memory_MemTotal_bytes") == beside.value("node_memory_MemTotal_bytes")


def page_of(port):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=DEADLINE) as answer:
            return Page(answer.read().decode())
    except OSError:
        return None


def labels_of(page, name, label):
    return {(dict(labels)[label], value if label == "collector" else None)
            for (sample, labels), value in page.samples.items() if sample == name}
