"""docker/nginx/nginx.conf.template in force: a real nginx on the loopback, and who asks it."""

import contextlib
import crypt
import os
import socket
import subprocess

from certificates import Authority
from compose_files import nginx_conf, services
from harness import DEADLINE, curl, wait_for
from redis_servers import free_port

PASSWORD = "correct horse"


class Front:
    """nginx with the settings of the cloud, on the loopback."""

    def __init__(self, directory, weirs, prometheus, grafanas):
        """Addresses, as HOST:PORT; of Prometheus and the two Grafanas ports."""
        self.directory, self.port, self.health = directory, free_port(), free_port()
        self.authority = Authority(directory / "ca")
        identity = self.authority.issue("server", sans=",".join(
            f"DNS:{name}.example.com" for name in ("push", "metrics", "grafana", "other")))
        tls, run = directory / "tls", directory / "run"
        for path in (tls, run):
            path.mkdir()
        (tls / "fullchain.pem").write_bytes(identity.cert.read_bytes())
        (tls / "privkey.pem").write_bytes(identity.key.read_bytes())
        (directory / "users").write_text(f"ada:{crypt.crypt(PASSWORD, crypt.METHOD_SHA512)}\n")
        variables = {
            **services("cloud")["nginx"]["environment"], "NGINX_RUN": run, "NGINX_PORT": f"127.0.0.1:{self.port}",
            "NGINX_HEALTH": f"127.0.0.1:{self.health}", "NGINX_STATUS_FOR": "127.0.0.1", "NGINX_TLS": tls,
            "NGINX_USERS": directory / "users", "NGINX_WEIR_1": weirs[0], "NGINX_WEIR_2": weirs[1],
            "NGINX_PROMETHEUS": f"127.0.0.1:{prometheus}", "NGINX_GRAFANA_1": f"127.0.0.1:{grafanas[0]}",
            "NGINX_GRAFANA_2": f"127.0.0.1:{grafanas[1]}"}
        self.conf = directory / "nginx.conf"
        # It goes on as this user, so that pytest's directories are open to it.
        user = "user root;\n" if os.getuid() == 0 else ""
        self.conf.write_text(user + nginx_conf({key: str(value) for key, value in variables.items()}))
        self.log = directory / "log"
        self.process = None

    def nginx(self, *flags):
        return ["nginx", "-e", "stderr", "-c", str(self.conf), "-p", str(self.directory), *flags]

    def __enter__(self):
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(self.nginx("-g", "daemon off;"), stderr=log, stdout=log)
        wait_for(self.answers, "nginx answers")
        return self

    def answers(self):
        assert self.process.poll() is None, self.log.read_text()
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.health), timeout=1):
            return True

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(DEADLINE)

    def ask(self, name, path, *arguments, user=True, data=None, port=None):
        """(status, body), as curl gets it."""
        host = f"{name}.example.com"
        output = curl(*(["--user", f"ada:{PASSWORD}"] if user else []), *arguments, "--cacert", str(self.authority.cert),
                      "--resolve", f"{host}:{self.port}:127.0.0.1", "-w", "\n%{http_code}", "--path-as-is",
                      f"https://{host}:{self.port}{path}", data=data).decode()
        body, _, status = output.rpartition("\n")
        return int(status), body

    def push(self, path, body, **options):
        return self.ask("push", path, "-X", "PUT", "--data-binary", "@-", data=body, **options)[0]
