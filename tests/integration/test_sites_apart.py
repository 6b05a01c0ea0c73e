"""Two weirs of different sites to which hosts of the same names push, in one Prometheus: no series of one is the other's."""

import pytest

import peers
from harness import wait_for

PAGE = """# TYPE speed gauge
speed{{unit="m"}} {0}
# TYPE jobs_total counter
jobs_total {0}
# TYPE took histogram
took_bucket{{le="1"}} {0}
took_bucket{{le="+Inf"}} {0}
took_sum {0}
took_count {0}
"""


def sites_of(server, selector):
    """{the labels without the site: {site: value}}."""
    found = {}
    for labels, value in server.query(selector):
        site = labels.pop("site", None)
        values = found.setdefault(tuple(sorted(labels.items())), {})
        assert site not in values, "two series of the same labels"
        values[site] = float(value)
    return found


@pytest.mark.smoke
def test_no_series_collide(start_weir, tmp_path):
    """The label is where Prometheus scrapes, as docker/prometheus has it; what is pushed with a site keeps it."""
    weirs = {"a": start_weir(), "b": start_weir()}
    for number, weir in enumerate(weirs.values(), 1):
        for instance in ("host1", "host2"):
            assert weir.put(f"/metrics/job/node/instance/{instance}", PAGE.format(number)).status == 200
    assert weirs["b"].put("/metrics/job/node/instance/only_b", "alone 1\n").status == 200
    assert weirs["b"].put("/metrics/job/node/instance/host1/site/own", "moved 1\n").status == 200
    jobs = [{"job_name": f"weir-{site}", "honor_labels": True,
             "static_configs": [{"targets": [weir.url.partition("://")[2]], "labels": {"site": site}}]}
            for site, weir in weirs.items()]
    with peers.Prometheus(tmp_path / "prometheus", {}, jobs=jobs) as server:
        wait_for(lambda: len(server.query("speed")) == 4, "both are scraped")
        for name in ("speed", "jobs_total", "took_bucket", "took_sum", "took_count"):
            found = sites_of(server, f'{name}{{job="node"}}')
            assert found and all(values == {"a": 1, "b": 2} for values in found.values()), found
        assert set(sites_of(server, 'push_time_seconds{instance="host2"}').popitem()[1]) == {"a", "b"}
        assert [labels["site"] for labels, _ in server.query("alone")] == ["b"]
        assert [labels["site"] for labels, _ in server.query("moved")] == ["own"]
        own = server.query("weir_groups")
        assert sorted((labels["site"], value) for labels, value in own) == [("a", "2"), ("b", "4")]
        assert all(server.target(job)["lastError"] == "" for job in ("weir-a", "weir-b"))
        assert "uplicate" not in server.log.read_text()


def test_one_weir_of_many_sites(start_weir, tmp_path):
    """The label in the group: the same hosts of two sites in one weir."""
    weir = start_weir()
    for number, site in enumerate(("a", "b"), 1):
        assert weir.put(f"/metrics/job/node/instance/host1/site/{site}", PAGE.format(number)).status == 200
    with peers.Prometheus(tmp_path / "prometheus", {"weir": weir.url}) as server:
        wait_for(lambda: len(server.query("speed")) == 2, "it is scraped")
        assert all(values == {"a": 1, "b": 2} for values in sites_of(server, '{job="node",__name__!~"push_.*"}').values())
