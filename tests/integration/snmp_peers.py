"""A switch and those that ask it, as Debian packages them: snmpd, snmp_exporter and its generator."""

from pathlib import Path

from harness import REPOSITORY
from peers import Peer

MIBS = REPOSITORY / "tests" / "integration" / "data" / "mibs"
# Of data/mibs/acme, below net-snmp's numbers to play with.
ACME = "1.3.6.1.4.1.8072.9999.9999.7"
FORWARDED = "0A:00:00:00:00:BB"


def udp_port(process):
    """The port of a child's UDP socket, read from the kernel's tables."""
    sockets = set()
    for fd in Path(f"/proc/{process.pid}/fd").iterdir():
        try:
            sockets.add(str(fd.readlink()))
        except OSError:
            continue
    for row in Path(f"/proc/{process.pid}/net/udp").read_text().splitlines()[1:]:
        field = row.split()
        if f"socket:[{field[9]}]" in sockets:
            return int(field[1].rpartition(":")[2], 16)
    return None


class Switch(Peer):
    """snmpd: the interfaces of this machine, one row of a forwarding table, and a vendor's metrics."""

    def __init__(self, directory, community):
        directory.mkdir(parents=True)
        (directory / "snmpd.conf").write_text(
            f'rocommunity "{community}" 127.0.0.1\n'
            "override 1.3.6.1.2.1.17.4.3.1.2.10.0.0.0.0.187 integer 5\n"
            f"override {ACME}.1.0 uinteger 3\n"
            f"override {ACME}.2.1.2.10 counter 77\n")
        super().__init__(directory, "env", f"SNMP_PERSISTENT_DIR={directory}", "snmpd", "-f", "-Lo", "-C", "-c",
                         directory / "snmpd.conf", "-I", "-smux", "udp:127.0.0.1:0")
        self.name = f"127.0.0.1:{self.port}"

    def _port(self):
        assert self.process.poll() is None, f"it ended:\n{self.log.read_text()}"
        return udp_port(self.process)


class SnmpExporter(Peer):
    program = "prometheus-snmp-exporter"

    def __init__(self, directory, config):
        self.config = config
        super().__init__(directory, self.program, f"--config.file={config}", "--web.listen-address=127.0.0.1:0")
