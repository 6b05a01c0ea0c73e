"""docker/kubernetes: what kustomize makes of it, and whether an API server takes it, its pods included."""

import json
import shutil
import ssl
import subprocess
import urllib.error
import urllib.request

import pytest
import yaml

from built import BUILT
from harness import wait_for
from kubernetes_files import KUBERNETES, assembled, containers_of, identity, loose_ends, of_kind, pod_of, read
from redis_servers import free_port
from test_kubernetes import BLOCKS, MADE

KUSTOMIZE, API, ETCD = (BUILT / name for name in (
    "kustomize/kustomize", "kubernetes/kube-apiserver", "etcd/etcd"))
needs_kustomize = pytest.mark.skipif(not KUSTOMIZE.exists(), reason="no kustomize built")
needs_api = pytest.mark.skipif(not (API.exists() and ETCD.exists() and KUSTOMIZE.exists()),
                               reason="no API server built")


def built(directory):
    done = subprocess.run([KUSTOMIZE, "build", directory], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return read(done.stdout)


@needs_kustomize
@pytest.mark.parametrize("name", ["base", "minimal", "replicas", "site"])
def test_it_is_put_together_as_the_other_tests_do(name):
    assert sorted(built(KUBERNETES / name), key=identity) == sorted(assembled(name), key=identity)


@pytest.fixture
def edited(tmp_path):
    """A copy, for what the page says may be changed: a function that writes settings beside the present ones."""
    shutil.copytree(KUBERNETES, tmp_path / "kubernetes")

    def edit(name, **further):
        path = tmp_path / "kubernetes" / name / "kustomization.yaml"
        path.write_text(yaml.safe_dump({**yaml.safe_load(path.read_text()), **further}))
        return built(path.parent)
    return edit


def with_all(edit):
    """Replicas with the component and all patches that the page shows."""
    patches = [block for block in BLOCKS if block.startswith(("apiVersion: apps/", "apiVersion: networking"))]
    assert len(patches) == 2
    present = [{"path": "stateful-set.yaml"}, {"path": "network-policy.yaml"}]
    return edit("replicas", components=["../ingress"], patches=[*present, *({"patch": patch} for patch in patches)])


@needs_kustomize
def test_what_the_page_adds_is_added(edited):
    documents = with_all(edited)
    assert list(loose_ends(documents, MADE)) == []
    ingress, = of_kind(documents, "Ingress")
    assert ingress["metadata"]["namespace"] == "weir"
    container, = containers_of(of_kind(documents, "StatefulSet")[0])
    for name in ("startupProbe", "livenessProbe", "readinessProbe"):
        assert "httpGet" not in container[name] and container[name]["exec"]["command"][:2] == ["weir", "probe"]
    assert container["startupProbe"]["failureThreshold"] == 120


@needs_kustomize
def test_a_container_is_taken_out_of_the_agent(edited):
    """Where nodes have a node_exporter already."""
    patch = {"apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": {"name": "weir-site"}, "spec": {"template": {
        "spec": {"containers": [{"name": "node-exporter", "$patch": "delete"}]}}}}
    agent, = of_kind(edited("site", patches=[{"patch": yaml.safe_dump(patch)}]), "DaemonSet")
    assert [container["name"] for container in containers_of(agent)] == ["push-node", "push-cgroups"]


class ApiServer:
    """Kubernetes without nodes: it looks at what it is given, admits it and keeps it."""

    def __init__(self, directory):
        self.directory, self.token, self.processes = directory, "token-of-this-test", []
        self.tls = ssl.create_default_context()
        self.tls.check_hostname, self.tls.verify_mode = False, ssl.CERT_NONE

    def __enter__(self):
        client, peer, port = free_port(), free_port(), free_port()
        self.url = f"https://127.0.0.1:{port}"
        key = self.directory / "key.pem"
        subprocess.run(["openssl", "genrsa", "-out", key, "2048"], capture_output=True, check=True)
        (self.directory / "tokens.csv").write_text(f"{self.token},admin,1,system:masters\n")
        try:
            self.start(ETCD, f"--data-dir={self.directory}/etcd", f"--listen-client-urls=http://127.0.0.1:{client}",
                       f"--advertise-client-urls=http://127.0.0.1:{client}",
                       f"--listen-peer-urls=http://127.0.0.1:{peer}",
                       f"--initial-advertise-peer-urls=http://127.0.0.1:{peer}",
                       f"--initial-cluster=default=http://127.0.0.1:{peer}")
            # Accounts would be made by a controller, and none runs here.
            self.start(API, f"--etcd-servers=http://127.0.0.1:{client}", "--bind-address=127.0.0.1",
                       f"--secure-port={port}", f"--cert-dir={self.directory}/certificates",
                       "--service-account-issuer=https://localhost", f"--service-account-key-file={key}",
                       f"--service-account-signing-key-file={key}", "--service-cluster-ip-range=10.96.0.0/16",
                       "--authorization-mode=RBAC", f"--token-auth-file={self.directory}/tokens.csv",
                       "--disable-admission-plugins=ServiceAccount")
            wait_for(self.is_ready, "the API server is ready", 120)
        except BaseException:
            self.__exit__()
            raise
        return self

    def start(self, program, *flags):
        with open(self.directory / f"{program.name}.log", "wb") as log:
            self.processes.append(subprocess.Popen([program, *flags], stdout=log, stderr=log, cwd=self.directory))

    def __exit__(self, *_):
        for process in reversed(self.processes):
            process.terminate()
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def is_ready(self):
        for process in self.processes:
            assert process.poll() is None, (self.directory / "kube-apiserver.log").read_text()[-2000:]
        try:
            return self.ask("GET", "/readyz")[0] == 200
        except OSError:
            return False

    def ask(self, method, path, body=None):
        """Status, what went wrong, and what the server warns of."""
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        data = body and json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, method=method, data=data, headers=headers)
        try:
            with urllib.request.urlopen(request, context=self.tls, timeout=60) as answer:
                return answer.status, "", answer.headers.get_all("Warning")
        except urllib.error.HTTPError as answer:
            text = answer.read().decode()
            return answer.code, json.loads(text).get("message", "") if text[:1] == "{" else text, None

    def create(self, document):
        version, kind = document["apiVersion"], document["kind"].lower()
        plural = {"networkpolicy": "networkpolicies", "ingress": "ingresses"}.get(kind, f"{kind}s")
        namespace = document["metadata"].get("namespace")
        place = f"{'apis' if '/' in version else 'api'}/{version}" + (f"/namespaces/{namespace}" if namespace else "")
        return self.ask("POST", f"/{place}/{plural}?fieldValidation=Strict", document)


