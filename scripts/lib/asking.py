"""Asks servers over HTTP: with a password or a token, a CA, and an end to waiting.

Whatever goes wrong is one sentence with the URL in it, without a password. Redirects are not followed: they could
carry the password elsewhere.
"""

import base64
import json
import re
import ssl
import time
import urllib.error
import urllib.parse
import urllib.request
from datetime import datetime
from pathlib import Path

ANSWER_MAX = 256 << 20
SHOWN_MAX = 200  # of what a server says to a refusal


def visible(text):
    """On one line, whatever is in it."""
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in " ".join(text.split()))


class AskError(Exception):
    """Why there is no answer, for people."""


class Unredirected(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


def seconds_of(text):
    """Unix time of what RFC 3339 has."""
    found = re.fullmatch(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,6})\d*)?(Z|[+-]\d\d:\d\d)", text or "")
    if not found:
        return None
    zone = "+00:00" if found[3] == "Z" else found[3]
    return datetime.fromisoformat(f"{found[1]}.{(found[2] or '0').ljust(6, '0')}{zone}").timestamp()


def first_line(path, what):
    """Of a file with a password or a token."""
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as fault:
        raise AskError(f"{what}: cannot read {path}: {getattr(fault, 'strerror', None) or fault}") from None
    if not lines or not lines[0].strip():
        raise AskError(f"{what}: the first line of {path} is empty")
    return lines[0].strip()


def context_of(ca_file):
    try:
        return ssl.create_default_context(cafile=ca_file)
    except (OSError, ssl.SSLError) as fault:
        raise AskError(f"cannot use the certificates of {ca_file}: {fault}") from None


class Asker:
    """Of one server; the URL may have a path, a user and a password."""

    def __init__(self, url, authorization=None, ca_file=None, timeout=30.0):
        self.timeout = timeout
        try:
            parts = urllib.parse.urlsplit(url)
            host, port = parts.hostname, parts.port
        except ValueError as fault:
            raise AskError(f"{url!r} is no URL: {fault}") from None
        if parts.scheme not in ("http", "https") or not host or parts.query or parts.fragment:
            raise AskError(f"a URL is http://HOST:PORT/PATH or https://..., not {self.hide(url)!r}")
        where = f"[{host}]" if ":" in host else host
        self.instance = f"{where}:{port or (443 if parts.scheme == 'https' else 80)}"
        self.url = urllib.parse.urlunsplit((parts.scheme, where + (f":{port}" if port else ""),
                                            parts.path.rstrip("/"), "", ""))
        self.authorization = authorization or self.basic_of(parts)
        self.opener = urllib.request.build_opener(
            Unredirected, urllib.request.HTTPSHandler(context=context_of(ca_file)))

    @staticmethod
    def hide(url):
        return re.sub(r"(://[^/@:]*:)[^/@]*@", r"\1xxxxx@", url)

    @staticmethod
    def basic(user, password):
        return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()

    @classmethod
    def basic_of(cls, parts):
        if parts.username is None:
            return None
        return cls.basic(urllib.parse.unquote(parts.username), urllib.parse.unquote(parts.password or ""))

    def get(self, path, parameters=()):
        """The body; parameters are pairs, and are posted as a form if they are long."""
        return self._ask(path, parameters, self._whole)

    def each_line(self, path, take):
        """Of a body that may have any size."""
        def take_lines(answer, end):
            for line in answer:
                take(line.decode(errors="replace").rstrip("\n"))
                self._keep_time(end)
        self._ask(path, (), take_lines)

    def _ask(self, path, parameters, read):
        text = urllib.parse.urlencode(list(parameters))
        target, body = self.url + path, None
        if len(text) > 2000:
            body = text.encode()
        elif text:
            target += "?" + text
        request = urllib.request.Request(target, data=body)
        if self.authorization:
            request.add_unredirected_header("Authorization", self.authorization)
        try:
            end = time.monotonic() + self.timeout
            with self.opener.open(request, timeout=self.timeout) as answer:
                return read(answer, end)
        except urllib.error.HTTPError as answer:
            raise AskError(self._refusal(path, answer)) from None
        except (OSError, ValueError, urllib.error.URLError) as fault:
            reason = getattr(fault, "reason", fault)
            said = "it does not answer in time" if isinstance(reason, TimeoutError) else str(reason)
            raise AskError(f"{self.url}{path}: {said}") from None

    @staticmethod
    def _keep_time(end):
        """A server that trickles is given up as well."""
        if time.monotonic() > end:
            raise TimeoutError

    def _whole(self, answer, end):
        parts, size = [], 0
        while part := answer.read1(1 << 16):
            size += len(part)
            parts.append(part)
            if size > ANSWER_MAX:
                raise ValueError(f"its answer has more than {ANSWER_MAX >> 20} MiB")
            self._keep_time(end)
        return b"".join(parts)

    def _refusal(self, path, answer):
        try:
            text = answer.read(1 << 16).decode(errors="replace")
        except OSError:
            text = ""
        try:
            text = json.loads(text)["error"]
        except (KeyError, RecursionError, TypeError, ValueError):
            pass
        said = visible(str(text))[:SHOWN_MAX]
        if 300 <= answer.code < 400:
            said = f"it leads to {visible(str(answer.headers.get('Location')))}: give that URL"
        elif answer.code in (401, 403) and not said:
            said = "it wants a user and a password, or a token"
        return f"{self.url}{path}: {answer.code} {visible(answer.reason)}" + (f": {said}" if said else "")

    def json(self, path, parameters=()):
        text = self.get(path, parameters)
        try:
            return json.loads(text)
        except (RecursionError, ValueError):
            raise AskError(f"{self.url}{path}: its answer is no JSON") from None
