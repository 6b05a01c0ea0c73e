"""scripts/stack and docker/Makefile: what is missing, and all of it saved and put back on fresh servers."""

import contextlib
import json
import os
import re
import socket
import subprocess

import pytest

import peers
from compose_files import DOCKER, required, values_for
from harness import DEADLINE, REPOSITORY, environment, wait_for
from postgres_servers import PostgresServer
from redis_servers import RedisServer, free_port

SCRIPT = REPOSITORY / "scripts" / "stack"
SECRET = "0123456789abcdef"


def run(*arguments, answer=None, cwd="/", **variables):
    """Exit code, output, errors."""
    done = subprocess.run([str(word) for word in arguments], capture_output=True, text=True, check=False, timeout=120,
                          cwd=cwd, input=answer or "", env={**environment(), **{key: str(value) for key, value in variables.items()}})
    return done.returncode, done.stdout, done.stderr


def stack(*arguments, **options):
    return run(SCRIPT, *arguments, **options)


# ---- Round trips ----------------------------------------------------------------------------


@contextlib.contextmanager
def servers(directory):
    """(PostgreSQL, Redis, their variables), with Grafana's user as docker/postgres/grafana.sh makes it."""
    with PostgresServer() as postgres, RedisServer(directory / "redis", password=SECRET, keeps=True) as redis:
        code, _, errors = run(DOCKER / "postgres" / "grafana.sh", PGHOST="127.0.0.1", PGPORT=postgres.port,
                              POSTGRES_USER="weir", POSTGRES_DB="weir", GRAFANA_DATABASE_PASSWORD=SECRET)
        assert code == 0, errors
        yield postgres, redis, {"POSTGRES_URL": postgres.url.rpartition("/")[0], "REDIS_PORT": redis.port,
                                "REDISCLI_AUTH": SECRET}


def weir_on(start_weir, directory, postgres, redis):
    (directory / "secret").write_text(SECRET)
    weir = start_weir(f"--state.url={redis.url}", f"--state.password-file={directory}/secret",
                      f"--targets.url={postgres.url}")
    wait_for(lambda: weir.get("/-/ready").status == 200, "weir has loaded")
    return weir


def targets_of(weir):
    targets = json.loads(weir.get("/api/v1/targets").text)["data"]["targets"]
    return {target["id"]: target["labels"] for target in targets}


@pytest.mark.smoke
def test_a_fresh_stack_has_all_of_it(start_weir, tmp_path):
    page = b'# TYPE kept counter\nkept{n="\xc3\xb6"} 17.000\n# TYPE ramp gauge\nramp 5\n'
    with servers(tmp_path / "old") as (postgres, redis, variables):
        weir = weir_on(start_weir, tmp_path, postgres, redis)
        for number in range(20):
            assert weir.put(f"/metrics/job/j/instance/{number}?ttl=1h", page).status == 200
        stored, targets = sorted(weir.scrape().stored()), wait_for(lambda: targets_of(weir), "targets are known")
        postgres.ask("CREATE TABLE dashboard (title text); ALTER TABLE dashboard OWNER TO grafana; "
                     "INSERT INTO dashboard VALUES ('my own')", database="grafana")
        with peers.Prometheus(tmp_path / "prometheus", {"weir": weir.url}, "--web.enable-admin-api") as prometheus:
            scraped = prometheus.wait_for('ramp{instance="19"}')[0][1]
            weir.stop()
            code, output, errors = stack(
                "backup", tmp_path / "backups", **variables, PROMETHEUS_URL=prometheus.url,
                PROMETHEUS_DATA=tmp_path / "prometheus" / "data")
            assert (code, errors) == (0, ""), output
            assert list((tmp_path / "prometheus" / "data" / "snapshots").iterdir()) == []
    backup, = (tmp_path / "backups").iterdir()
    assert {path.name for path in backup.iterdir()} == {
        "postgres-weir.dump", "postgres-grafana.dump", "redis.rdb", "prometheus.tar", "SHA256SUMS"}
    assert backup.stat().st_mode & 0o077 == 0 and all(path.stat().st_mode & 0o077 == 0 for path in backup.iterdir())
    data = tmp_path / "fresh" / "data"
    data.mkdir(parents=True)
    with servers(tmp_path / "new") as (postgres, redis, variables):
        code, output, errors = stack("restore", "--yes", backup, **variables,
                                     PROMETHEUS_URL=f"http://127.0.0.1:{free_port()}", PROMETHEUS_DATA=data)
        assert (code, errors) == (0, ""), output
        assert redis.info("replication")["role"] == "master"
        assert redis.command("CONFIG", "GET", "masterauth")[1] == SECRET
        redis.restart(kill=False)  # it is on Redis' disk as well
        weir = weir_on(start_weir, tmp_path, postgres, redis)
        assert sorted(weir.scrape().stored()) == stored
        assert wait_for(lambda: targets_of(weir), "targets are known") == targets
        assert postgres.ask("SELECT title, tableowner FROM dashboard, pg_tables WHERE tablename = 'dashboard'",
                            database="grafana") == "my own|grafana"
        with peers.Prometheus(tmp_path / "fresh", {}) as prometheus:
            assert prometheus.query('last_over_time(ramp{instance="19"}[1h])')[0][1] == scraped
        assert weir.put("/metrics/job/j/instance/0", b"new 1\n").status == 200


