"""docker/kubernetes/: its documents, held to the types that the Kubernetes client of Debian has of the API."""

import datetime
import functools
import re

import kubernetes.client
import yaml
from kubernetes.client import Configuration
from kubernetes.utils import parse_quantity

from harness import REPOSITORY

KUBERNETES = REPOSITORY / "docker" / "kubernetes"
KUSTOMIZE = "kustomize.config.k8s.io/"
WHOLE = ["base", "minimal", "replicas", "site"]  # each of them can be applied
PLAIN = {"int": int, "bool": bool, "float": (int, float), "str": str, "datetime": (str, datetime.datetime)}


class Strict(yaml.SafeLoader):
    """Of two keys of one name PyYAML takes the latter; Kubernetes refuses them."""

    def construct_mapping(self, node, deep=False):
        keys = [self.construct_object(key) for key, _ in node.value]
        for key in keys:
            if keys.count(key) > 1:
                raise yaml.constructor.ConstructorError(None, None, f"{key!r} stands twice", node.start_mark)
        return super().construct_mapping(node, deep)


def read(text):
    return [document for document in yaml.load_all(text, Strict) if document is not None]


def documents_of(*paths):
    return [document for path in paths for document in read(path.read_text())]


# --- types ---

def model_of(document):
    """The class of a document's kind, in that group and version alone."""
    version, kind = document.get("apiVersion", ""), document.get("kind", "")
    group, _, number = version.rpartition("/")
    group = group.removesuffix(".k8s.io") or "core"
    words = "".join(word.capitalize() for word in re.split(r"[.-]", group))
    api = getattr(kubernetes.client, f"{words}{number.capitalize()}Api", None)
    snake = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", kind).lower()
    if api and kind and (hasattr(api, f"create_{snake}") or hasattr(api, f"create_namespaced_{snake}")):
        return getattr(kubernetes.client, f"{number.capitalize()}{kind}")
    return None


@functools.cache
def required_of(model):
    """The fields of a class that may not be left out: those that it refuses to set to None."""
    blank = model.__new__(model)
    blank.local_vars_configuration = Configuration()
    required = set()
    for name, key in model.attribute_map.items():
        try:
            setattr(blank, name, None)
        except ValueError:
            required.add(key)
    return required


def faults_of(document, is_patch=False):
    """What is wrong with a document, a sentence each. A patch need not have everything."""
    model = model_of(document)
    if not model:
        return [f"there is no kind {document.get('kind')!r} in {document.get('apiVersion')!r}"]
    return list(faults_at(model.__name__, document, document["kind"], is_patch))


def faults_at(kind, value, place, is_patch):
    if value is None and is_patch:  # takes away what was there
        return
    inner = re.fullmatch(r"(?:list\[|dict\(str, )(.*)[\])]", kind)
    if inner:
        yield from faults_inside(kind, inner[1], value, place, is_patch)
    elif kind == "object":
        if not isinstance(value, (int, str)) or isinstance(value, bool):
            yield f"{place}: {value!r} is neither a number nor a name"
    elif kind in PLAIN:
        if not isinstance(value, PLAIN[kind]) or (kind != "bool" and isinstance(value, bool)):
            yield f"{place}: {value!r} is no {kind}"
    else:
        yield from faults_in_fields(getattr(kubernetes.client, kind), value, place, is_patch)


def faults_inside(kind, inner, value, place, is_patch):
    if not isinstance(value, list if kind.startswith("list") else dict):
        yield f"{place}: {value!r} is no {kind}"
        return
    for key, item in value.items() if isinstance(value, dict) else enumerate(value):
        if not isinstance(value, dict) or isinstance(key, str):
            yield from faults_at(inner, item, f"{place}[{key}]", is_patch)
        else:
            yield f"{place}: the key {key!r} is no str"


def faults_in_fields(model, value, place, is_patch):
    if not isinstance(value, dict):
        yield f"{place}: {value!r} is no {model.__name__}"
        return
    names = {key: name for name, key in model.attribute_map.items()}
    for key, item in value.items():
        if key in names:
            yield from faults_at(model.openapi_types[names[key]], item, f"{place}.{key}", is_patch)
        else:
            yield f"{place}.{key}: a {model.__name__} has no such field"
    if not is_patch:
        yield from (f"{place}.{key} is missing" for key in sorted(required_of(model) - value.keys()))


# --- what belongs together ---

def assembled(name):
    """As kustomize build has it, of what its files here make use of; tests/extra holds it to the real one."""
    directory = KUBERNETES / name
    settings, = documents_of(directory / "kustomization.yaml")
    documents = []
    for resource in [*settings["resources"], *settings.get("components", [])]:
        path = directory / resource
        documents += assembled(path.resolve().name) if path.is_dir() else documents_of(path)
    for patch in settings.get("patches", []):
        for part in documents_of(directory / patch["path"]):
            target, = [document for document in documents if identity(document) == identity(part)]
            documents[documents.index(target)] = merged(target, part)
    images = {image["name"]: f"{image['newName']}:{image['newTag']}" for image in settings.get("images", [])}
    for document in documents:
        if document["kind"] != "Namespace" and "namespace" in settings:
            document["metadata"]["namespace"] = settings["namespace"]
        for container in containers_of(document):
            container["image"] = images.get(container["image"], container["image"])
    return documents


def identity(document):
    return document["apiVersion"], document["kind"], document["metadata"]["name"]


