"""Pages with all that weir exposes of itself, and with what is pushed to it from sites."""

import contextlib
import json

import peers
from certificates import Authority
from harness import REPOSITORY, Weir, wait_for
from redis_servers import RedisServer
from targets import create, wait_until_read

DATA = REPOSITORY / "tests" / "integration" / "data"
NODE = "/metrics/job/node-exporter/instance/198.51.100.1/site/a"
SWITCH = "/metrics/job/snmp-exporter/target_switch/192.0.2.1/instance/198.51.100.1/site/a"
ARP = "/metrics/job/arpMetrics/instance/198.51.100.1/site/a"
NGINX = "/metrics/job/nginx/instance/front/site/a"
OWN_OF_TARGETS = ("target_info", "weir_service_active_instances", "weir_target_silent",
                  "weir_target_last_seen_time_seconds", "weir_target_expires_time_seconds")


def push_from_site(weir, node_page):
    """A page of node_exporter, a switch's as snmp_exporter has it, what nginx counts, and what else sites push."""
    for target, body in ((NODE, node_page), (SWITCH, (DATA / "if_mib.prom").read_bytes()),
                         (ARP, (DATA / "arp.prom").read_bytes()),
                         (NGINX, (DATA / "nginx.prom").read_bytes())):
        response = weir.put(target, body)
        assert response.status == 200, response.text
    assert weir.put(ARP, "arp_entries 1\narp_entries 2\n").status == 400  # leaves its time


def page_with_targets(weir):
    """A page on which there are all series that weir has about targets."""
    wait_until_read(weir)
    create(weir, {"job": "quiet", "instance": "i"}, interval="1ms", silent_after=1,
           attributes={"rack": "r1"})
    create(weir, {"job": "hasty", "instance": "i"}, interval="1ms")
    assert weir.post("/api/v1/services", '{"name": "web"}').status == 201

    def page():
        text = weir.get("/metrics").text
        if '\nm{instance="i",job="hasty"} 1\n' not in text:
            weir.put("/metrics/job/hasty/instance/i?ttl=1s", "m 1\n")
        return text if all(f"\n{name}{{" in text for name in OWN_OF_TARGETS) else None

    return wait_for(page, "there is a series of each name")


def secure_weir(directory, redis):
    """A replica that speaks TLS, and drains lists."""
    authority = Authority(directory / "ca")
    identity = authority.issue("server")
    (directory / "web.yml").write_text(json.dumps({"tls_server_config": {
        "cert_file": str(identity.cert), "key_file": str(identity.key)}}))
    return Weir(directory / "secure", f"--state.url={redis.url}",
                f"--ingest.redis-lists={redis.url.removesuffix('/0')}/1",
                f"--web.config.file={directory / 'web.yml'}", tls=authority.client())


def exposed_pages(directory):
    """Of a weir with a database and of one with Redis; as text."""
    with contextlib.ExitStack() as stack:
        exporter = stack.enter_context(peers.NodeExporter(directory / "node_exporter"))
        redis = stack.enter_context(RedisServer(directory / "redis"))
        weir = Weir(directory / "plain")
        stack.callback(weir.stop)
        secure = secure_weir(directory, redis)
        stack.callback(secure.stop)
        push_from_site(weir, exporter.page())
        pages = [page_with_targets(weir), weir.get("/-/healthy?format=metrics").text]
        wait_for(lambda: secure.get("/-/ready").status == 200, "it is ready")
        assert secure.put("/metrics/job/j", "m 1\n").status == 200
        return [*pages, secure.scrape().text, (DATA / "prometheus.prom").read_text()]
