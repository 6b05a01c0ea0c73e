"""The compose file: the shipped one with the services that are wanted."""

import hashlib
import os
import re

from setup_shipped import (
    COMPOSE, DOCKER, ROOT, dumped, load, part_of, plain, renamed, unshared, variable_of, variables,
)


def weirs_of(config):
    """Names of the services: weir alone has its groups, and a volume, of its own."""
    if config["weirs"]["state"] == "sqlite":
        return ["weir"]
    return [f"weir-{number}" for number in range(1, config["weirs"]["count"] + 1)]


def absent_parts(config):
    absent = {part for part, is_there in config["parts"].items() if not is_there}
    return absent | ({"redis"} if config["weirs"]["state"] == "sqlite" else set())


def address_of(service):
    return service["networks"]["back"]["ipv4_address"]


def host_number(weir, shipped):
    """Of its address: as shipped, or one of a hundred where nobody else is."""
    if weir in shipped:
        return address_of(shipped[weir]).rpartition(".")[2]
    return str(100 + int(weir.partition("-")[2])) if "-" in weir else host_number("weir-1", shipped)


def weir_service(weir, config, shipped):
    service = unshared(shipped["weir-1"])
    service["volumes"] = [re.sub(r"^weir-\d+:", f"{weir}:", volume) for volume in service["volumes"]]
    service["networks"]["back"]["ipv4_address"] = re.sub(r"\d+$", host_number(weir, shipped), address_of(service))
    environment = service["environment"]
    if config["weirs"]["state"] == "sqlite":
        del environment["WEIR_STATE_URL"]
    if not config["parts"]["postgres"]:
        del environment["WEIR_TARGETS_URL"]
    environment["WEIR_TARGETS_REGISTER"] = config["weirs"]["register"]
    for name, value in sorted(config["weirs"]["settings"].items()):
        environment["WEIR_" + re.sub(r"[.-]", "_", name).upper()] = plain(value)
    return service


def nginx_service(service, services, shipped):
    """Its variables lead to the services that are there, be it by names or by addresses."""
    weirs = [name for name in services if part_of(name) == "weir"]
    first = service["environment"]["NGINX_WEIR_1"]
    gone = {f"NGINX_{variable_of(name)}" for name in shipped.keys() - services.keys()}
    environment = {name: value for name, value in service["environment"].items()
                   if name not in gone and not re.fullmatch(r"NGINX_WEIR_\d+", name)}
    for number, weir in enumerate(weirs, 1):
        address = re.sub(r"(\}\.)\d+:", rf"\g<1>{host_number(weir, shipped)}:", first)
        environment[f"NGINX_WEIR_{number}"] = re.sub(r"^weir-1:", f"{weir}:", address)
    service["environment"] = environment


def prometheus_service(service, config, files):
    size, flag = config["prometheus"]["retention_size"], "--storage.tsdb.retention.size="
    if size:
        service["command"] = [word for word in service["command"] if not word.startswith(flag)] + [flag + size]
    service["volumes"] += files.mounts()
    if config["prometheus"]["jobs"] or config["prometheus"]["remote_write"]:
        service["networks"].setdefault("out", {})  # the network with the others leads nowhere else


def alertmanager_service(service, template):
    """Asked for is only what the template has."""
    used = variables(template)
    service["environment"] = {name: value for name, value in service["environment"].items()
                              if name in used or ":?" not in value}


def alone(service):
    """Grafana with a database of its own, in its volume."""
    environment = service["environment"]
    return {**service, "environment": {name: value for name, value in environment.items()
                                       if not name.startswith("GF_DATABASE_")}}


def wanted_services(config, shipped):
    """{name: settings}, weirs first."""
    services = {weir: weir_service(weir, config, shipped) for weir in weirs_of(config)}
    services.update({name: service for name, service in shipped.items()
                     if part_of(name) not in {"weir"} | absent_parts(config)})
    if not config["parts"]["postgres"]:
        grafanas = sorted(name for name in services if part_of(name) == "grafana")
        for name in grafanas[1:]:
            del services[name]  # several need one database
        services.update({name: alone(services[name]) for name in grafanas[:1]})
    return services