def test_a_weir_with_its_groups_on_disk(start_weir, tmp_path):
    weir = start_weir()
    weir.put("/metrics/job/j", b"m 1\n")
    wait_for(lambda: targets_of(weir), "its target is known")
    stored, targets, data = weir.scrape().stored(), targets_of(weir), tmp_path / "weir0" / "data"
    assert stack("backup", tmp_path / "backups", WEIR_DATA_DIR=data)[0] == 0
    weir.put("/metrics/job/later", b"m 1\n")
    backup, = (tmp_path / "backups").iterdir()
    assert {path.name for path in backup.iterdir()} == {"weir.db", "weir-targets.db", "SHA256SUMS"}
    code, _, errors = stack("restore", "--yes", backup, WEIR_DATA_DIR=data)
    assert code == 1 and "a weir" in errors
    fresh = tmp_path / "weir1" / "data"
    fresh.mkdir(parents=True)
    assert stack("restore", backup, WEIR_DATA_DIR=fresh, answer="no\n")[0] == 1 and list(fresh.iterdir()) == []
    code, output, errors = stack("restore", backup, WEIR_DATA_DIR=fresh, answer="yes\n")
    assert (code, errors) == (0, ""), output
    weir = start_weir()
    wait_for(lambda: weir.get("/-/ready").status == 200, "weir has loaded")
    assert weir.scrape().stored() == stored and wait_for(lambda: targets_of(weir), "targets are known") == targets


# ---- What goes wrong ------------------------------------------------------------------------


@pytest.fixture(scope="module")
def postgres():
    with PostgresServer() as server:
        server.ask("CREATE TABLE t (a int); INSERT INTO t VALUES (1)")
        yield server


@pytest.fixture
def only(postgres):
    return {"POSTGRES_URL": postgres.url.rpartition("/")[0], "POSTGRES_DATABASES": "weir"}


def databases(postgres):
    return postgres.ask("SELECT string_agg(datname, ' ' ORDER BY datname) FROM pg_database WHERE NOT datistemplate")


def test_a_damaged_backup_changes_nothing(postgres, only, tmp_path):
    assert stack("backup", tmp_path, **only)[0] == 0
    backup, = tmp_path.iterdir()
    dump = backup / "postgres-weir.dump"
    whole = dump.read_bytes()
    for text in (whole[:-1], b"", whole[:100] + b"x" + whole[101:]):
        dump.write_bytes(text)
        code, output, errors = stack("restore", "--yes", backup, **only)
        assert (code, output) == (1, "")
        assert errors == f"stack: {backup} is damaged: postgres-weir.dump is not what was saved\n"
    dump.unlink()
    assert stack("restore", "--yes", backup, **only)[0] == 1
    code, _, errors = stack("restore", "--yes", tmp_path, **only)
    assert code == 1 and errors.startswith(f"stack: {tmp_path} is no backup of scripts/stack: ")
    assert postgres.ask("SELECT a FROM t") == "1" and databases(postgres) == "postgres weir"


