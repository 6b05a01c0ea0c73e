"""Targets and groups through the API in any order, against a model of what has to be there then.

WEIR_GENERATED_EXAMPLES makes as many sequences, instead of a few. They are the same ones each time.
"""

import json
import os

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, rule
from hypothesis.stateful import run_state_machine_as_test

from harness import Weir
from openapi import description
from openapi_inputs import new_target, target_config
from targets import TARGETS, data, error

SEQUENCES = int(os.environ.get("WEIR_GENERATED_EXAMPLES", "25"))
BY_DEFAULT = {"mode": "push", "enabled": True, "address": "", "scheme": "", "path": "", "scrape_interval": "",
              "scrape_timeout": "", "interval": "", "silent_after": 0, "attributes": {}, "thresholds": []}
SHOWN = {"0": "", "1.5s": "1.5s", "1500ms": "1.5s", "90s": "1m30s", "1h30m": "1h30m0s", "+2m": "2m0s"}
THRESHOLD = {"op": ">", "for": "", "severity": ""}
JOBS = st.sampled_from(["a", "b"])


def shown(config):
    """A configuration as it is shown: what is null is as by default, durations have one form."""
    out = {}
    for name, value in config.items():
        if name not in BY_DEFAULT:
            continue
        value = BY_DEFAULT[name] if value is None else value
        if name in ("scrape_interval", "scrape_timeout", "interval"):
            value = SHOWN.get(value, value)
        elif name == "mode":
            value = value or "push"
        elif name == "thresholds":
            given = [{field: said for field, said in one.items() if said is not None} for one in value]
            value = [{**THRESHOLD, **one, "for": SHOWN.get(one.get("for", ""), one.get("for", ""))} for one in given]
        out[name] = value
    return out


