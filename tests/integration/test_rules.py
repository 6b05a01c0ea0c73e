"""What is wanted of targets, as rules: by promtool, and in a Prometheus that has them in force."""

import json
import subprocess

import pytest

import peers
from harness import DEADLINE, wait_for
from targets import TARGETS, create, data

RULES = "/api/v1/rules.yml"
HOT = {"name": "Hot", "metric": "temperature", "op": ">=", "value": 80.5, "for": "1m",
       "severity": "page"}


def rules(weir, query=""):
    response = weir.get(RULES + query)
    assert response.status == 200, response.text
    return response.text


def promtool(directory, *arguments):
    done = subprocess.run(["promtool", *arguments], cwd=directory, capture_output=True, text=True,
                          timeout=DEADLINE, check=False)
    return done.returncode, done.stdout + done.stderr


def check(directory, text):
    (directory / "rules.yml").write_text(text)
    code, said = promtool(directory, "check", "rules", "rules.yml")
    assert code == 0 and "duplicate" not in said, said
    return said


def run_tests(directory, text, tests):
    """JSON is YAML, too."""
    check(directory, text)
    settings = {"rule_files": ["rules.yml"], "evaluation_interval": "1m", "tests": tests}
    (directory / "test.yml").write_text(json.dumps(settings))
    code, said = promtool(directory, "test", "rules", "test.yml")
    assert code == 0, said


def at(minutes, name, *alerts):
    """What is expected to fire: labels, and the summary."""
    return {"eval_time": f"{minutes}m", "alertname": name,
            "exp_alerts": [{"exp_labels": labels, "exp_annotations": {"summary": summary}}
                           for labels, summary in alerts]}


def test_without_targets(weir, tmp_path):
    assert "SUCCESS: 1 rules found" in check(tmp_path, rules(weir))


@pytest.mark.smoke
def test_silence_fires_and_resolves(weir, tmp_path):
    labels = {"job": "j", "instance": "i", "severity": "warning"}
    fires = (labels, "j i has stopped pushing.")
    run_tests(tmp_path, rules(weir), [{
        "interval": "1m",
        "input_series": [{"series": 'weir_target_silent{job="j",instance="i"}',
                          "values": "_ _ 1 1 1 stale _ _"}],
        "alert_rule_test": [at(1, "WeirTargetSilent"), at(3, "WeirTargetSilent", fires),
                            at(6, "WeirTargetSilent")],
    }])


def test_heartbeat_fires_and_resolves(weir, tmp_path):
    target = create(weir, {"job": "j", "instance": "i"}, interval="1m")
    labels = {"job": "j", "instance": "i", "severity": "warning", "target": target["id"]}
    fires = (labels, "Nothing was heard of j i for longer than it may be quiet.")
    name = "WeirHeartbeatMissed"
    run_tests(tmp_path, rules(weir), [{
        "interval": "1m",
        "input_series": [
            {"series": 'weir_target_last_seen_time_seconds{job="j",instance="i"}',
             "values": "0 60 120 120 120 120 120 420 420"},
            {"series": 'weir_target_last_seen_time_seconds{job="j",instance="other"}',
             "values": "0x8"}],
        "alert_rule_test": [at(5, name), at(6, name, fires), at(7, name)],
    }, {
        "interval": "1m",
        "input_series": [{"series": 'up{job="j",instance="i"}', "values": "1 1 0 0 1 1"}],
        "alert_rule_test": [at(1, name), at(3, name, fires), at(5, name)],
    }])


def test_threshold_fires_and_resolves(weir, tmp_path):
    target = create(weir, {"job": "j", "instance": "i"}, thresholds=[HOT])
    labels = {"job": "j", "instance": "i", "sensor": "1", "severity": "page",
              "target": target["id"]}
    tests = [{
        "interval": "1m",
        "input_series": [{"series": 'temperature{job="j",instance="i",sensor="1"}',
                          "values": "80 80.5 80.5 80.5 80"},
                         {"series": 'temperature{job="j",instance="other"}', "values": "99x5"}],
        "alert_rule_test": [at(1, "Hot"), at(2, "Hot", (labels, "j i is at 80.5.")),
                            at(4, "Hot")],
    }]
    run_tests(tmp_path, rules(weir), tests)
    data(weir.request("PATCH", f"{TARGETS}/{target['id']}",
                      json.dumps({"thresholds": [{**HOT, "op": "<", "for": "", "value": -1e-7}]})))
    changed = rules(weir)
    assert "< -1e-07" in changed and "for:" not in changed
    check(tmp_path, changed)


# ---- Of services ----

def make_service(weir, name, **said):
    return data(weir.post("/api/v1/services", json.dumps({"name": name, **said})), 201)


def test_thresholds_of_a_service(weir, tmp_path):
    """Its own, and those of its parents that have other names; one that is not active has none."""
    make_service(weir, "base", active=False, thresholds=[HOT, {**HOT, "name": "Full", "metric": "used", "value": 1}])
    make_service(weir, "web", parent="base", thresholds=[{**HOT, "value": 50}])
    make_service(weir, "shop", parent="base")
    text = rules(weir)
    assert "SUCCESS: 5 rules found" in check(tmp_path, text)
    labels = {"job": "j", "instance": "i", "severity": "page"}

    def fires(service, value):
        return {**labels, "service": service}, f"j i is at {value}."

    run_tests(tmp_path, text, [{
        "interval": "1m",
        "input_series": [
            {"series": 'temperature{job="j",instance="i",service="web"}', "values": "49 50 50 50 49"},
            {"series": 'temperature{job="j",instance="i",service="shop"}', "values": "50 80 81 81 81"},
            {"series": 'temperature{job="j",instance="i",service="base"}', "values": "99x5"},
            {"series": 'used{job="j",instance="i",service="web"}', "values": "1x5"},
            {"series": 'temperature{job="j",instance="i"}', "values": "99x5"}],
        "alert_rule_test": [
            at(1, "Hot"), at(2, "Hot", fires("web", 50)), at(3, "Hot", fires("web", 50), fires("shop", 81)),
            at(4, "Hot", fires("shop", 81)), at(2, "Full", fires("web", 1))],
    }])
    data(weir.request("PATCH", "/api/v1/services/base", '{"thresholds": []}'))
    assert "SUCCESS: 2 rules found" in check(tmp_path, rules(weir))
    assert "SUCCESS: 1 rules found" in check(tmp_path, rules(weir, "?mode=push"))


