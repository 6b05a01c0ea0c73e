"""The script that joins changes in Redis, alone: in whatever order they come, the same comes of them."""

import random
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from crashes import SEED
from redis_servers import RedisServer

SCRIPT = (Path(__file__).parents[2] / "src/state/redis/join.lua").read_text()
META, CHANGES, GROUPS = "w:{0}:meta", "w:{0}:changes", "w:{0}:groups"
EPOCH, KEEP_MS, SMALL = "epoch", 60000, 260
NAMES = ["g0", "g1", "g2"]
DAY_MS = 86400000


def digits(*numbers):
    return "".join(f"{number:016x}" for number in numbers)


def numbers(text):
    return [int(text[at:at + 16], 16) for at in range(0, len(text), 16)]


def version_at(ms):
    return ms * 1000 << 12


@dataclass
class Change:
    """A segment has families, each with its version; the content says which."""

    name: str = "g0"
    floor: int = 0
    push: int = 0
    deadline: int = 0
    failure: int = 0
    since: int = 0
    segment: int = 0
    drops: list = field(default_factory=list)
    families: dict = field(default_factory=dict)

    def head(self):
        return digits(self.floor, self.push, self.deadline, self.failure, self.pushed(), self.failed(),
                      self.since, self.segment) + f"-{len(self.drops):04x}" + digits(*self.drops)

    def pushed(self):
        return self.push and self.push + 1

    def failed(self):
        return self.failure and self.failure + 1

    def content(self):
        return " ".join(f"{name}={version}" for name, version in sorted(self.families.items()))


def read_content(text):
    return {name: int(version) for name, version in (word.split("=") for word in text.split())}


def newest(contents, floor):
    """Of each family, what is not older than the floor."""
    found = {}
    for families in contents:
        for name, version in families.items():
            if version >= floor:
                found[name] = max(version, found.get(name, 0))
    return found


class Shared:
    """What Redis has."""

    def __init__(self, connection):
        self.connection = connection
        connection.command("FLUSHALL")
        connection.command("HSET", META, "epoch", EPOCH)

    def join(self, *changes, wipe=0, epoch=EPOCH):
        keys = [META, CHANGES, GROUPS] + [f"w:{{0}}:group:{change.name}" for change in changes]
        return self.connection.command(
            "EVAL", SCRIPT, len(keys), *keys, epoch, "00a", 100000, KEEP_MS, SMALL,
            digits(wipe) if wipe else "",
            *(word for change in changes for word in (change.name, change.head(), change.content())))

    def answers(self, *changes, wipe=0):
        return self.join(*changes, wipe=wipe)[2]

    def sweep(self):
        """As it is done behind a wipe."""
        self.join(*(Change(name) for name in self.names()))

    def names(self):
        return self.connection.command("ZRANGE", GROUPS, 0, -1)

    def hash(self, name="g0"):
        words = self.connection.command("HGETALL", f"w:{{0}}:group:{name}")
        return dict(zip(words[::2], words[1::2]))

    def group(self, name="g0"):
        """(floor, push, deadline, failure, pushed, failed, since, {family: version}), or None."""
        fields = self.hash(name)
        if not fields:
            return None
        own, ids = numbers(fields["head"][:112]), numbers(fields["head"][112:])
        assert sorted(digits(one) for one in ids) == sorted(set(fields) - {"head"}), fields
        contents = [read_content(fields[digits(one)]) for one in ids]
        return (*own, newest(contents, own[0]))

    def ends(self, name="g0"):
        """Unix time in milliseconds; -1: never; and the same as it is listed."""
        key = self.connection.command("PEXPIRETIME", f"w:{{0}}:group:{name}")
        score = self.connection.command("ZSCORE", GROUPS, name)
        return key, score if score is None or score == "inf" else int(float(score))

    def told(self):
        """All entries of the stream: [[(name, text)]]."""
        entries = self.connection.command("XRANGE", CHANGES, "-", "+")
        return [list(zip(fields[2::2], fields[3::2])) for _, fields in entries]

    def now_ms(self):
        seconds, microseconds = self.connection.command("TIME")
        return int(seconds) * 1000 + int(microseconds) // 1000

    def everything(self):
        return {name: self.hash(name) for name in self.names()}, len(self.told())


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with RedisServer(tmp_path_factory.mktemp("join") / "redis") as redis, redis.connect() as connection:
        yield connection


@pytest.fixture
def shared(server):
    return Shared(server)


# ---- In any order ---------------------------------------------------------------------------