def test_a_database_that_is_used_is_not_exchanged(postgres, only, tmp_path):
    assert stack("backup", tmp_path, **only)[0] == 0
    backup, = tmp_path.iterdir()
    with subprocess.Popen(["psql", "-XqAt", postgres.url], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          text=True) as user:
        user.stdin.write("SELECT 'connected';\n")
        user.stdin.flush()
        user.stdout.readline()
        code, _, errors = stack("restore", "--yes", backup, **only)
        user.stdin.close()
    assert (code, errors) == (1, "stack: postgres: psql is connected to the database weir; stop it first\n")
    assert databases(postgres) == "postgres weir"
    postgres.ask("INSERT INTO t VALUES (2)")
    assert stack("restore", "--yes", backup, **only)[0] == 0
    assert postgres.ask("SELECT a FROM t") == "1"
    assert postgres.ask("SELECT count(*) FROM t", database="weir_before_restore") == "2"
    postgres.ask("DROP DATABASE weir_before_restore", database="postgres")


def test_half_a_backup_is_none(only, tmp_path):
    code, _, errors = stack("backup", tmp_path, **only, REDIS_PORT=free_port())
    assert code == 1 and errors.startswith("stack: redis: ")
    assert list(tmp_path.iterdir()) == []


def test_older_ones_are_removed(only, tmp_path):
    (tmp_path / "weir-stack-20200101T000000Z").mkdir()
    (tmp_path / "other").mkdir()
    assert stack("backup", "--keep=1", tmp_path, **only)[0] == 0
    there = sorted(path.name for path in tmp_path.iterdir())
    assert len(there) == 2 and there[0] == "other" and there[1] > "weir-stack-2021"


@pytest.mark.parametrize("arguments,code,said", [
    (["backup", "{}"], 1, "nothing to save: no variable tells of a server"),
    (["check"], 2, "check is of a --compose-file"),
    (["backup", "--keep=0", "{}"], 2, "--keep is at least 1"),
    (["backup", "--keep=x", "{}"], 2, "usage: scripts/stack backup "),
    ([], 2, "required: action"),
])
def test_it_is_called_wrongly(tmp_path, arguments, code, said):
    got, _, errors = stack(*(word.format(tmp_path / "new") for word in arguments))
    assert got == code and said in errors
    assert not (tmp_path / "new").exists()


# ---- Containers, by what compose is told ------------------------------------------------------


@pytest.fixture
def compose(tmp_path):
    """Stands in for docker compose: writes down what it is told, and runs on this machine what is for a container."""
    program, log = tmp_path / "compose", tmp_path / "log"
    program.write_text(f"""#!/bin/sh
echo "$*" >>{log}
while [ $# -gt 0 ]; do
	case $1 in
	config) echo "${{SERVICES:-postgres}}"; exit ;;
	exec) shift 3; exec "$@" ;;
	ps) echo "${{RUNNING:-}}"; exit ;;
	esac
	shift
done
""")
    program.chmod(0o755)
    log.touch()

    def told():
        lines = log.read_text().splitlines()
        log.write_text("")
        return [re.sub(r"^-p weir .*compose\.\w+\.yml ", "", line) for line in lines]

    return program, told


