"""scripts/setup where only known targets may push: those of the installation can be registered."""

from installations import LARGE, Installation
from sites import Site


def test_who_pushes_is_registered(start_weir, tmp_path):
    """Where only known ones may: what the compose files push, by their scripts, once the file was imported."""
    large = Installation(tmp_path, LARGE)
    site = {"name": "lisbon", "hosts": ["10.0.0.1", "h2"], "switches": ["10.0.0.9"]}
    said = large.made({**LARGE, "weirs": {"register": "known"}, "sites": [site]})
    assert said.endswith(f"curl -u ada --data-binary @{large.directory}/targets.jsonl "
                         "https://push.example.com/api/v1/targets/import\n")
    weir = start_weir("--targets.register=known")
    (tmp_path / "cgroup.controllers").touch()
    runs = [("push-page", f"{weir.url}/metrics"), ("push-arp",), ("push-cgroups", f"--root={tmp_path}"),
            ("push-snmp", "--exporter=127.0.0.1:9", "10.0.0.9"), ("push-nginx", "127.0.0.1:9")]

    def pushed(script, *arguments, instance):
        site = Site(tmp_path / "site", weir.url)
        where = {"MYIP": instance} if script == "push-nginx" else {"MYIP": instance, "WEIR_SITE": "lisbon"}
        return "403" not in site.run(script, *arguments, **where).stderr
    assert not any(pushed(*words, instance="front" if words[0] == "push-nginx" else "h2") for words in runs)
    answer = weir.request("POST", "/api/v1/targets/import", large.text("targets.jsonl").encode())
    assert answer.status == 200, answer.text
    for words in runs:
        instances = ["front"] if words[0] == "push-nginx" else site["hosts"]
        assert all(pushed(*words, instance=instance) for instance in instances), words
        assert not pushed(*words, instance="h3")
    assert weir.scrape().value("nginx_up", job="nginx", instance="front") == 0
    assert "targets.jsonl" not in large.made(LARGE).replace("removed targets.jsonl", "")
    assert not (large.directory / "targets.jsonl").exists()
