"""The targets of an installation that takes pushes of those alone that are registered: lines for weir's import."""

import json
import shlex

NAME = "targets.jsonl"
# What docker/compose.site.yml pushes from each host, and of each switch.
JOBS, JOB_OF_SWITCHES = ("node-exporter", "arpMetrics", "cgroups"), "snmp-exporter"
JOB_OF_NGINX = "nginx"


def labels(config, compose):
    nginx = compose["services"].get("push-nginx")
    if nginx:
        yield {"job": JOB_OF_NGINX, "instance": nginx["environment"]["MYIP"]}
    for site in config["sites"]:
        for host in site["hosts"]:
            own = {"instance": host, "site": site["name"]}
            yield from ({"job": job, **own} for job in JOBS)
            yield from ({"job": JOB_OF_SWITCHES, **own, "target_switch": switch} for switch in site["switches"])


def files(config, compose):
    """{place: (bytes, mode)}"""
    if config["weirs"]["register"] != "known":
        return {}
    lines = [json.dumps({"labels": each}) + "\n" for each in labels(config, compose)]
    return {NAME: ("".join(lines).encode(), 0o644)}


def told(config, directory):
    """How to register them."""
    url = f"https://{config['names']['push']}.{config['domain']}/api/v1/targets/import"
    file = shlex.quote(f"@{directory / NAME}")
    return f"then let its own push: curl -u {(config['users'] or ['USER'])[0]} --data-binary {file} {url}"
