"""For each host that pushes from a site the variables of docker/compose.site.yml, and curl's password for the site."""

from setup_shipped import DOCKER, variables
from setup_variables import quoted

CURL_CONFIG = "/etc/weir-site/curl.conf"


def env(config, site, host):
    """Names are those that the scripts and the compose file of sites know."""
    rows = {
        "PUSHGATEWAY_SERVER": f"https://{config['names']['push']}.{config['domain']}", "MYIP": host,
        "WEIR_SITE": site["name"], "PUSH_EVERY": site["every"], "HOST2IP": " ".join(site["ping"]),
        "SWITCH_TARGET": " ".join(site["switches"]), "CURL_CONFIG": CURL_CONFIG if site["user"] else "",
    }
    assert rows.keys() <= variables((DOCKER / "compose.site.yml").read_text()).keys()
    head = f"# Of {host}: docker compose -f docker/compose.site.yml --env-file FILE up -d. Written by scripts/setup.\n"
    return head + "".join(f"{name}={quoted(value)}\n" for name, value in rows.items() if value)


def files(config, passwords):
    """{place: (bytes, mode)}"""
    found = {}
    for site in config["sites"]:
        place = f"sites/{site['name']}"
        for host in site["hosts"]:
            found[f"{place}/{host}.env"] = (env(config, site, host).encode(), 0o644)
        if site["user"]:
            line = f'user = "{site["user"]}:{passwords[site["user"]]}"\n'
            found[f"{place}/curl.conf"] = (line.encode(), 0o600)
    return found
