"""scripts/lib/promql.py reads the names in expressions as Prometheus' own parser does."""

import json
import subprocess
import sys

import pytest
import yaml

import test_promql_names
from built import BUILT
from harness import REPOSITORY

sys.path.insert(0, str(REPOSITORY / "scripts" / "lib"))

import dashboards  # noqa: E402
import promql  # noqa: E402

PROGRAM = BUILT / "promql" / "selectors"
pytestmark = pytest.mark.skipif(not PROGRAM.exists(), reason="no parser of Prometheus' built")


def expressions():
    """Of all rules and panels, and odd ones."""
    for path in sorted((REPOSITORY / "docker" / "prometheus" / "rules").glob("*.yml")):
        yield from (rule["expr"] for rule in dashboards.rules_of(yaml.safe_load(path.read_text())))
    for path in sorted((REPOSITORY / "grafana" / "dashboards").glob("*.json")):
        queries = dashboards.queries(dashboards.read_dashboard(path))
        yield from (dashboards.expanded(query) for _, query, _ in queries if query)
    yield from test_promql_names.CASES


def test_the_same_selectors():
    texts = list(expressions())
    done = subprocess.run([PROGRAM], input="".join(json.dumps(text) + "\n" for text in texts),
                          capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    for text, line in zip(texts, done.stdout.splitlines(), strict=True):
        read = [[one.name, *sorted(one.labels)] for one in promql.selectors(text)]
        assert sorted(read) == sorted(json.loads(line)), text
