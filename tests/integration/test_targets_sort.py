"""Lists of targets and of hosts in the order of an attribute."""

import concurrent.futures
import json
import random

import pytest

from harness import format_request
from orwell import faults, ok
from targets import TARGETS, create, data, error

# As they come to be known, and as they are listed: numbers, other texts, none.
VALUES = {"a": "10", "b": None, "c": "9", "d": "x", "e": "1e1", "f": "", "g": "-0.5", "h": "Xy", "i": "+Inf",
          "j": "NaN", "k": "9", "l": "10 apples", "m": "007"}
ASCENDING = "gmckaei" "ljhd" "bf"
DESCENDING = "iaeckmg" "dhjl" "bf"


def imported(weir, targets):
    for start in range(0, len(targets), 10000):
        data(weir.post(f"{TARGETS}/import", "".join(json.dumps(target) + "\n" for target in
                                                    targets[start:start + 10000])))


def instances(weir, query):
    answer = data(weir.get(f"{TARGETS}?{query}"))
    return [target["labels"]["instance"] for target in answer["targets"]], answer["total"]


@pytest.fixture(scope="module")
def listing(start_shared_weir):
    weir = start_shared_weir()
    imported(weir, [{"labels": {"job": "node", "instance": instance},
                     "attributes": {} if value is None else {"priority": value}} for instance, value in VALUES.items()])
    return weir


@pytest.mark.smoke
@pytest.mark.parametrize("query, wanted", [("priority", ASCENDING), ("-priority", DESCENDING),
                                           ("instance", "abcdefghijklm"), ("-instance", "mlkjihgfedcba"),
                                           ("nothing", "abcdefghijklm"), ("-nothing", "abcdefghijklm")])
def test_order(listing, query, wanted):
    assert instances(listing, f"sort={query}") == (list(wanted), len(wanted))
    if query != "nothing":
        assert "".join(host["ip"] for host in ok(listing.get(f"/hosts?sort={query}"))) == wanted


def test_pages_lie_side_by_side(listing):
    pages = [instances(listing, f"sort=priority&limit=4&offset={offset}") for offset in range(0, 16, 4)]
    assert "".join("".join(page) for page, _ in pages) == ASCENDING
    assert {total for _, total in pages} == {len(VALUES)}
    assert instances(listing, "sort=priority&limit=0") == ([], len(VALUES))
    assert instances(listing, "sort=priority&offset=999") == ([], len(VALUES))
    assert "".join(one["ip"] for one in ok(listing.get("/hosts?sort=-priority&offset=3&limit=5"))) == DESCENDING[3:8]


def test_with_what_is_selected(listing):
    query = "match[]={priority=~%22[0-9].*%22}&sort=-priority"
    assert instances(listing, query) == (list("aeckm" "l"), 6)
    assert instances(listing, "sort=priority&state=disabled") == ([], 0)


def test_hosts_by_their_ip(listing):
    assert [one["ip"] for one in ok(listing.get("/hosts?sort=-ip&limit=2"))] == ["m", "l"]


@pytest.mark.parametrize("value", ["", "-", "--a", "a-b", "1a", "a,b", "a%20b", "%C3%A4", "%00", "priority&sort=priority"])
def test_what_is_no_order(shared_weir, value):
    assert 'invalid parameter "sort": it ' in error(shared_weir.get(f"{TARGETS}?sort={value}"), 400)
    if "&" not in value:
        assert faults(shared_weir.get(f"/hosts?sort={value}")) == {"query/sort": "value_error"}


@pytest.mark.parametrize("path", [f"{TARGETS}/export", "/api/v1/sd", "/api/v1/rules.yml", "/service_discovery/hosts"])
def test_where_there_is_no_order(shared_weir, path):
    assert "no order here" in error(shared_weir.get(f"{path}?sort=a"), 400)


def test_long_texts_count_to_a_point(weir):
    imported(weir, [{"labels": {"job": "j", "instance": str(number)}, "attributes": {"a": "x" * 128 + end}}
                    for number, end in enumerate("cab")] + [
        {"labels": {"job": "j", "instance": "3"}, "attributes": {"a": "x" * 127 + "a"}}])
    assert instances(weir, "sort=a")[0] == ["3", "0", "1", "2"]


def test_many_that_come_and_go(start_weir):
    """Each page is in order, whatever happens meanwhile, and who leaves amid it takes nothing along."""
    weir = start_weir("--targets.limit=100000", "--targets.url=none")
    numbers = list(range(20000))
    random.Random(7).shuffle(numbers)
    imported(weir, [{"labels": {"job": "j", "instance": f"i{number}"}, "attributes": {"n": str(number)}}
                    for number in numbers])
    assert instances(weir, "sort=n&limit=10000&offset=5000") == ([f"i{number}" for number in range(5000, 15000)], 20000)
    going = [target["id"] for target in data(weir.get(f"{TARGETS}?sort=n&limit=200"))["targets"]]

    def come_and_go(number):
        assert weir.delete(f"{TARGETS}/{going[number]}").status == 204
        create(weir, {"job": "j", "instance": f"new{number}"}, attributes={"n": str(number - 1000)})
        with weir.connect() as leaving:
            leaving.send(format_request("GET", f"{TARGETS}?sort=-n&limit=10000"))

    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        done = [pool.submit(come_and_go, number) for number in range(len(going))]
        while not done[-1].done():
            found = [int(target["attributes"]["n"]) for target in data(weir.get(f"{TARGETS}?sort=n"))["targets"]]
            assert found == sorted(found) and len(found) > 700
    for each in done:
        each.result()
    assert instances(weir, "sort=n&limit=201")[0] == [f"new{number}" for number in range(200)] + ["i200"]
