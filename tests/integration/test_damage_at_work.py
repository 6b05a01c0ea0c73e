"""A database that is damaged while weir uses it: nothing that is in memory is lost."""

import os
import random

import pytest
from harness import wait_for
from persistence import kill


@pytest.fixture
def database(tmp_path):
    return tmp_path / "weir.db"


def body(number):
    """What cannot be compressed: the database gets larger than what SQLite keeps in memory."""
    draw = random.Random(number)
    return "".join(f'm{{l="{draw.getrandbits(400):0100x}"}} {number}\n' for _ in range(80))


def spoil(path):
    """Every page but the first, as a disk may do it; the log stays."""
    size = path.stat().st_size
    with open(path, "r+b") as file:
        for place in range(4096, size - 4096, 4096):
            file.seek(place + 8)
            file.write(os.urandom(64))


@pytest.mark.smoke
def test_all_is_stored_again(start_weir, database):
    weir = start_weir(f"--state.url=sqlite:{database}")
    for number in range(1500):
        assert weir.put(f"/metrics/job/{number}", body(number)).status == 200
    spoil(database)

    def is_repaired():
        """Pushes on, since it is found only when something there is needed."""
        for number in range(0, 1500, 5):
            weir.put(f"/metrics/job/{number}", body(number))
        return list(database.parent.glob("weir.db.damaged-*"))

    wait_for(is_repaired, "the damage to be found", seconds=60)
    wait_for(lambda: weir.put("/metrics/job/last", "last 1\n").status == 200, "commits")
    page = sorted(line for line in weir.get("/metrics").text.splitlines() if line.startswith("m{"))
    assert len(page) == 1500 * 80
    kill(weir)
    again = start_weir(f"--state.url=sqlite:{database}")
    wait_for(lambda: again.get("/-/ready").status == 200, "weir to be ready")
    text = again.get("/metrics").text
    assert sorted(line for line in text.splitlines() if line.startswith("m{")) == page
    assert 'last{instance="",job="last"} 1' in text
