"""Expressions held against promtool, all in one go."""

import json
import subprocess

from harness import DEADLINE


def check_promql(directory, expressions):
    """Each is PromQL; Grafana's variables in them have been replaced."""
    rules = [{"record": f"q{number}", "expr": expression} for number, expression in enumerate(expressions)]
    path = directory / "rules.yml"
    path.write_text(json.dumps({"groups": [{"name": "all", "rules": rules}]}, ensure_ascii=False))
    done = subprocess.run(["promtool", "check", "rules", path], capture_output=True, text=True,
                          timeout=DEADLINE, check=False)
    assert done.returncode == 0 and f"{len(rules)} rules found" in done.stdout, done.stdout + done.stderr
