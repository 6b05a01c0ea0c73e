"""scripts/setup, run again: the same bytes, nothing lost that somebody wrote, and secrets that stay."""

import fcntl
import os
import re
import shlex
import shutil
import subprocess

import pytest

from compose_files import DOCKER
from harness import environment
from installations import LARGE, SCRIPT, SMALL, Installation, run

SECRETS = "secrets/variables"


@pytest.fixture
def small(tmp_path):
    return Installation(tmp_path, SMALL)


def told(output):
    """What was done to each file."""
    return [line for line in output.splitlines() if not line.startswith("start it by: ")]


# ---- The same again -----------------------------------------------------------------------------


@pytest.mark.smoke
def test_the_same_input_gives_the_same_output(tmp_path):
    first = Installation(tmp_path, LARGE)
    first.made()
    before, times = first.files(), {path: path.stat().st_mtime_ns for path in first.directory.rglob("*")}
    assert told(first.made()) == ["nothing has changed"]
    assert first.files() == before
    assert {path: path.stat().st_mtime_ns for path in first.directory.rglob("*")} == times
    second = Installation(tmp_path, LARGE, name="elsewhere")
    shutil.copytree(first.directory / "secrets", second.directory / "secrets")
    second.directory.chmod(0o755)
    for umask in (0o077, 0o000):
        code, _, errors = run("sh", "-c", f'umask {umask:03o}; exec "$0" "$@"', SCRIPT, second.config, second.directory)
        assert (code, errors) == (0, "") and second.files() == before
    assert (second.directory / "prometheus" / "rules").stat().st_mode & 0o777 == 0o755, "others read it, too"


def test_only_what_differs_is_written(small):
    small.made()
    before = small.files()
    output = small.made({**SMALL, "weirs": {**SMALL["weirs"], "group_ttl": "1h"}})
    assert told(output) == ["changed .env"]
    assert small.files().keys() == before.keys()
    assert "weir.files" in small.text("compose.yml")
    output = small.made({**small.settings, "alerts": {"change": {"PingFails": {"enabled": False}}}})
    assert told(output) == ["changed compose.yml", "changed prometheus/rules/alerts.yml"]
    labels = re.findall(r"weir.files: (\w+)", small.text("compose.yml"))
    output = small.made({**small.settings, "users": ["ada", "new"]})
    assert told(output) == ["made passwords in secrets/users", "changed compose.yml", "changed users"]
    again = re.findall(r"weir.files: (\w+)", small.text("compose.yml"))
    assert sum(old != new for old, new in zip(labels, again)) == 1, "nginx alone is exchanged"


def test_check_writes_nothing(small):
    assert run(SCRIPT, "--check", small.config) == (0, "the settings are good\n", "")
    code, output, errors = small.setup("--check")
    assert (code, errors) == (0, "") and "would write compose.yml" in output and not small.directory.exists()
    small.made()
    before = small.files()
    small.write({**SMALL, "weirs": {**SMALL["weirs"], "group_ttl": "1h"}})
    assert small.setup("--check") == (0, "would change .env\n", "") and small.files() == before


def test_what_is_used_no_more_stays(tmp_path):
    """Volumes always; files when somebody changed them, or wrote them."""
    stack = Installation(tmp_path, {**LARGE, "sites": [{"name": "a", "hosts": ["h1", "h2"]}]})
    stack.made()
    own = stack.directory / "prometheus" / "rules" / "own.yml"
    own.write_text("groups: []\n")
    (stack.directory / "sites/a/h2.env").write_text("MINE=1\n")
    output = stack.made({**SMALL, "users": LARGE["users"]})
    assert "removed sites/a/h1.env\n" in output and not (stack.directory / "sites/a/h1.env").exists()
    assert "removed nginx" not in output and not (stack.directory / "alertmanager").exists()
    assert "left sites/a/h2.env: it was changed by hand, and is part of this no more\n" in output
    assert stack.text("sites/a/h2.env") == "MINE=1\n" and own.exists()
    for name in ("redis", "postgres", "weir-1", "weir-2"):
        assert f"the volume weir_{name} is used no more; it stays, with all that is in it\n" in output
    assert "GRAFANA_SECRET_KEY=" in stack.text(SECRETS), "for when it is wanted again"
    assert told(stack.made()) == ["nothing has changed"]