def test_parts_in_containers(postgres, compose, tmp_path):
    program, told = compose
    variables = {"COMPOSE": program, "PGHOST": "127.0.0.1", "PGPORT": postgres.port, "SERVICES": "postgres weir-1 weir-3 nginx"}
    where = [f"--compose-file={DOCKER / 'compose.cloud.yml'}"]
    code, output, errors = stack(*where, "backup", tmp_path / "backups", **variables)
    assert (code, errors) == (0, ""), output
    assert told() == ["config --services", "exec -T postgres pg_dump -U weir -d weir --format=custom"]
    backup, = (tmp_path / "backups").iterdir()
    postgres.ask("INSERT INTO t VALUES (3)")
    assert stack(*where, "restore", "--yes", backup, **variables)[0] == 0
    assert postgres.ask("SELECT a FROM t") == "1"
    postgres.ask("DROP DATABASE weir_before_restore", database="postgres")
    lines = told()
    assert (lines[1], lines[-1]) == ("stop nginx weir-1 weir-3", "start nginx weir-1 weir-3")


def test_what_is_not_saved_is_told(postgres, compose, tmp_path):
    program, _ = compose
    variables = {"COMPOSE": program, "PGHOST": "127.0.0.1", "PGPORT": postgres.port, "SERVICES": "postgres alertmanager nginx"}
    where = f"--compose-file={DOCKER / 'compose.cloud.yml'}"
    code, output, errors = stack(where, "backup", tmp_path / "backups", **variables)
    assert (code, errors) == (0, "") and output.endswith("\nnot saved: silences, in Alertmanager's volume\n")


@pytest.fixture
def make(compose, tmp_path):
    """Runs a verb with all variables that the cloud needs."""
    program, told = compose
    tls, users = tmp_path / "tls", tmp_path / "users"
    tls.mkdir()
    (tmp_path / "env").touch()
    for path in (tls / "fullchain.pem", tls / "privkey.pem", users):
        path.write_text("x\n")
    good = {**values_for("cloud"), "TLS_DIR": tls, "USERS_FILE": users, "HTTPS_LISTEN": f"127.0.0.1:{free_port()}"}

    def run_make(*words, answer=None, lacks=(), **variables):
        variables = {key: value for key, value in {**good, "COMPOSE": program, **variables}.items() if key not in lacks}
        return run("make", "-s", "-C", DOCKER, f"COMPOSE={program}", f"ENV={tmp_path}/env", *words, answer=answer, **variables)

    return run_make, told


def test_verbs(make):
    run_make, told = make
    code, output, _ = run_make("help")
    assert code == 0 and re.findall(r"^  make (\w+)", output, re.M) == [
        "help", "setup", "check", "up", "status", "down", "clean", "demo", "backup", "restore"]
    code, output, errors = run_make("up")
    assert (code, output, errors) == (0, "nothing is missing\n", "")
    assert told()[-1] == "up -d --build"
    assert run_make("down")[0] == 0
    assert told() == ["down"]
    for answer in ("", "no\n", "y\n", "YES\n"):
        code, output, _ = run_make("clean", answer=answer)
        assert code != 0 and "This deletes all that is stored" in output and told() == []
    assert run_make("clean", answer="yes\n")[0] == 0
    assert told() == ["down --volumes --remove-orphans"]
    code, _, errors = run_make("restore")
    assert code != 0 and errors.startswith("FROM is missing: say which backup") and told() == []


def test_the_project_is_that_of_the_variables(make, tmp_path):
    """Else a verb could be carried out on the containers and volumes of another one."""
    run_make, told = make
    (tmp_path / "env").write_text("A=b\nCOMPOSE_PROJECT_NAME=other\n")
    code, output, _ = run_make("clean", answer="yes\n")
    assert code == 0 and "volumes of other." in output and told()[-1].startswith("-p other ")
    assert run_make("check")[0] == 0 and all(line.startswith("-p other ") for line in told() if line.startswith("-p"))
    assert run_make("down", "PROJECT=mine")[0] == 0 and told()[-1].startswith("-p mine ")
    (tmp_path / "env").write_text("A=b\n")
    assert run_make("clean", "FILE=compose.site.yml", answer="yes\n")[0] == 0
    assert told()[-1].startswith("-p weir-site "), "the cloud may be on the same machine, and clean removes what is no part"


