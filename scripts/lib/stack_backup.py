"""Backup and restore of a stack: a directory with a file for each part, there as a whole or not at all."""

import hashlib
import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from stack_places import Fault, run

SCRIPTS = Path(__file__).resolve().parents[1]
STAMPED = re.compile(r"weir-stack-\d{8}T\d{6}Z(-\d+)?")
SUMS = "SHA256SUMS"

# What is in there takes the place of what was, in one step for each file; $1 is the directory of the data.
PROMETHEUS_RESTORE = """
    rm -rf "$1/.restored"
    mkdir "$1/.restored"
    tar -C "$1/.restored" -xf -
    find "$1" -mindepth 1 -maxdepth 1 ! -name .restored -exec rm -rf {} +
    find "$1/.restored" -mindepth 1 -maxdepth 1 -exec mv {} "$1/" \\;
    rmdir "$1/.restored"
"""

# A Redis that has a dump reads it only when it starts, and with appendonly not even then. So another one is started on
# the dump, and the one that runs becomes its replica until it has all.
REDIS_RESTORE = """
    umask 077
    port=$1 secret=$2
    shift 2
    directory=$(mktemp -d)
    other=
    finish() {
        [ -z "$other" ] || kill "$other" 2>/dev/null || true
        wait
        rm -rf "$directory"
    }
    lives() {
        kill -0 "$other" 2>/dev/null || { cat "$directory/log" >&2; exit 1; }
    }
    trap finish EXIT
    trap 'exit 1' HUP INT TERM
    cat >"$directory/dump.rdb"
    cat >"$directory/redis.conf" <<END
bind 127.0.0.1
port $port
unixsocket $directory/socket
dir $directory
dbfilename dump.rdb
save ""
appendonly no
repl-diskless-sync-delay 0
requirepass $secret
logfile $directory/log
END
    redis-server "$directory/redis.conf" &
    other=$!
    until REDISCLI_AUTH=$secret redis-cli -s "$directory/socket" ping 2>/dev/null | grep -q PONG; do
        lives
        sleep 0.1
    done
    before=$("$@" config get masterauth | sed -n 2p)
    "$@" config set masterauth "$secret" >/dev/null
    "$@" replicaof 127.0.0.1 "$port" >/dev/null
    until "$@" info replication | grep -q '^master_link_status:up'; do
        lives
        sleep 0.1
    done
    "$@" replicaof no one >/dev/null
    "$@" config set masterauth "$before" >/dev/null
"""


# ---- Each part into its file ----------------------------------------------------------------


def dump_postgres(place, directory):
    for database in place.databases:
        with open(directory / f"postgres-{database}.dump", "wb") as file:
            place.run("postgres", place.postgres("pg_dump", database, "--format=custom"), stdout=file)


def dump_redis(place, directory):
    """As a replica would get it: one moment of all."""
    with open(directory / "redis.rdb", "wb") as file:
        place.run("redis", place.redis_cli("--rdb", "-"), stdout=file)
    with open(directory / "redis.rdb", "rb") as file:
        if file.read(5) != b"REDIS":
            raise Fault("redis: what came is no dump")


def dump_weir(place, directory):
    data = place.data_of_weir()
    run([sys.executable, SCRIPTS / "backup", f"--data-dir={data}", directory / "weir.db"], what="weir")
    if (data / "targets.db").exists():
        source = sqlite3.connect(f"file:{data / 'targets.db'}?mode=ro", uri=True)
        source.execute("VACUUM INTO ?", (str(directory / "weir-targets.db"),))
        source.close()


def dump_prometheus(place, directory):
    answer = json.loads(place.ask_prometheus("/api/v1/admin/tsdb/snapshot"))
    snapshot = f"{place.data_of_prometheus()}/snapshots/{answer['data']['name']}"
    try:
        with open(directory / "prometheus.tar", "wb") as file:
            place.run("prometheus", ["tar", "-C", snapshot, "-cf", "-", "."], stdout=file)
    finally:
        place.run("prometheus", ["rm", "-rf", snapshot])


DUMPS = {"postgres": dump_postgres, "redis": dump_redis, "weir": dump_weir, "prometheus": dump_prometheus}


def digest_of(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_sums(directory):
    lines = [f"{digest_of(path)}  {path.name}\n" for path in sorted(directory.iterdir())]
    (directory / SUMS).write_text("".join(lines))


def free_name(directory):
    stamp, number = time.strftime("weir-stack-%Y%m%dT%H%M%SZ", time.gmtime()), 1
    path = directory / stamp
    while path.exists():
        number += 1
        path = directory / f"{stamp}-{number}"
    return path


def backup(place, directory, keep=None):
    """Gives the path of the backup."""
    parts = place.parts()
    if not parts:
        raise Fault("nothing to save: no variable tells of a server, see --help")
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=".draft-", dir=directory))
    try:
        for part in parts:
            print(f"saving {part}", flush=True)
            DUMPS[part](place, draft)
        write_sums(draft)
        for path in draft.iterdir():
            path.chmod(0o600)
        run(["sync", "-f", draft])
        path = free_name(directory)
        draft.rename(path)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    print(f"saved {', '.join(parts)} to {path}")
    for what in place.unsaved():
        print(f"not saved: {what}")
    remove_older(directory, keep)
    return path


