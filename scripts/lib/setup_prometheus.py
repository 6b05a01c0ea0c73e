"""Prometheus' settings: the shipped jobs for the weirs that there are, the reader's own, and where to write."""

import re

from setup_shipped import PROMETHEUS, dumped, load, plain

# In the container, one for each file that a job or a remote_write names.
SECRETS = "/run/prometheus"


def kept_targets(targets, weirs, gone):
    """Those whose service is not gone; all weirs in the place of the first of the shipped ones."""
    found = []
    for target in targets:
        host, _, port = target.rpartition(":")
        if re.fullmatch(r"weir-\d+", host):
            found += [f"{weir}:{port}" for weir in weirs if f"{weir}:{port}" not in found]
        elif host not in gone:
            found.append(target)
    return found


def kept_configs(configs, weirs, gone):
    """Of static_configs; with those of no target left out."""
    kept = [{**config, "targets": kept_targets(config["targets"], weirs, gone)} for config in configs]
    return [config for config in kept if config["targets"]]


def kept_job(job, weirs, gone, site):
    if "static_configs" in job:
        job = {**job, "static_configs": kept_configs(job["static_configs"], weirs, gone)}
    for config in job.get("static_configs", []):
        if "site" in config.get("labels", {}):
            config["labels"]["site"] = site
    for rule in job.get("relabel_configs", []):
        if rule.get("target_label") == "site":
            rule["replacement"] = site
    return job


class Files:
    """Of the machine, that Prometheus reads: each gets a place in its container."""

    def __init__(self):
        self.places = {}

    def place(self, path):
        return self.places.setdefault(path, f"{SECRETS}/{len(self.places) + 1}")

    def mounts(self):
        return [f"{plain(path)}:{place}:ro" for path, place in self.places.items()]


def login(settings, files):
    found = {}
    if settings["user"]:
        found["basic_auth"] = {"username": settings["user"], "password_file": files.place(settings["password_file"])}
    if settings["token_file"]:
        found["authorization"] = {"credentials_file": files.place(settings["token_file"])}
    if settings["ca_file"]:
        found["tls_config"] = {"ca_file": files.place(settings["ca_file"])}
    return found


def own_job(job, files):
    renamed = {"interval": "scrape_interval", "timeout": "scrape_timeout", "path": "metrics_path", "scheme": "scheme",
               "honor_labels": "honor_labels"}
    targets = {"targets": job["targets"], **({"labels": job["labels"]} if job["labels"] else {})}
    return {"job_name": job["job"], **{name: job[key] for key, name in renamed.items() if job[key] is not None},
            **login(job, files), "static_configs": [targets]}


def own_write(write, files):
    relabeling = [{"source_labels": ["__name__"], "regex": write[action], "action": action}
                  for action in ("keep", "drop") if write[action] is not None]
    return {"url": write["url"], **login(write, files),
            **({"write_relabel_configs": relabeling} if relabeling else {})}


def settings(config, weirs, gone):
    """(text of them, files that it names)"""
    shipped, wanted, files = load(PROMETHEUS), config["prometheus"], Files()
    interval = wanted["scrape_interval"]
    shipped["global"] = {**shipped["global"], "scrape_interval": interval, "evaluation_interval": interval,
                         "external_labels": {"site": config["site"], **wanted["labels"]}}
    for manager in shipped.get("alerting", {}).get("alertmanagers", []):
        manager["static_configs"] = kept_configs(manager["static_configs"], weirs, gone)
    if not any(manager["static_configs"] for manager in shipped.get("alerting", {}).get("alertmanagers", [])):
        shipped.pop("alerting", None)
    jobs = [kept_job(job, weirs, gone, config["site"]) for job in shipped["scrape_configs"]]
    shipped["scrape_configs"] = [job for job in jobs if job.get("static_configs") or any(
        key.endswith("_sd_configs") for key in job)] + [own_job(job, files) for job in wanted["jobs"]]
    writes = shipped.get("remote_write", []) + [own_write(write, files) for write in wanted["remote_write"]]
    if writes:
        shipped["remote_write"] = writes
    return dumped(shipped, "Prometheus' settings."), files
