"""What schemathesis cannot know of weir: how to write formats that are weir's own, and how to read them.

Run by it, in its own environment: SCHEMATHESIS_HOOKS names this file.
"""

import base64
import json
import string

import schemathesis
from hypothesis import strategies as st

NAMES = st.text(string.ascii_lowercase, min_size=1, max_size=8)
TEXTS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=12)
JOBS = TEXTS.filter(lambda text: "/" not in text and text not in (".", ".."))

FORMATS = {
    "base64url": TEXTS.map(lambda text: base64.urlsafe_b64encode(text.encode()).decode()),
    "go-duration": st.sampled_from(["0", "1s", "1.5s", "90s", "1h30m", "24h0m0s"]),
    "group-lines": JOBS.map(lambda job: json.dumps({"labels": {"job": job}, "pushed": "1795779540.5",
                                                    "families": []}) + "\n"),
    "grouping-labels": st.builds("l_{}/{}".format, NAMES, JOBS),
    "openmetrics-text": NAMES.map(lambda name: f"# TYPE gauge_{name} gauge\ngauge_{name} 1\n# EOF\n"),
    "prometheus-text": NAMES.map(lambda name: f"# TYPE gauge_{name} gauge\ngauge_{name} 1\n"),
    "prometheus-duration": st.sampled_from(["30s", "1m30s", "15", "1.5e1"]),
    "prometheus-time": st.sampled_from(["0", "-1.5", "1795161065.637", "2026-11-20T07:55:40Z"]),
    "series-selector": st.sampled_from(['up{job="web"}', '{job=~"w.*"}', '{"a.b"}']),
    "target-lines": JOBS.map(lambda job: json.dumps({"labels": {"job": job}}) + "\n"),
}
for name, values in FORMATS.items():
    schemathesis.openapi.format(name, values)


@schemathesis.serializer("application/x-ndjson", "application/openmetrics-text", "application/vnd.google.protobuf")
def as_bytes(_, value):
    if isinstance(value, bytes):
        return value
    return (value if isinstance(value, str) else json.dumps(value)).encode("utf-8", "surrogatepass")


@schemathesis.deserializer("application/x-ndjson", "application/openmetrics-text")
def as_text(_, response):
    return response.content.decode()


@schemathesis.hook.apply_to(path="/api/v1/query")
def filter_case(_, case):
    """Of a parameter that is there more than once the first counts, as Prometheus has it: no type is violated."""
    return not any(isinstance(value, list) for value in (case.query or {}).values())