@pytest.fixture(scope="module")
def api(tmp_path_factory):
    with ApiServer(tmp_path_factory.mktemp("api")) as server:
        yield server


def in_namespace(documents, name):
    """Of several tests each has its own."""
    for document in documents:
        if document["kind"] == "Namespace":
            document["metadata"]["name"] = name
        else:
            document["metadata"]["namespace"] = name
    return documents


def pod_as_started(document):
    """What the controller of a StatefulSet or DaemonSet makes, which decides whether it is admitted."""
    template = pod_of(document)
    claims = [{"name": claim["metadata"]["name"], "persistentVolumeClaim": {"claimName": "a"}}
              for claim in document["spec"].get("volumeClaimTemplates", [])]
    spec = {**template["spec"], "volumes": [*template["spec"].get("volumes", []), *claims]}
    return {"apiVersion": "v1", "kind": "Pod", "spec": spec, "metadata": {
        "name": "one", "namespace": document["metadata"]["namespace"], "labels": template["metadata"]["labels"]}}


def assert_taken(api, documents):
    for document in sorted(documents, key=lambda document: document["kind"] != "Namespace"):
        assert api.create(document) == (201, "", None), document
        if pod_of(document):
            assert api.create(pod_as_started(document)) == (201, "", None)


@needs_api
@pytest.mark.parametrize("name", ["base", "minimal", "replicas", "site"])
def test_an_api_server_takes_it(api, name):
    assert_taken(api, in_namespace(built(KUBERNETES / name), f"test-{name}"))


@needs_api
def test_an_api_server_takes_what_the_page_adds(api, edited):
    assert_taken(api, in_namespace(with_all(edited), "test-added"))


@needs_api
def test_an_api_server_refuses_what_is_wrong(api):
    """It would have, above: a field that is none, and a pod with more rights than its namespace has."""
    documents = in_namespace(built(KUBERNETES / "minimal"), "test-wrong")
    assert api.create(of_kind(documents, "Namespace")[0])[0] == 201
    workload, = of_kind(documents, "StatefulSet")
    workload["spec"]["replica"] = 1
    status, words, _ = api.create(workload)
    assert status == 400 and 'unknown field "spec.replica"' in words
    pod = pod_as_started(workload)
    del pod["spec"]["securityContext"]["runAsNonRoot"]
    status, words, _ = api.create(pod)
    assert status == 403 and 'violates PodSecurity "restricted:latest"' in words