# ---- What others did ----------------------------------------------------------------------------


def test_volumes_of_another_project_are_others(small):
    small.made()
    output = small.made({**SMALL, "project": "other"})
    assert "the volume weir_weir is used no more; it stays, with all that is in it\n" in output
    (small.directory / "compose.yml").write_text("- damaged")
    small.made(None, "--force")


def test_what_was_changed_by_hand_is_not_overwritten(small):
    small.made()
    rules = small.directory / "prometheus" / "rules" / "alerts.yml"
    for path in (rules, small.directory / ".env"):
        path.write_text(path.read_text() + "# mine\n")
    small.write({**SMALL, "weirs": {**SMALL["weirs"], "group_ttl": "1h"}})
    before = small.files()
    for flags in ([], ["--check"]):
        code, output, errors = small.setup(*flags)
        assert (code, output) == (1, "") and small.files() == before
        assert re.findall(r"^setup: (\S+) was changed by hand", errors, re.M) == [
            str(small.directory / ".env"), str(rules)]
    mine = rules.read_text()
    output = small.made(None, "--force")
    assert told(output) == ["overwrote .env", "overwrote prometheus/rules/alerts.yml"]
    assert rules.with_name("alerts.yml.edited").read_text() == mine
    assert (small.directory / ".env.edited").stat().st_mode & 0o777 == 0o600
    rules.write_text("other\n")
    small.made(None, "--force")
    assert rules.with_name("alerts.yml.edited").read_text() == mine
    assert rules.with_name("alerts.yml.edited-2").read_text() == "other\n"
    assert told(small.made()) == ["nothing has changed"]


def test_what_was_removed_or_locked_up_comes_back(small):
    small.made()
    before = small.files()
    (small.directory / "users").unlink()
    (small.directory / ".env").chmod(0o644)
    assert told(small.made()) == ["wrote users", "set the mode of .env"]
    assert small.files() == before


def test_a_run_that_failed_is_gone_on_with(tmp_path):
    """Here no file may be larger than a dashboard is; with other settings, all that was written is still setup's own."""
    stack = Installation(tmp_path, LARGE)
    code, output, errors = run("sh", "-c", 'ulimit -f 40; trap "" XFSZ; exec "$0" "$@"', SCRIPT, stack.config,
                               stack.directory)
    assert code == 1 and errors.startswith(f"setup: {stack.directory}/") and "cannot be written: File too large" in errors
    files = stack.files()
    assert ".env" in files and SECRETS in files and "users" not in files
    assert not [name for name in files if ".draft-" in name]
    secrets = files[SECRETS]
    stack.made({**LARGE, "weirs": {"count": 3}, "listen": "8443"})
    assert stack.files()[SECRETS] == secrets and "users" in stack.files()


def test_two_at_a_time_are_not(small):
    small.made()
    handle = os.open(small.directory, os.O_RDONLY)
    fcntl.flock(handle, fcntl.LOCK_EX)
    try:
        assert small.setup() == (1, "", f"setup: {small.directory}: another setup is writing to it\n")
    finally:
        os.close(handle)
    small.made()


# ---- Secrets ------------------------------------------------------------------------------------


