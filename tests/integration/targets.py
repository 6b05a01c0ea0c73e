"""What tests say to /api/v1/targets."""

import json

from harness import wait_for

TARGETS = "/api/v1/targets"


def data(response, status=200):
    """What came of a request that went well."""
    assert response.status == status, response.text
    assert response.headers["content-type"] == "application/json"
    answer = json.loads(response.body)
    assert answer["status"] == "success"
    return answer["data"]


def error(response, status):
    """The sentence of one that did not."""
    assert response.status == status, response.text
    answer = json.loads(response.body)
    assert answer["status"] == "error"
    return answer["error"]


def wait_until_read(weir):
    """On a busy machine it may take longer than the harness waits."""
    wait_for(lambda: weir.get(TARGETS).status == 200, "targets were read")


def create(weir, labels, **fields):
    return data(weir.post(TARGETS, json.dumps({"labels": labels, **fields})), 201)