def remove_older(directory, keep):
    saved = sorted(path for path in directory.iterdir() if STAMPED.fullmatch(path.name))
    for path in saved[:-keep] if keep else []:
        shutil.rmtree(path)
        print(f"removed {path}")


# ---- And back -------------------------------------------------------------------------------


def restore_postgres(place, path):
    """Into a database beside the present one, which then takes its name."""
    database = path.name.removeprefix("postgres-").removesuffix(".dump")
    if not re.fullmatch(r"\w+", database):
        raise Fault(f"{path.name}: no name of a database")

    def tell(text):
        return place.run("postgres", place.postgres("psql", "template1", "-XqAt", "-v", "ON_ERROR_STOP=1", "-c", text))

    owner = tell("SELECT quote_ident(pg_get_userbyid(datdba)) FROM pg_database "
                 f"WHERE datname = '{database}'")
    users = tell("SELECT string_agg(DISTINCT coalesce(nullif(application_name, ''), usename), ', ') "
                 f"FROM pg_stat_activity WHERE datname = '{database}'")
    if users:
        raise Fault(f"postgres: {users} is connected to the database {database}; stop it first")
    tell(f'DROP DATABASE IF EXISTS "{database}_restored"')
    tell(f'CREATE DATABASE "{database}_restored" OWNER {owner or "CURRENT_USER"} TEMPLATE template0')
    try:
        with open(path, "rb") as file:
            place.run("postgres", place.postgres("pg_restore", f"{database}_restored", "--exit-on-error",
                                                 "--single-transaction"), stdin=file)
        if owner:
            tell(f'DROP DATABASE IF EXISTS "{database}_before_restore"')
            tell(f'ALTER DATABASE "{database}" RENAME TO "{database}_before_restore"')
            print(f"kept what was there as database {database}_before_restore")
        tell(f'ALTER DATABASE "{database}_restored" RENAME TO "{database}"')
    except BaseException:
        tell(f'DROP DATABASE IF EXISTS "{database}_restored"')
        raise


def restore_redis(place, path):
    if not place.is_redis_here():
        raise Fault("redis: it is restored by a program on its own machine; run this there")
    port, secret = str(20000 + os.getpid() % 10000), os.urandom(16).hex()
    with open(path, "rb") as file:
        place.run("redis", ["sh", "-euc", REDIS_RESTORE, "sh", port, secret, *place.redis_cli()], stdin=file)


def restore_weir(place, path):
    data = place.data_of_weir()
    run([sys.executable, SCRIPTS / "restore", f"--data-dir={data}", path], what="weir")


def restore_weir_targets(place, path):
    """After restore_weir(), which has made sure that no weir runs."""
    present = place.data_of_weir() / "targets.db"
    like = present if present.exists() else present.parent
    draft = present.with_name("targets.db.restored")
    shutil.copyfile(path, draft)
    os.chown(draft, like.stat().st_uid, like.stat().st_gid)
    draft.chmod(0o600)
    for end in ("-wal", "-shm"):
        present.with_name(f"targets.db{end}").unlink(missing_ok=True)
    draft.replace(present)


def restore_prometheus(place, path):
    with open(path, "rb") as file:
        place.run_stopped("prometheus", ["sh", "-euc", PROMETHEUS_RESTORE, "sh", place.data_of_prometheus()], stdin=file)


# In this order; the name of a file begins with that of its part.
RESTORES = {
    "postgres-weir.dump": restore_postgres, "postgres-grafana.dump": restore_postgres, "redis.rdb": restore_redis,
    "weir.db": restore_weir, "weir-targets.db": restore_weir_targets, "prometheus.tar": restore_prometheus,
}


def check_sums(path):
    """What the backup has; a fault when it is not whole."""
    try:
        rows = [line.split("  ", 1) for line in (path / SUMS).read_text().splitlines()]
    except OSError as fault:
        raise Fault(f"{path} is no backup of scripts/stack: {fault.strerror}: {SUMS}") from None
    for row in rows:
        file = path / row[-1]
        if len(row) != 2 or not file.is_file() or digest_of(file) != row[0]:
            raise Fault(f"{path} is damaged: {row[-1]} is not what was saved")
    return [row[1] for row in rows]


def restore(place, path):
    files, parts = check_sums(path), place.parts()
    wanted = [name for name in files if name.partition(".")[0].partition("-")[0] in parts]
    if not wanted:
        raise Fault(f"nothing to restore: {path} has {', '.join(files)}, and there is {', '.join(parts) or 'none of it'}")
    restorers = {**{name: restore_postgres for name in wanted if name.startswith("postgres-")}, **RESTORES}
    with place.quiet():
        for name, restorer in restorers.items():
            if name in wanted:
                print(f"restoring {name}", flush=True)
                restorer(place, path / name)
    print(f"restored {', '.join(wanted)}")
    for name in sorted({name for name in files} - set(wanted)):
        print(f"left {name}: there is no such part here")