def test_secrets_are_kept(tmp_path):
    stack = Installation(tmp_path, LARGE)
    stack.made()
    secrets = stack.text(SECRETS)
    names = re.findall(r"^(\w+)=[0-9a-f]{48}$", secrets, re.M)
    assert sorted(names) == ["GRAFANA_ADMIN_PASSWORD", "GRAFANA_DATABASE_PASSWORD", "GRAFANA_SECRET_KEY",
                             "POSTGRES_PASSWORD", "REDIS_PASSWORD"] and len(set(secrets.split())) == 5
    stack.made({**LARGE, "weirs": {"count": 1, "state": "sqlite"}})
    assert stack.text(SECRETS) == secrets and "REDIS_PASSWORD" not in stack.text(".env")
    stack.made(LARGE)
    assert stack.text(SECRETS) == secrets and set(secrets.split()) < set(stack.text(".env").split())
    shutil.rmtree(stack.directory / "secrets")
    stack.made()
    assert sorted(stack.text(SECRETS).split()) == sorted(secrets.split()), "they are in .env, too"


def test_secrets_that_are_there_are_taken(tmp_path):
    receivers = {**LARGE["alerts"]["receivers"], "chat": {"channel": "#a"}}
    stack = Installation(tmp_path, {**LARGE, "alerts": {"receivers": receivers}})
    assert stack.refused() == [
        "3: alerts.receivers.chat.url: is missing: say which incoming webhook of the chat gets warnings, or "
        "ALERT_CHAT_URL=... in secrets/variables of the directory"]
    assert not stack.directory.exists()
    (stack.directory / "secrets").mkdir(parents=True)
    (stack.directory / SECRETS).write_text("# of ours\nREDIS_PASSWORD=0123456789abcdef\nALERT_CHAT_URL=https://c/T0/x$y\n")
    (stack.directory / "secrets/users").write_text("ada:correct-horse\n")
    stack.made()
    services = stack.services()
    assert services["redis"]["environment"]["REDIS_PASSWORD"] == "0123456789abcdef"
    assert services["alertmanager"]["environment"]["ALERT_CHAT_URL"] == "https://c/T0/x$y"
    assert stack.text(SECRETS).startswith("# of ours\nREDIS_PASSWORD=0123456789abcdef\n")
    assert stack.text("secrets/users").startswith("ada:correct-horse\n")


@pytest.mark.parametrize("name,text,said", [
    (SECRETS, "# mine\nGRAFANA_ADMIN_PASSWORD=admin\n", "2: GRAFANA_ADMIN_PASSWORD is one that others would guess"),
    (SECRETS, "REDIS_PASSWORD=with/slash@and:colon\n", "1: REDIS_PASSWORD may have letters, digits, - and _"),
    (SECRETS, "ALERT_CHAT_URL=it's\n", "1: ALERT_CHAT_URL may have no control characters, ', \\ or ${"),
    (SECRETS, "ALERT_CHAT_URL=https://c/${X}\n", "1: ALERT_CHAT_URL may have no control characters, ', \\ or ${"),
    (SECRETS, "REDIS_PASWORD=0123456789abcdef\n",
     "1: REDIS_PASWORD: there is no such variable; did you mean REDIS_PASSWORD?"),
    (SECRETS, "\nnonsense\n", "2: no NAME=SECRET"),
    (SECRETS, "A=1\nA=2\n", "2: is there already"),
    ("secrets/users", "ada:secret\n", "1: the password of ada is one that others would guess"),
    ("secrets/users", "ada:with a blank in it\n", "1: the password of ada may have no blanks"),
    ("secrets/users", "ada\n", "1: no NAME:SECRET"),
])
def test_bad_secrets_are_refused(tmp_path, name, text, said):
    stack = Installation(tmp_path, LARGE)
    (stack.directory / "secrets").mkdir(parents=True)
    (stack.directory / name).write_text(text)
    before = stack.files()
    code, output, errors = stack.setup()
    assert (code, output) == (1, "") and errors.startswith(f"setup: {stack.directory}/{name}:{said}"), errors
    assert stack.files() == before and errors.count("\n") == 1
    assert not re.search(r"slash|it's|blank in", errors)


@pytest.mark.parametrize("name", [".env", ".setup.sums", SECRETS])
def test_what_is_no_text_is_told(small, name):
    small.made()
    (small.directory / name).write_bytes(b"A=\xff\n")
    code, output, errors = small.setup()
    assert (code, output) == (1, "") and errors.startswith(f"setup: {small.directory}/{name}: "), errors
    assert errors.count("\n") == 1