class Model:
    """A group as it must be after a set of changes."""

    def __init__(self, changes, wipe):
        self.floor = max([wipe] + [change.floor for change in changes])
        self.push = max([0] + [one.push for one in changes if one.push >= self.floor])
        self.failure = max([0] + [one.failure for one in changes if one.failure >= self.floor])
        self.families = newest((change.families for change in changes), self.floor)

    def expected(self):
        """None: there is no such group, or it is remembered as deleted."""
        last = max(self.push, self.failure)
        times = self.push and self.push + 1, self.failure and self.failure + 1
        return (self.floor, self.push, 0, self.failure, *times, last * 7, self.families) if last else None


def make_changes(rng, count):
    """Of replicas of which each knows any of the changes before, in the order in which they were made."""
    changes = []
    for number in range(1, count + 1):
        version, name = number * 4096 + rng.randrange(8), rng.choice(NAMES)
        known = [one for one in changes if one.name == name and rng.random() < 0.7]
        had = Model(known, 0)
        families = dict.fromkeys(rng.sample("abcdef", rng.randint(0, 4)), version)
        kind = rng.choices(["put", "post", "delete", "failure", "repack"], [3, 6, 1, 2, 2])[0]
        change = Change(name, had.floor, had.push, 0, had.failure)
        if kind in ("put", "post"):
            change.push, change.families = version, families
            change.drops = [one.segment for one in known if one.segment
                            and set(one.families) <= set(families)]
        if kind == "put":
            change.floor, change.failure = version, rng.choice([0, version])
            change.drops = []
        elif kind == "delete":
            change.floor, change.push, change.failure = version, 0, 0
        elif kind == "failure":
            change.failure = version
        elif kind == "repack":
            change.families = had.families
            change.drops = [one.segment for one in known if one.segment]
        change.segment = version if change.families else 0
        change.since = max(change.push, change.failure) * 7
        changes.append(change)
    return changes


def join_all(shared, rng, changes, wipe):
    """In a random order, some of them together, and some twice."""
    left = rng.sample(changes, len(changes))
    wipe_at = rng.randrange(len(left)) if wipe else None
    while left:
        batch, left = left[:4], left[4:]
        chosen = list({change.name: change for change in batch}.values())
        left += [change for change in batch if change not in chosen]
        is_time = wipe_at is not None and len(left) <= wipe_at
        shared.join(*chosen, wipe=wipe if is_time else 0)
        wipe_at = None if is_time else wipe_at
        if rng.random() < 0.3:
            before = shared.everything()
            shared.join(*chosen)
            assert shared.everything() == before, "a change that came twice changed something"
    if wipe_at is not None:
        shared.join(wipe=wipe)
    shared.sweep()


def follow(shared):
    """What a replica has that reads the stream: like Model, of each group."""
    heads, contents, wiped = {}, {}, 0
    for entry in shared.told():
        for name, text in entry:
            if name == "wipe":
                wiped = int(text, 16)
                continue
            floor, push, _, failure, pushed, failed, since, segment = numbers(text[:128])
            drops = int(text[129:133], 16)
            heads.setdefault(name, []).append(Change(name, floor, push, 0, failure, since))
            known = contents.setdefault(name, {})
            if text[128] == "L":
                found = shared.hash(name)
                known.update({key: read_content(found[key]) for key in set(found) - {"head"}})
            elif segment:
                known[digits(segment)] = read_content(text[133 + 16 * drops:])
    for name, changes in heads.items():
        changes[0].families = {}
        model = Model(changes, wiped)
        model.families = newest(contents[name].values(), model.floor)
        yield name, model.expected()


@pytest.mark.parametrize("walk", range(40))
def test_any_order(shared, walk):
    rng = random.Random(f"{SEED} {walk}")
    print(f"WEIR_SEED={SEED}")
    changes = make_changes(rng, 40)
    wipe = rng.choice([0, rng.randrange(40) * 4096 + 9])
    expected = {name: Model([one for one in changes if one.name == name], wipe).expected()
                for name in NAMES}
    for _ in range(2):
        shared = Shared(shared.connection)
        join_all(shared, rng, changes, wipe)
        for name, group in expected.items():
            found = shared.group(name)
            if group is None:
                assert found is None or found[1:4] == (0, 0, 0) and not found[-1], found
            else:
                assert found == group
        heard = dict(follow(shared))
        assert {name: heard.get(name) for name in NAMES} == expected


# ---- Deletions and wipes --------------------------------------------------------------------


def pushed(version, method="POST", **fields):
    return Change(push=version, floor=version if method == "PUT" else 0, segment=version, since=7,
                  families={f"f{version}": version}, **fields)


def test_deletion_is_remembered(shared):
    assert shared.answers(pushed(5)) == "1"
    before = shared.now_ms()
    assert shared.answers(Change(floor=7)) == "1"
    key, listed = shared.ends()
    assert key == listed and before + KEEP_MS <= key <= shared.now_ms() + KEEP_MS
    assert set(shared.hash()) == {"head"}
    assert shared.answers(pushed(6)) == "0", "it is older"
    assert shared.group()[:4] == (7, 0, 0, 0)
    assert shared.answers(pushed(8)) == "0", "who pushed has not heard of the deletion"
    assert shared.group() == (7, 8, 0, 0, 9, 0, 7, {"f8": 8})
    assert shared.ends() == (-1, "inf")