def test_too_few_and_too_many_instances(weir, tmp_path):
    make_service(weir, "base", active=False, min_instances=2)
    make_service(weir, "web", parent="base", max_instances=3)
    make_service(weir, "zero", min_instances=0)
    text = rules(weir)
    assert "SUCCESS: 3 rules found" in check(tmp_path, text)
    few, many = "WeirServiceTooFewInstances", "WeirServiceTooManyInstances"
    labels = {"service": "web", "severity": "warning"}
    run_tests(tmp_path, text, [{
        "interval": "1m",
        "input_series": [
            {"series": 'weir_service_active_instances{service="web"}', "values": "2 1 1 2 3 4 4 3"},
            {"series": 'weir_service_active_instances{service="other"}', "values": "0x8"}],
        "alert_rule_test": [
            at(1, few), at(2, few, (labels, "web has 1 active instances, and shall have at least 2.")), at(3, few),
            at(5, many), at(6, many, (labels, "web has 4 active instances, and shall have at most 3.")), at(7, many)],
    }])


def test_heartbeat_of_a_service(weir, tmp_path):
    """Of each instance without one of its own; the rule goes with it."""
    make_service(weir, "base", heartbeat="1m")
    make_service(weir, "web", parent="base")
    member = create(weir, {"job": "j", "instance": "i", "service": "web"})
    create(weir, {"job": "j", "instance": "own"}, interval="1h", attributes={"service": "web"})
    text = rules(weir)
    assert "SUCCESS: 3 rules found" in check(tmp_path, text) and "> 180 or" in text and "> 10800 or" in text
    labels = {"job": "j", "instance": "i", "service": "web", "severity": "warning", "target": member["id"]}
    run_tests(tmp_path, text, [{
        "interval": "1m",
        "input_series": [{"series": 'weir_target_last_seen_time_seconds{job="j",instance="i",service="web"}',
                          "values": "0x5"}],
        "alert_rule_test": [at(3, "WeirHeartbeatMissed"), at(4, "WeirHeartbeatMissed", (
            labels, "Nothing was heard of j i for longer than it may be quiet."))],
    }])
    data(weir.request("PATCH", "/api/v1/services/web", '{"active": false}'))
    assert "SUCCESS: 2 rules found" in check(tmp_path, rules(weir))


# ---- Names ----

ODD = "\"}} {{ $x }} \\ ' # : \n é \x7f \x80 \u2028 \ufeff \t 💧"


def test_odd_names_are_data(weir, tmp_path):
    create(weir, {"job": ODD, "instance": ODD}, interval="1h", thresholds=[HOT])
    create(weir, {"job": "k"}, interval="1h", thresholds=[HOT, {**HOT, "severity": ""}])
    assert "SUCCESS: 6 rules found" in check(tmp_path, rules(weir))


def test_which_targets_have_rules(weir, tmp_path):
    create(weir, {"job": "off"}, interval="1h", thresholds=[HOT], enabled=False)
    create(weir, {"job": "plain"})
    for mode in ("virtual", "pull", "static", "dns"):
        create(weir, {"job": mode}, mode=mode, interval="1h", address="127.0.0.1:1")
    create(weir, {"job": "beats"}, interval="1h", silent_after=2)
    text = rules(weir)
    assert "SUCCESS: 2 rules found" in check(tmp_path, text)
    assert "> 7200 or up" in text
    assert "SUCCESS: 1 rules found" in check(tmp_path, rules(weir, "?job=plain"))
    assert weir.get(RULES + "?limit=1").status == 400


def test_pusher_stops_and_comes_back(start_weir, tmp_path):
    """In the API, on its page, in its alert; by the rules that weir itself gives."""
    weir = start_weir("--targets.silent-after=1")
    target = create(weir, {"job": "j", "instance": "i"}, interval="1h")
    url = f"{TARGETS}/{target['id']}"
    push = ("/metrics/job/j/instance/i", "m 1\n")
    weir.put(*push)
    with peers.Prometheus(tmp_path / "prometheus", {"weir": weir.url}, rules=[rules(weir)],
                          further={"evaluation_interval": "500ms"}) as server:
        server.wait_for("weir_target_last_seen_time_seconds > 0")
        assert server.alerts() == {}
        data(weir.request("PATCH", url, '{"interval": "1ms"}'))
        wait_for(lambda: server.alerts() == {("WeirTargetSilent", "i"): "firing"}, "the alert")
        assert data(weir.get(url))["state"] == "silent"
        assert weir.get("/metrics/target/job/j/instance/i").status == 503
        data(weir.request("PATCH", url, '{"interval": "1h"}'))
        weir.put(*push)
        assert data(weir.get(url))["state"] == "active"
        assert weir.get("/metrics/target/job/j/instance/i").status == 200
        wait_for(lambda: server.alerts() == {}, "the end of the alert")