class Sequence(RuleBasedStateMachine):
    """What is done is done to a weir that all sequences share, and begin by emptying."""

    weir = None
    targets = Bundle("targets")

    @initialize()
    def begin(self):
        self.weir.put("/api/v1/admin/wipe")
        for target in self.listed():
            assert self.weir.delete(f"{TARGETS}/{target['id']}").status == 204
        self.model = {}
        self.groups = {}

    def listed(self):
        return data(self.weir.get(TARGETS))["targets"]

    def check(self, target):
        """It is as the model has it."""
        wanted = self.model[target["id"]]
        assert {name: target[name] for name in wanted} == wanted

    # ---- Targets ----

    @rule(target=targets, said=new_target(description()))
    def create(self, said):
        response = self.weir.post(TARGETS, json.dumps(said))
        made = data(response, 201)
        assert response.headers["location"] == f"{TARGETS}/{made['id']}"
        self.model[made["id"]] = {**BY_DEFAULT, **shown(said), "labels": said["labels"], "configured": True}
        self.check(made)
        assert "id" not in said or made["id"] == said["id"]
        return made["id"]

    @rule(target=targets, one=targets)
    def create_what_is_there(self, one):
        if one not in self.model:
            error(self.weir.get(f"{TARGETS}/{one}"), 404)
            return one
        said = json.dumps({"labels": self.model[one]["labels"]})
        assert one in error(self.weir.post(TARGETS, said), 409)
        return one

    @rule(one=targets)
    def read(self, one):
        response = self.weir.get(f"{TARGETS}/{one}")
        if one in self.model:
            self.check(data(response))
        else:
            error(response, 404)

    @rule(one=targets, said=target_config(description()), method=st.sampled_from(["PUT", "PATCH"]))
    def change(self, one, said, method):
        response = self.weir.request(method, f"{TARGETS}/{one}", json.dumps(said))
        if one not in self.model:
            error(response, 404)
            return
        before = self.model[one]
        if method == "PUT":
            self.model[one] = {**before, **BY_DEFAULT, **shown(said)}
        else:
            # Attributes that are not named stay.
            attributes = {} if said.get("attributes", {}) is None else before["attributes"]
            self.model[one] = {**before, **shown(said),
                               "attributes": {**attributes, **(said.get("attributes") or {})}}
        self.check(data(response))

    @rule(one=targets, name=st.sampled_from(["b", "c"]))
    def drop_an_attribute(self, one, name):
        if one in self.model:
            url = f"{TARGETS}/{one}"
            data(self.weir.request("PATCH", url, json.dumps({"attributes": {name: "x"}})))
            self.check(data(self.weir.request("PATCH", url, json.dumps({"attributes": {name: None}}))))

    @rule(one=targets, action=st.sampled_from(["enable", "disable", "heartbeat"]))
    def act(self, one, action):
        response = self.weir.post(f"{TARGETS}/{one}/{action}")
        if one not in self.model:
            error(response, 404)
            return
        if action != "heartbeat":
            self.model[one]["enabled"] = action == "enable"
        self.check(data(response))

    @rule(one=consumes(targets))
    def delete(self, one):
        response = self.weir.delete(f"{TARGETS}/{one}")
        if self.model.pop(one, None):
            assert response.status == 204
        error(self.weir.delete(f"{TARGETS}/{one}"), 404)

    @rule(one=targets)
    def give_back_what_is_shown(self, one):
        if one in self.model:
            target = data(self.weir.get(f"{TARGETS}/{one}"))
            assert data(self.weir.put(f"{TARGETS}/{one}", json.dumps(target))) == target

    @rule()
    def export_and_import(self):
        lines = self.weir.get(f"{TARGETS}/export").body
        outcome = data(self.weir.post(f"{TARGETS}/import", lines))
        configured = sum(target.get("configured", False) for target in self.model.values())
        assert (outcome["created"], outcome["updated"]) == (0, configured)

    # ---- Groups ----

    @rule(job=JOBS, value=st.integers(0, 99), method=st.sampled_from(["PUT", "POST"]))
    def push(self, job, value, method):
        pushed = self.weir.request(method, f"/metrics/job/{job}", f"# TYPE m_{value % 3} gauge\nm_{value % 3} {value}\n")
        assert pushed.status == 200
        kept = {} if method == "PUT" else self.groups.get(job, {})
        self.groups[job] = {**kept, f"m_{value % 3}": str(value)}

    @rule(job=JOBS)
    def push_nonsense(self, job):
        assert self.weir.post(f"/metrics/job/{job}", "m_0 x\n").status == 400

    @rule(job=JOBS)
    def delete_group(self, job):
        assert self.weir.delete(f"/metrics/job/{job}").status == 202
        self.groups.pop(job, None)

    @rule()
    def wipe(self):
        assert self.weir.put("/api/v1/admin/wipe").status == 202
        self.groups.clear()

    # ---- What has to be there ----

    @invariant()
    def groups_are_there(self):
        if not hasattr(self, "groups"):
            return
        listed = data(self.weir.get("/api/v1/metrics"))
        assert {group["labels"]["job"]: {name: family["metrics"][0]["value"] for name, family in group.items()
                                         if name.startswith("m_")} for group in listed} == self.groups

    @invariant()
    def targets_are_there(self):
        if not hasattr(self, "model"):
            return
        listed = self.listed()
        by_hand = {target["id"] for target in listed if target["configured"]}
        assert by_hand == set(self.model)
        # A target outlives its group, and one of a job that is there was seen.
        pushed = {target["labels"]["job"] for target in listed if not target["configured"]}
        assert set(self.groups) <= pushed <= {"a", "b"}


@pytest.mark.smoke
def test_sequences(tmp_path):
    weir = Weir(tmp_path / "weir", "--web.enable-admin-api")
    Sequence.weir = weir
    try:
        run_state_machine_as_test(Sequence, settings=settings(
            max_examples=SEQUENCES, stateful_step_count=20, derandomize=True, deadline=None, database=None,
            print_blob=False, suppress_health_check=list(HealthCheck)))
    finally:
        weir.stop()
