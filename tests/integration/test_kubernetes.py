"""docker/kubernetes and docs/kubernetes.md: of the API's types, whole, without secrets and without rights."""

import copy
import re
import subprocess

import pytest
import yaml
from kubernetes.utils import parse_quantity

from harness import DEADLINE, REPOSITORY
from kubernetes_files import (
    KUBERNETES, KUSTOMIZE, WHOLE, assembled, containers_of, documents_of, faults_of, identity, loose_ends, merged,
    model_of, of_kind, pod_of, read, variables_of)

PAGE = (REPOSITORY / "docs" / "kubernetes.md").read_text()
# What the page says how to make.
MADE = {("ConfigMap" if kind == "configmap" else "Secret", name) for kind, name in
        re.findall(r"create (configmap|secret generic|secret tls) ([a-z-]+)", PAGE)}
MANIFESTS = sorted(path for path in KUBERNETES.glob("*/*.yaml") if path.name != "kustomization.yaml")
BLOCKS = re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.M | re.S)


def patches():
    for path in KUBERNETES.glob("*/kustomization.yaml"):
        for patch in documents_of(path)[0].get("patches", []):
            yield path.parent / patch["path"]


@pytest.mark.smoke
@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_each_file_is_of_the_apis_types(path):
    documents = documents_of(path)
    faults = [faults_of(document, path in set(patches())) for document in documents]
    assert faults and faults == [[]] * len(documents)


def test_each_file_is_of_use():
    named = {path for path in patches()}
    for path in KUBERNETES.glob("*/kustomization.yaml"):
        settings, = documents_of(path)
        assert settings["apiVersion"].startswith(KUSTOMIZE)
        named |= {(path.parent / resource).resolve() for resource in settings["resources"]}
    assert {path for path in named if path.is_file()} == set(MANIFESTS)


@pytest.mark.smoke
@pytest.mark.parametrize("name", WHOLE)
def test_it_is_whole(name):
    documents = assembled(name)
    assert [faults_of(document) for document in documents] == [[]] * len(documents)
    assert list(loose_ends(documents, MADE)) == []
    namespace, = of_kind(documents, "Namespace")
    assert {document["metadata"]["namespace"] for document in documents if document != namespace} == {
        namespace["metadata"]["name"]}


def test_the_ingress_leads_to_weir():
    component, = documents_of(KUBERNETES / "ingress" / "kustomization.yaml")
    assert component["kind"] == "Component"
    ingress, = documents_of(KUBERNETES / "ingress" / "ingress.yaml")
    assert list(loose_ends([*assembled("minimal"), ingress])) == []
    tls, = ingress["spec"]["tls"]
    assert {("Secret", tls["secretName"]),
            ("Secret", ingress["metadata"]["annotations"]["nginx.ingress.kubernetes.io/auth-secret"])} <= MADE
    assert tls["hosts"] == [rule["host"] for rule in ingress["spec"]["rules"]]


def test_each_key_that_is_referred_to_is_told_of():
    keys = {key for name in WHOLE for document in assembled(name) for container in containers_of(document)
            for way, _, key in variables_of(container)[1].values() if way != "fieldRef"}
    assert keys == {"WEIR_STATE_URL", "WEIR_TARGETS_URL", "server", "site"}
    for key in keys:
        assert re.search(rf"(^|--from-literal=){key}=", PAGE, re.M), key


