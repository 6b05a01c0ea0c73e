"""Where the components of a stack are asked how they are: as servers, or as services of a compose file."""

import os
import re
import urllib.parse

from asking import Asker, AskError
from stack_check import read_env
from stack_places import Containers, Fault, Servers, kind_of, of_kinds, run

PORTS = {"weir": 9091, "prometheus": 9090, "alertmanager": 9093, "grafana": 3000}
WITH_WGET = ("prometheus", "alertmanager", "nginx", "grafana")
KINDS = ("weir", "redis", "postgres", *WITH_WGET, "push-nginx")
# Of whom the compose file says the name below DOMAIN, and where.
PUBLIC = {"weir": r"WEIR_WEB_EXTERNAL_URL: ", "prometheus": "--web[.]external-url=", "grafana": "GF_SERVER_ROOT_URL: "}


class AskedServers(Servers):
    """By their URLs in variables; of several of a kind, with blanks between them."""

    def __init__(self, timeout):
        super().__init__(needs_data=False)
        self.timeout = timeout
        urls = {}
        for kind in ("weir", *WITH_WGET):
            there = os.environ.get(f"{kind.upper()}_URL", "").split()
            names = [kind] if len(there) == 1 else [f"{kind}-{number}" for number in range(1, len(there) + 1)]
            urls.update(zip(names, there))
        try:
            self.askers = {name: Asker(url, timeout=timeout) for name, url in urls.items()}
        except AskError as fault:
            raise Fault(str(fault)) from None
        os.environ.setdefault("PGCONNECT_TIMEOUT", str(max(2, round(timeout))))

    def components(self):
        stores = {"redis": any(self.redis), "postgres": self.postgres_url}
        return of_kinds([*self.askers, *(name for name, is_there in stores.items() if is_there)], KINDS)

    def link(self, name):
        if name == "redis":
            return f"redis://{self.redis[0] or '127.0.0.1'}:{self.redis[1] or '6379'}"
        return Asker.hide(self.postgres_url) if name == "postgres" else self.askers[name].url + "/"

    def instance(self, name):
        return self.askers[name].instance if name in self.askers else ""

    def fetch(self, name, path, parameters=()):
        return self.askers[name].get(path, parameters).decode(errors="replace")

    def probe_weir(self, name):
        self.fetch(name, "/-/ready")

    def probe_nginx(self, name):
        """Any answer of its own will do; what is behind it is asked by itself."""
        try:
            self.fetch(name, "/")
        except AskError as fault:
            if not re.search(r": (30[12378]|40[134]) ", str(fault)):
                raise


def names_of(compose_file):
    """{kind: its name below DOMAIN}, such as push"""
    text = compose_file.read_text()
    found = {kind: re.search(place + r"https://([\w.-]+)\.\$\{DOMAIN", text) for kind, place in PUBLIC.items()}
    return {kind: match[1] for kind, match in found.items() if match}


class AskedContainers(Containers):
    """From within their network: by the wget of one that has it. A weir has none, but a probe."""

    def __init__(self, compose_file, env_file, project, timeout):
        super().__init__(compose_file, env_file, project)
        self.timeout = timeout
        self.domain = read_env(env_file if env_file and env_file.is_file() else None).get("DOMAIN")
        self.names = names_of(compose_file)

    def components(self):
        return of_kinds(self.services, KINDS)

    def link(self, name):
        kind = kind_of(name)
        if self.domain and "nginx" in self.services and kind in self.names:
            return f"https://{self.names[kind]}.{self.domain}/"
        return f"http://{self.instance(name)}/" if kind in PORTS else ""

    def instance(self, name):
        port = PORTS.get(kind_of(name))
        return f"{name}:{port}" if port else ""

    def fetch(self, name, path, parameters=()):
        """From itself, or by the first of the others that runs; by its published port if there is none."""
        query = "?" + urllib.parse.urlencode(list(parameters)) if parameters else ""
        if kind_of(name) in WITH_WGET:
            return self._wget(name, f"127.0.0.1:{PORTS[kind_of(name)]}", path + query)
        helpers = of_kinds(self.services, WITH_WGET)
        for number, helper in enumerate(helpers, 1):
            try:
                return self._wget(helper, self.instance(name), path + query)
            except Fault:
                if number == len(helpers):
                    raise
        address = run([*self.compose, "port", name, str(PORTS["weir"])], what=name, timeout=self.timeout)
        return Asker(f"http://{address.replace('0.0.0.0', '127.0.0.1')}", timeout=self.timeout).get(path + query).decode()

    def _wget(self, service, address, target):
        return self.run(service, ["wget", "-q", "-T", str(max(1, int(self.timeout))), "-O", "-",
                                  f"http://{address}{target}"], timeout=self.timeout)

    def probe_weir(self, name):
        self.run(name, ["/usr/bin/weir", "probe"], timeout=self.timeout)

    def probe_nginx(self, name):
        self.run(name, ["wget", "-q", "-O", "/dev/null", "http://127.0.0.1:8080/"], timeout=self.timeout)
