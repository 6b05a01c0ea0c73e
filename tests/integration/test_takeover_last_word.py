"""Who goes on when a takeover ends otherwise than it should: one of the two, never none, never both."""

import signal
import subprocess

import pytest

from harness import BINARY, DEADLINE, Weir, environment, wait_for
from takeovers import BYE, Incumbent, Pretender

IMPATIENT = "--timeout.takeover=1ms"  # a new weir waits some seconds longer for the old one's word


@pytest.fixture
def incumbent(tmp_path):
    weir = Weir(tmp_path / "first")
    with weir.connect() as connection:
        assert connection.exchange("PUT", "/metrics/job/j", "m 1\n").status == 200
    with Pretender(tmp_path / "first" / "data") as pretender:
        image = pretender.image()
    weir.stop()
    with Incumbent(tmp_path / "data", image) as incumbent:
        yield incumbent


@pytest.fixture
def successor(tmp_path):
    with open(tmp_path / "stderr", "wb") as stderr:
        process = subprocess.Popen(
            [BINARY, "--takeover", "--web.listen-address=127.0.0.1:0", IMPATIENT,
             f"--data.dir={tmp_path}/data"],
            cwd=tmp_path, env=environment(), stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=stderr)
    process.log = (tmp_path / "stderr").read_text
    yield process
    process.kill()
    process.wait()


def test_bye(incumbent, successor):
    incumbent.give()
    incumbent.send(BYE)
    wait_for(lambda: 'msg="took over"' in successor.log(), "it goes on")
    successor.send_signal(signal.SIGTERM)
    assert successor.wait(DEADLINE) == 0


def test_no_word_in_time(incumbent, successor):
    """It gives up, and the old weir finds its late word refused."""
    incumbent.give()
    assert successor.wait(DEADLINE) == 1
    assert "the running weir takes too long" in successor.log()
    with pytest.raises(BrokenPipeError):
        incumbent.send(BYE)


def test_hung_up_without_a_word(incumbent, successor):
    """The old weir is there: it goes on."""
    incumbent.give()
    incumbent.socket.close()
    assert successor.wait(DEADLINE) == 1
    assert "the running weir hung up" in successor.log()