def tied_up(depends_on, services):
    """Depending on those that are there, and on all weirs instead of the shipped ones."""
    weirs = [name for name in services if part_of(name) == "weir"]
    wanted = {}
    for name, how in (depends_on.items() if isinstance(depends_on, dict) else dict.fromkeys(depends_on).items()):
        wanted.update(dict.fromkeys(weirs if part_of(name) == "weir" else {name} & services.keys(), how))
    return wanted if isinstance(depends_on, dict) else list(wanted)


def settle(service, services, images):
    """Where it is built, if it is, and on whom it depends."""
    if "build" in service:
        variable = variables(service["image"]).keys() & {f"{variable_of(name)}_IMAGE" for name in images}
        service["build"]["context"] = plain(str((DOCKER / service["build"]["context"]).resolve()))
        if variable:
            del service["build"]  # it is pulled
    if "depends_on" in service:
        service["depends_on"] = tied_up(service["depends_on"], services)
        if not service["depends_on"]:
            del service["depends_on"]


def used(settings, key, services):
    """Of volumes or networks those that some service has."""
    names = {name.partition(":")[0] for service in services.values() for name in service.get(key, [])}
    return {name: settings.get(name) for name in [*settings, *sorted(names - settings.keys())]
            if name in names and re.fullmatch(r"[\w-]+", name)}


def build(config, files, template):
    """The compose file as a mapping. files: that Prometheus reads; template: of Alertmanager's settings."""
    compose = {key: value for key, value in load(COMPOSE).items() if not key.startswith("x-")}
    shipped = compose["services"]
    services = wanted_services(config, shipped)
    nginx_service(services["nginx"], services, shipped)
    if "prometheus" in services:
        prometheus_service(services["prometheus"], config, files)
    if "alertmanager" in services:
        alertmanager_service(services["alertmanager"], template)
    for service in services.values():
        settle(service, services, config["images"])
    for key in ("networks", "volumes"):
        compose[key] = used(compose[key], key, services)
    return {**compose, "services": services}


# ---- What is mounted --------------------------------------------------------------------------


def place_of(source):
    """Of a file of docker/ or grafana/, in the directory of the installation."""
    path = (DOCKER / source).resolve()
    return str(path.relative_to(DOCKER) if path.is_relative_to(DOCKER) else path.relative_to(ROOT))


def contents(source):
    """{place: (bytes, is to be run)} of a shipped file, or of all in a folder."""
    place, path, found = place_of(source), DOCKER / source, {}
    for file in sorted(path.rglob("*") if path.is_dir() else [path]):
        if file.is_file() and not file.name.startswith("."):
            name = place if file == path else f"{place}/{file.relative_to(path)}"
            found[name] = (file.read_bytes(), os.access(file, os.X_OK))
    return found


def take_mounted(compose):
    """The contents of what is mounted or read by compose, from then on from beside compose.yml."""
    found = {}
    for service in compose["services"].values():
        for number, volume in enumerate(service.get("volumes", [])):
            source, _, rest = volume.partition(":")
            if source.startswith("."):
                service["volumes"][number] = f"./{place_of(source)}:{rest}"
                found.update(contents(source))
        for source in re.findall(r"\./[\w./-]+", str(service.get("env_file", ""))):
            found.update(contents(source))
    return found


def tell_of_files(compose, files):
    """A label with the digest of what is mounted: then up -d exchanges the containers whose files have changed."""
    for service in compose["services"].values():
        digest = hashlib.sha256()
        volumes = [volume.replace("${USERS_FILE", "./users:") for volume in service.get("volumes", [])]
        mounted = [volume.partition(":")[0][2:] for volume in volumes if volume.startswith("./")]
        names = sorted(name for name in files for place in mounted if name == place or name.startswith(f"{place}/"))
        for name in names:
            digest.update(f"{name}\0{len(files[name][0])}\0".encode() + files[name][0])
        if names:
            service["labels"] = {**service.get("labels", {}), "weir.files": digest.hexdigest()[:16]}


def text_of(compose, names):
    return renamed(dumped(compose, "An installation of weir, for docker compose."), names)