@pytest.mark.parametrize("verb", ["up", "down", "clean", "backup"])
def test_variables_that_are_named_must_be_there(make, verb, tmp_path):
    """Else what has no variable that must be, as compose.minimal.yml, would go on without any."""
    run_make, told = make
    (tmp_path / "a b").mkdir()
    (tmp_path / "a b" / "env").touch()
    for name in ("none", "a b/env"):
        code, _, errors = run_make(verb, "FILE=compose.minimal.yml", f"ENV={tmp_path}/{name}", answer="yes\n")
        assert code != 0 and f"ENV: there is no file {tmp_path}/{name}, or there are blanks in its name." in errors
        assert told() == []


def test_nothing_is_started_while_something_is_missing(make):
    run_make, told = make
    missing = sorted(required("cloud"))
    code, _, errors = run_make("up", lacks=missing)
    assert code != 0 and not any(line.startswith("up") for line in told())
    assert sorted(re.findall(r"^stack: (\w+) is missing: ", errors, re.M)) == missing


@pytest.mark.parametrize("value", ["admin", "postgres", "short", "Password"])
def test_worn_passwords_are_refused(make, value):
    code, _, errors = make[0]("up", GRAFANA_ADMIN_PASSWORD=value)
    assert code != 0
    assert errors.startswith("stack: GRAFANA_ADMIN_PASSWORD is one that others would guess; openssl rand -hex 24 ")
    assert not any(line.startswith("up") for line in make[1]())


def test_what_else_is_checked(make, tmp_path):
    run_make, _ = make
    code, _, errors = run_make("check", REDIS_PASSWORD="with/slash@and:colon", TLS_DIR=tmp_path / "none")
    assert code != 0 and "with/slash" not in errors
    assert errors.splitlines()[:3] == [
        "stack: REDIS_PASSWORD may have letters, digits, - and _, since it stands in URLs",
        f"stack: TLS_DIR: there is no file {tmp_path}/none/fullchain.pem",
        f"stack: TLS_DIR: there is no file {tmp_path}/none/privkey.pem"]
    (tmp_path / "env").write_text("# mine\nDOMAIN=example.com\nnonsense\n")
    code, _, errors = run_make("check")
    assert code != 0 and errors.startswith(f"stack: {tmp_path}/env:3: no NAME=VALUE\n")
    (tmp_path / "env").write_text("DOMAIN='example.com'\n")
    assert run_make("check", lacks=["DOMAIN"])[0] == 0


def test_who_has_the_port_is_told(make):
    run_make, _ = make
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        for address in (f"127.0.0.1:{port}", str(port)):
            code, _, errors = run_make("check", HTTPS_LISTEN=address)
            name = open("/proc/self/comm").read().strip()
            assert code != 0
            assert errors.startswith(f"stack: HTTPS_LISTEN: port {port} is taken by {name} (pid {os.getpid()})\n")
        assert run_make("check", HTTPS_LISTEN=f"127.0.0.1:{port}", RUNNING="a1b2")[0] == 0, "it is its own"
    code, _, errors = run_make("check", HTTPS_LISTEN="https")
    assert code != 0 and "HTTPS_LISTEN: https is no port" in errors
    for address, fault in (("192.0.2.1:443", "192.0.2.1 is no address of this machine"),
                           ("[2001:db8::1]:443", "2001:db8::1 is no address of this machine"),
                           ("push.invalid:443", "push.invalid is no address of this machine"),
                           ("push..com:443", "push..com is no address of this machine")):
        code, _, errors = run_make("check", HTTPS_LISTEN=address)
        assert code != 0 and errors.startswith(f"stack: HTTPS_LISTEN: {fault}\n")


def test_the_example_has_every_variable_and_no_value_of_one():
    rows = dict(re.findall(r"^#?([A-Z_0-9]+)=(.*)$", (DOCKER / "env.example").read_text(), re.M))
    assert all(rows[name] == "" for name in required("cloud"))