def test_wipe(shared):
    shared.join(pushed(5), pushed(5, name="g1"))
    assert shared.answers(wipe=7) == ""
    assert shared.told()[-1] == [("wipe", digits(7))]
    assert shared.answers(wipe=6) == "" and len(shared.told()) == 2, "an older one is none"
    assert shared.answers(pushed(8)) == "0"
    assert shared.group() == (7, 8, 0, 0, 9, 0, 7, {"f8": 8})
    shared.sweep()
    assert shared.names() == ["g0"] and shared.group("g1") is None
    count = len(shared.told())
    assert shared.answers(pushed(6, name="g1")) == "0"
    assert shared.group("g1") is None and len(shared.told()) == count


def test_other_epoch(shared):
    shared.join(pushed(5))
    before = shared.everything()
    assert shared.join(pushed(6), wipe=7, epoch="another") == [EPOCH]
    assert shared.everything() == before
    shared.connection.command("DEL", META)
    assert shared.join(pushed(6)) == [""]


def test_many_segments(shared):
    """More than there ever are, of which all go at once."""
    shared.join(pushed(1))
    own = shared.hash()["head"][:112]
    shared.connection.command("HSET", "w:{0}:group:g0", "head", own + digits(*range(1, 9001)),
                              *(word for version in range(1, 9001)
                                for word in (digits(version), f"f{version}={version}")))
    assert len(shared.group()[-1]) == 9000
    assert shared.answers(pushed(10000, method="PUT")) == "1"
    assert set(shared.hash()) == {"head", digits(10000)}


# ---- Deadlines ------------------------------------------------------------------------------


@pytest.fixture
def later(shared):
    """Milliseconds, a day from now: nothing ends while a test runs."""
    return shared.now_ms() // 1000 * 1000 + DAY_MS


def test_life_ends(shared, later):
    shared.join(pushed(5, deadline=version_at(later)))
    assert shared.ends() == (later + KEEP_MS, later + KEEP_MS)
    shared.join(pushed(6, deadline=version_at(later + 1000)))
    assert shared.ends() == (later + 1000 + KEEP_MS,) * 2
    shared.join(pushed(4, deadline=version_at(later + 2000)))
    assert shared.ends() == (later + 1000 + KEEP_MS,) * 2, "the later push counts"
    assert shared.group()[-1] == {"f4": 4, "f5": 5, "f6": 6}
    shared.join(pushed(7))
    assert shared.ends() == (-1, "inf")
    shared.join(Change(push=7, failure=8, since=7))
    assert shared.ends() == (-1, "inf"), "a failed push does not end it"


def test_push_behind_the_end(shared, later):
    """Nothing of what was before is there."""
    end, behind = version_at(later), version_at(later) + 5
    shared.join(pushed(5, deadline=end))
    assert shared.answers(pushed(behind)) == "0"
    assert shared.group() == (end, behind, 0, 0, behind + 1, 0, 7, {f"f{behind}": behind})
    assert shared.answers(pushed(6, deadline=version_at(later + 1000))) == "0", "it comes too late"
    assert shared.group()[-1] == {f"f{behind}": behind}


def test_failure_behind_the_end(shared, later):
    end, behind = version_at(later), version_at(later) + 5
    shared.join(pushed(5, deadline=end))
    shared.join(Change(failure=behind, deadline=version_at(later + 1000), since=9))
    assert shared.group() == (end, 0, version_at(later + 1000), behind, 0, behind + 1, 9, {})
    assert shared.ends() == (later + 1000 + KEEP_MS,) * 2


def test_group_of_a_failure_alone(shared, later):
    first, second = version_at(later), version_at(later + 1000)
    shared.join(Change(failure=5, deadline=first, since=9))
    assert shared.group() == (0, 0, first, 5, 0, 6, 9, {})
    shared.join(Change(failure=4, deadline=second, since=8))
    assert shared.group()[2:4] == (first, 5)
    shared.join(Change(failure=6, deadline=second, since=8))
    assert shared.group()[2:4] == (second, 6)
    shared.join(pushed(3))
    assert shared.group()[1:4] == (3, 0, 6), "with a push it has the push's end"


def test_group_since_another_time(shared):
    """Who has it since another time does not have what was there before, unless nothing of it counts."""
    shared.join(pushed(5))
    assert shared.answers(Change(push=6, since=9)) == "0"
    assert shared.answers(Change(push=7, since=9)) == "1"
    assert shared.answers(Change(push=8, floor=8, since=3)) == "1"