@pytest.mark.parametrize("old,new,fault", [
    ("replicas: 1", "replica: 1", "StatefulSet.spec.replica: a V1StatefulSetSpec has no such field"),
    ("replicas: 1", "replicas: one", "StatefulSet.spec.replicas: 'one' is no int"),
    ("replicas: 1", "replicas: true", "StatefulSet.spec.replicas: True is no int"),
    ("value: 160MiB", "value: 256", "StatefulSet.spec.template.spec.containers[0].env[0].value: 256 is no str"),
    ("drop: [ALL]", "drop: ALL", "StatefulSet.spec.template.spec.containers[0].securityContext.capabilities.drop: "
                                 "'ALL' is no list[str]"),
    ("port: http", "port: [http]", "StatefulSet.spec.template.spec.containers[0].startupProbe.httpGet.port: ['http'] "
                                   "is neither a number nor a name"),
    ("serviceName: weir-pods", "", "StatefulSet.spec.serviceName is missing"),
    ("runAsNonRoot: true", "runAsNonRoot: 'yes'",
     "StatefulSet.spec.template.spec.securityContext.runAsNonRoot: 'yes' is no bool"),
    ("kind: StatefulSet", "kind: StatefulSets", "there is no kind 'StatefulSets' in 'apps/v1'"),
    ("apiVersion: apps/v1", "apiVersion: v1", "there is no kind 'StatefulSet' in 'v1'"),
    ("apiVersion: apps/v1", "apiVersion: apps/v1beta1", "there is no kind 'StatefulSet' in 'apps/v1beta1'"),
])
def test_a_fault_of_types_is_found(old, new, fault):
    text = (KUBERNETES / "base" / "stateful-set.yaml").read_text()
    assert old in text
    document, = read(text.replace(old, new, 1))
    assert faults_of(document) == [fault]


def test_a_key_that_stands_twice_is_found():
    with pytest.raises(yaml.constructor.ConstructorError, match="'replicas' stands twice"):
        read("spec:\n  replicas: 1\n  replicas: 2\n")


def at(documents, kind, *place):
    """What is at a place of the first document of a kind."""
    value = of_kind(documents, kind)[0]
    for step in place:
        value = value[step]
    return value


POD = ("StatefulSet", "spec", "template", "spec")


@pytest.mark.parametrize("place,change,fault", [
    (("Service", "spec", "selector"), {"app.kubernetes.io/name": "wier"}, "the Service weir leads to no port 'http'"),
    ((*POD, "containers", 0, "ports", 0), {"name": "web"}, "weir is asked at 'http', which is none of ['web']"),
    (("StatefulSet", "spec", "selector", "matchLabels"), {"tier": "back"}, "weir selects "),
    (("StatefulSet", "spec"), {"serviceName": "weir"}, "weir is of no headless Service weir"),
    ((*POD, "volumes", 0), {"name": "date"}, "weir has the volumes ['date'] and mounts ['data']"),
    ((*POD, "containers", 0, "resources", "limits"), {"memory": "512MB"}, "weir: limits of memory: "),
    ((*POD, "containers", 0, "env", 0, "valueFrom", "secretKeyRef"), {"name": "weir-url"},
     "Secret weir-url is nowhere made"),
    (("PodDisruptionBudget", "spec", "selector", "matchLabels"), {"tier": "back"},
     "the PodDisruptionBudget is for no pods"),
    (("NetworkPolicy", "spec", "ingress", 0, "ports", 0), {"port": "web"},
     "the NetworkPolicy weir is for no pods that have {'web'}"),
])
def test_a_loose_end_is_found(place, change, fault):
    documents = copy.deepcopy(assembled("replicas"))
    at(documents, *place).update(change)
    assert [end for end in loose_ends(documents, MADE) if end.startswith(fault)]


@pytest.mark.parametrize("name", WHOLE)
def test_nobody_has_more_rights_than_needed(name):
    for document in filter(pod_of, assembled(name)):
        pod = pod_of(document)["spec"]
        assert pod["automountServiceAccountToken"] is False and pod["enableServiceLinks"] is False
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        for container in containers_of(document):
            rights = container["securityContext"]
            assert (rights["allowPrivilegeEscalation"], rights["readOnlyRootFilesystem"], rights["capabilities"]) == (
                False, True, {"drop": ["ALL"]})
            assert rights.get("runAsUser", pod["securityContext"].get("runAsUser")) in (10001, 65534)
            assert container["resources"]["requests"].keys() == {"cpu", "memory"}
            assert "memory" in container["resources"]["limits"]
        for volume in pod.get("volumes", []):
            mounts = [mount for container in containers_of(document) for mount in container["volumeMounts"]
                      if mount["name"] == volume["name"]]
            assert "hostPath" not in volume or all(mount["readOnly"] for mount in mounts)