def test_a_place_that_cannot_be_written_is_told(small, tmp_path):
    """Nothing else is made then."""
    small.directory.mkdir()
    (small.directory / "nginx").write_text("mine\n")
    code, output, errors = small.setup()
    assert code == 1 and errors == f"setup: {small.directory}/nginx is a file, where a directory has to be\n", errors
    assert list(small.files()) == ["nginx"]
    (small.directory / "nginx").unlink()
    (tmp_path / "elsewhere").write_text("others'\n")
    (small.directory / ".env").symlink_to(tmp_path / "elsewhere")
    assert small.setup()[0] == 1 and (tmp_path / "elsewhere").read_text() == "others'\n"


def test_what_is_to_be_run_next_can_be(tmp_path):
    """Whatever the directory is called."""
    stack = Installation(tmp_path, {**SMALL, "weirs": {**SMALL["weirs"], "register": "known"}}, "it's a $HOME")
    start, register = stack.made().splitlines()[-2:]
    words = shlex.split(start.partition(": ")[2])
    assert words[:6] == ["docker", "compose", "-f", f"{stack.directory}/compose.yml", "--env-file", f"{stack.directory}/.env"]
    assert f"@{stack.directory}/targets.jsonl" in shlex.split(register.partition(": ")[2])


# ---- How it is called ---------------------------------------------------------------------------


@pytest.mark.parametrize("arguments,code,said", [
    ([], 2, "required: CONFIG"),
    (["CONFIG"], 2, "DIRECTORY is missing: where to write to"),
    (["--check", "--force", "CONFIG", "x"], 2, "--check writes nothing"),
    (["--nonsense", "CONFIG", "x"], 2, "unrecognized arguments: --nonsense"),
    (["none.yml", "x"], 1, "setup: none.yml: No such file or directory"),
    (["CONFIG", "CONFIG"], 1, "config.yml: Not a directory"),
])
def test_it_is_called_wrongly(small, arguments, code, said):
    got, output, errors = run(SCRIPT, *(str(small.config) if word == "CONFIG" else word for word in arguments),
                              cwd=small.config.parent)
    assert (got, output) == (code, "") and said in errors and "Traceback" not in errors
    assert [path.name for path in small.config.parent.iterdir()] == ["config.yml"]


def test_what_it_needs_is_told(small):
    code, output, errors = run("/usr/bin/python3", "-S", SCRIPT, "--check", small.config)
    assert (code, output) == (1, "") and errors == (
        "setup: the package python3-yaml is missing: apt-get install python3-yaml\n")


def test_help_says_all():
    code, output, errors = run(SCRIPT, "--help")
    assert (code, errors) == (0, "")
    for word in ("--check", "--force", "CONFIG", "DIRECTORY", "docker/setup.example.yml", "Exits with 0", ".edited"):
        assert word in output


def test_make_has_it(small, tmp_path):
    def make(*words):
        done = subprocess.run(["make", "-s", "-C", DOCKER, "setup", *words], capture_output=True, text=True, check=False,
                              env=environment())
        return done.returncode, done.stdout, done.stderr
    code, output, errors = make()
    assert code != 0 and output == "" and errors.startswith("CONFIG is missing: say of which settings, as in make setup ")
    code, output, errors = make(f"CONFIG={small.config}", f"INTO={tmp_path}/made")
    assert (code, errors) == (0, "") and "wrote compose.yml" in output
    assert make(f"CONFIG={small.config}", f"INTO={tmp_path}/made")[1].startswith("nothing has changed\n")
    (tmp_path / "made" / "users").write_text("mine\n")
    assert make(f"CONFIG={small.config}", f"INTO={tmp_path}/made")[0] != 0
    assert make(f"CONFIG={small.config}", f"INTO={tmp_path}/made", "FORCE=yes")[0] == 0
