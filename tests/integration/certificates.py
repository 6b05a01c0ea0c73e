"""Certificates made by the openssl command for a test, and contexts of clients that know them."""

import ssl
import subprocess
from dataclasses import dataclass
from pathlib import Path

KEYS = {
    "ec": ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"],
    "rsa": ["-newkey", "rsa:2048"],
}
SERVER_NAMES = "DNS:localhost,IP:127.0.0.1"


@dataclass
class Identity:
    cert: Path
    key: Path

    def pem(self):
        return self.cert.read_text(), self.key.read_text()


def openssl(*arguments):
    done = subprocess.run(["openssl", *map(str, arguments)], capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, check=False)
    assert done.returncode == 0, f"openssl {arguments}: {done.stderr}"
    return done.stdout


class Authority:
    """A CA of its own in a directory."""

    def __init__(self, directory, name="ca"):
        directory.mkdir(parents=True, exist_ok=True)
        self.directory = directory
        self.cert = directory / f"{name}.pem"
        self.key = directory / f"{name}.key"
        openssl("req", "-x509", *KEYS["ec"], "-nodes", "-keyout", self.key, "-out", self.cert,
                "-days", 10, "-subj", f"/CN={name}")

    def issue(self, name, sans=SERVER_NAMES, kind="ec", days=5):
        """An identity that this CA signed; days may be negative for one that has expired."""
        identity = Identity(self.directory / f"{name}.pem", self.directory / f"{name}.key")
        request, further = self.directory / f"{name}.csr", self.directory / f"{name}.ext"
        openssl("req", "-new", *KEYS[kind], "-nodes", "-keyout", identity.key, "-out", request,
                "-subj", f"/CN={name}")
        further.write_text(f"subjectAltName={sans}\n")
        openssl("x509", "-req", "-in", request, "-CA", self.cert, "-CAkey", self.key, "-days", days,
                "-extfile", further, "-out", identity.cert)
        return identity

    def client(self, identity=None, version=None):
        """How a client of this CA's connects, with a certificate or without.

        It minds when the connection ends without a close_notify.
        """
        context = ssl.create_default_context(cafile=self.cert)
        context.options &= ~getattr(ssl, "OP_IGNORE_UNEXPECTED_EOF", 0)
        if identity:
            context.load_cert_chain(identity.cert, identity.key)
        if version:
            context.minimum_version = context.maximum_version = version
        return context


def web_config(directory, text, name="web.yml"):
    """A file for --web.config.file."""
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / name
    path.write_text(text)
    return path


def tls_config(identity, *lines):
    """tls_server_config with that certificate and further lines of it."""
    settings = [f"cert_file: {identity.cert}", f"key_file: {identity.key}", *lines]
    return "tls_server_config:\n" + "".join(f"  {line}\n" for line in settings)