def test_no_secret_is_in_a_file():
    for path in MANIFESTS:
        assert not of_kind(documents_of(path), "Secret")
        assert not re.search(r"://[^/\s]*@|PASSWORD|TOKEN", path.read_text()), path
    for name in WHOLE:
        for document in assembled(name):
            for container in containers_of(document):
                assert {variable for variable in variables_of(container)[0]} <= {
                    "WEIR_LIMIT_STORED_BYTES", "WEIR_LIMIT_BODY_BYTES", "WEIR_CURL_CONFIG", "WEIR_SITE_DIR"}


def test_images_are_of_this_version():
    version, = re.findall(r"^ARG VERSION=(.*)$", (REPOSITORY / "docker" / "Dockerfile").read_text(), re.M)
    for name in ("minimal", "replicas", "site"):
        images = {container["image"] for document in assembled(name) for container in containers_of(document)}
        assert all(re.fullmatch(r"\S+:\S+", image) for image in images)
        assert {image for image in images if image.startswith("weir")} == {
            f"weir-site:{version}" if name == "site" else f"weir:{version}"}
    node_exporter = re.search(r"prom/node-exporter:v[\d.]+", (REPOSITORY / "docker/compose.site.yml").read_text())[0]
    assert node_exporter in images


def test_two_weirs_are_apart():
    replicas, = of_kind(assembled("replicas"), "StatefulSet")
    assert (replicas["spec"]["replicas"], "volumeClaimTemplates" in replicas["spec"]) == (2, False)
    apart, = pod_of(replicas)["spec"]["affinity"]["podAntiAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    assert apart["topologyKey"] == "kubernetes.io/hostname"
    assert apart["labelSelector"]["matchLabels"] == pod_of(replicas)["metadata"]["labels"]
    budget, = of_kind(assembled("replicas"), "PodDisruptionBudget")
    assert budget["spec"]["maxUnavailable"] == 1


def test_what_the_page_shows_fits():
    """Patches of what is here, and settings for Prometheus; kinds of its operator are nobody's here."""
    documents = {identity(document): document for document in assembled("minimal")}
    seen = []
    for document in (document for block in BLOCKS for document in read(block)):
        seen.append(document.get("kind", "Prometheus"))
        if model_of(document):
            whole = merged(documents[identity(document)], document)
            assert (faults_of(document, True), faults_of(whole)) == ([], [])
            others = [other for key, other in documents.items() if key != identity(document)]
            assert list(loose_ends([*others, whole], MADE)) == []
    assert seen == ["StatefulSet", "NetworkPolicy", "Prometheus", "Prometheus", "ScrapeConfig", "ServiceMonitor"]


def test_its_settings_for_prometheus_are_good(tmp_path):
    services = {f"{service['metadata']['name']}.weir.svc" for service in of_kind(assembled("minimal"), "Service")}
    for block in BLOCKS:
        if block.startswith("scrape_configs:"):
            (tmp_path / "prometheus.yml").write_text(block)
            done = subprocess.run(["promtool", "check", "config", tmp_path / "prometheus.yml"], capture_output=True,
                                  text=True, timeout=DEADLINE, check=False)
            assert done.returncode == 0, done.stdout + done.stderr
            assert set(re.findall(r"[a-z-]+\.weir\.svc", block)) <= services


def test_the_operator_finds_each_weir():
    monitor = next(document for block in BLOCKS for document in read(block) if document.get("kind") == "ServiceMonitor")
    wanted = monitor["spec"]["selector"]["matchLabels"].items()
    found = [service for service in of_kind(assembled("minimal"), "Service")
             if wanted <= service["metadata"]["labels"].items()]
    assert [service["metadata"]["name"] for service in found] == ["weir-pods"]
    ports = [endpoint["port"] for endpoint in monitor["spec"]["endpoints"]]
    assert ports == [port["name"] for port in found[0]["spec"]["ports"]]


def test_the_files_that_are_applied_are_there():
    files = re.findall(r"docker/kubernetes/[\w./-]*\w(?= |$)", PAGE, re.M)
    assert len(files) > 4 and all((REPOSITORY / file).exists() for file in files)
    named, = re.findall(r"for file in ([a-z -]+); do kubectl apply -n weir -f (docker/[a-z/]+)/\$file.yaml", PAGE)
    assert {*(f"{file}.yaml" for file in named[0].split()), "namespace.yaml", "kustomization.yaml"} == {
        path.name for path in (REPOSITORY / named[1]).iterdir()}