def merged(old, new):
    """A strategic merge: items of lists are the same by their names; None takes a field away."""
    if isinstance(old, dict) and isinstance(new, dict):
        both = {**old, **{key: merged(old.get(key), value) for key, value in new.items()}}
        return {key: value for key, value in both.items() if value is not None}
    if isinstance(old, list) and isinstance(new, list) and all("name" in item for item in [*old, *new]):
        names = {item["name"]: item for item in new}
        kept = [merged(item, names.pop(item["name"], {})) for item in old]
        return [*names.values(), *kept]
    return new


def pod_of(document):
    """The pods' template of a document, or an empty one."""
    return document.get("spec", {}).get("template", {}) if document["kind"] in ("StatefulSet", "DaemonSet") else {}


def containers_of(document):
    return pod_of(document).get("spec", {}).get("containers", [])


def of_kind(documents, kind):
    return [document for document in documents if document["kind"] == kind]


def variables_of(container):
    """Variables with a value, and where others have theirs from: {name: (kind, object, key)}."""
    fixed, referred = {}, {}
    for variable in container.get("env", []):
        if "value" in variable:
            fixed[variable["name"]] = variable["value"]
        else:
            (way, source), = variable["valueFrom"].items()
            referred[variable["name"]] = (way, source.get("name"), source.get("key", source.get("fieldPath")))
    return fixed, referred


def ports_of(document):
    return {port["name"] for container in containers_of(document) for port in container.get("ports", [])}


def labels_of(document):
    return pod_of(document).get("metadata", {}).get("labels", {})


def selected(documents, labels):
    """Those whose pods have these labels."""
    return [document for document in documents if labels and pod_of(document)
            and labels.items() <= labels_of(document).items()]


def loose_ends(documents, made=()):
    """What refers to something that is not there. made: (kind, name) of what others make."""
    for document in documents:
        yield from {"Service": loose_service, "Ingress": loose_ingress, "NetworkPolicy": loose_policy,
                    "PodDisruptionBudget": loose_budget}.get(document["kind"], lambda *_: ())(document, documents)
        if pod_of(document):
            yield from loose_pods(document, documents)
            yield from (f"{kind} {name} is nowhere made" for kind, name in references(document) - {*made})


def loose_service(document, documents):
    workloads = selected(documents, document["spec"]["selector"])
    for port in document["spec"]["ports"]:
        if not any(port["targetPort"] in ports_of(workload) for workload in workloads):
            yield f"the Service {document['metadata']['name']} leads to no port {port['targetPort']!r}"


def loose_ingress(document, documents):
    services = {service["metadata"]["name"]: service for service in of_kind(documents, "Service")}
    for rule in document["spec"]["rules"]:
        for path in rule["http"]["paths"]:
            backend = path["backend"]["service"]
            ports = services.get(backend["name"], {}).get("spec", {}).get("ports", [])
            if backend["port"]["name"] not in {port["name"] for port in ports}:
                yield f"the Ingress leads to {backend}"


def loose_policy(document, documents):
    workloads = selected(documents, document["spec"]["podSelector"]["matchLabels"])
    named = {port["port"] for rule in document["spec"]["ingress"] for port in rule["ports"]}
    if not workloads or not all(named <= ports_of(workload) for workload in workloads):
        yield f"the NetworkPolicy {document['metadata']['name']} is for no pods that have {named}"


def loose_budget(document, documents):
    if not selected(documents, document["spec"]["selector"]["matchLabels"]):
        yield "the PodDisruptionBudget is for no pods"


def loose_pods(document, documents):
    spec, name = document["spec"], document["metadata"]["name"]
    if spec["selector"]["matchLabels"] != labels_of(document):
        yield f"{name} selects {spec['selector']['matchLabels']}, its pods have {labels_of(document)}"
    if "serviceName" in spec and spec["serviceName"] not in {
            service["metadata"]["name"] for service in of_kind(documents, "Service")
            if service["spec"].get("clusterIP") == "None"}:
        yield f"{name} is of no headless Service {spec['serviceName']}"
    volumes = {volume["name"] for volume in spec["template"]["spec"].get("volumes", [])}
    volumes |= {claim["metadata"]["name"] for claim in spec.get("volumeClaimTemplates", [])}
    mounts = {mount["name"] for container in containers_of(document) for mount in container.get("volumeMounts", [])}
    if mounts != volumes:
        yield f"{name} has the volumes {sorted(volumes)} and mounts {sorted(mounts)}"
    for container in containers_of(document):
        yield from loose_container(container)


def loose_container(container):
    ports = {port["name"] for port in container.get("ports", [])}
    for probe in (value for key, value in container.items() if key.endswith("Probe")):
        if probe.get("httpGet", {}).get("port", "") not in {"", *ports}:
            yield f"{container['name']} is asked at {probe['httpGet']['port']!r}, which is none of {sorted(ports)}"
    for kind, amounts in container.get("resources", {}).items():
        for resource, amount in amounts.items():
            try:
                parse_quantity(amount)
            except ValueError as error:
                yield f"{container['name']}: {kind} of {resource}: {error}"


def references(document):
    """(kind, name) of each Secret and ConfigMap that a document's pods need."""
    found = set()
    for container in containers_of(document):
        for way, name, _ in variables_of(container)[1].values():
            if way != "fieldRef":
                found.add(({"secretKeyRef": "Secret", "configMapKeyRef": "ConfigMap"}[way], name))
    for volume in pod_of(document)["spec"].get("volumes", []):
        if "secret" in volume:
            found.add(("Secret", volume["secret"]["secretName"]))
        elif "configMap" in volume:
            found.add(("ConfigMap", volume["configMap"]["name"]))
    return found
