"""What the documentation shows is true: its files of settings are good, its links lead somewhere."""

import re
import subprocess

import pytest

from certificates import Authority
from harness import BINARY, DEADLINE, REPOSITORY, environment

DOCS = REPOSITORY / "docs"
EXAMPLE = DOCS / "weir.yml"
PAGES = {"config.md": "--config.file", "web-config.md": "--web.config.file"}


def yaml_blocks(page):
    """The files of a page of docs/: (line, text) of each."""
    text = (DOCS / page).read_text()
    return [(text.count("\n", 0, block.start()) + 1, block[1])
            for block in re.finditer(r"^```yaml\n(.*?)^```$", text, re.M | re.S)]


BLOCKS = [pytest.param(PAGES[page], text, id=f"{page}:{line}")
          for page in PAGES for line, text in yaml_blocks(page)]


def weir(directory, *flags):
    return subprocess.run([BINARY, *flags], cwd=directory, env=environment(), text=True,
                          capture_output=True, timeout=DEADLINE, check=False)


def test_each_script_is_told_of():
    page = (REPOSITORY / "CONTRIBUTING.md").read_text()
    scripts = [path for path in (REPOSITORY / "scripts").iterdir() if path.is_file()]
    assert len(scripts) > 20 and [path.name for path in scripts if f"`scripts/{path.name}" not in page] == []


def test_there_are_blocks():
    assert {page: len(yaml_blocks(page)) for page in PAGES} == {"config.md": 3, "web-config.md": 3}


@pytest.mark.parametrize("flag,text", BLOCKS)
def test_block_is_a_good_file(tmp_path, flag, text):
    identity = Authority(tmp_path / "ca").issue("server")
    (tmp_path / "server.pem").write_text(identity.cert.read_text())
    (tmp_path / "server.key").write_text(identity.key.read_text())
    (tmp_path / "file.yml").write_text(text)
    done = weir(tmp_path, "--check-config", f"{flag}=file.yml")
    assert (done.returncode, done.stdout, done.stderr) == (0, "the settings are good\n", "")


@pytest.mark.smoke
def test_example_is_good(tmp_path):
    done = weir(tmp_path, "--check-config", f"--config.file={EXAMPLE}")
    assert (done.returncode, done.stdout, done.stderr) == (0, "the settings are good\n", "")


def test_example_sets_what_it_says(tmp_path):
    printed = weir(tmp_path, f"--config.file={EXAMPLE}", "--print-config").stdout
    shown = {line.split()[0]: line.split()[2] for line in printed.splitlines()
             if line.endswith(tuple(f"{EXAMPLE}:{n}" for n in range(1, 100)))}
    assert shown == {
        "web.listen-address": "127.0.0.1:9091,unix:/run/weir/weir.sock",
        "web.external-url": "https://metrics.example.com/weir",
        "web.enable-admin-api": "false",
        "group.ttl": "24h0m0s",
        "group.ttl-max": "168h0m0s",
        "state.url": "sqlite:/var/lib/weir/pushed.db",
        "limit.body-bytes": "16MiB",
        "limit.groups": "20000",
        "timeout.shutdown": "30s",
        "log.level": "warn",
        "log.format": "json",
    }


def keys_of_rules(text):
    """Keys that stand below `jobs`, nested ones included."""
    return set(re.findall(r"^[ -]+([a-z-]+):", text.partition("\njobs:\n")[2], re.M))


def test_example_has_every_key_of_a_rule(tmp_path):
    """weir lists the keys that it knows when it meets one that it does not."""
    (tmp_path / "file.yml").write_text(
        "jobs:\n- job: a\n  zzzzzzzz: 1\n  limits: {zzzzzzzz: 1}\n  labels: {zzzzzzzz: 1}\n"
        "  metrics: {zzzzzzzz: 1}\n")
    errors = weir(tmp_path, "--check-config", "--config.file=file.yml").stderr
    known = re.findall(r"; there (?:is|are) (.*)", errors)
    assert len(known) == 4, errors
    assert keys_of_rules(EXAMPLE.read_text()) == {
        key for keys in known for key in re.split(r", | and ", keys)}


@pytest.mark.parametrize("page", sorted(path.name for path in DOCS.glob("*.md")))
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)\s]+)\)", (DOCS / page).read_text()):
        path, _, anchor = target.partition("#")
        if "://" in target:
            continue
        file = (DOCS / path).resolve() if path else DOCS / page
        assert file.exists(), f"{page}: {target}"
        if anchor:
            titles = re.findall(r"^#+ (.*)$", file.read_text(), re.M)
            anchors = {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}
            assert anchor in anchors, f"{page}: {target}"


def test_each_metric_is_told_of():
    """Of those that weir has of itself."""
    table = (REPOSITORY / "src" / "stats" / "table.c").read_text()
    names = re.findall(r'SLICE_INIT\("(weir_\w+)"\), METRIC_', table)
    told = {name for page in DOCS.rglob("*.md") for name in re.findall(r"\bweir_\w+", page.read_text())}
    assert len(names) > 60 and [name for name in names if name not in told] == []
