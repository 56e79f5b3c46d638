"""Tests what Prometheus gets: the counts of all workers and programs, in its format."""

import re

import pytest
import requests
from prometheus_client.parser import text_string_to_metric_families

PASSWORD = "correct horse battery"  # as in conftest.py


def scrape(site):
    answer = requests.get(site.nginx.metrics_url, timeout=120)
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    return {family.name: family for family in text_string_to_metric_families(answer.text)}


def samples(families, name, **labels):
    """Returns {all labels as a set: value} of the series that have these labels."""
    return {frozenset(s.labels.items()): s.value
            for family in families.values() for s in family.samples
            if s.name == name and labels.items() <= s.labels.items()}


def value(site, name, **labels):
    return sum(samples(scrape(site), name, **labels).values())


def test_requests_are_counted_by_route_and_status(web, project):
    by = {"program": "api.fcgi", "method": "GET", "route": "/api/projects/:projectId"}
    ok = value(web, "fsa_http_requests_total", status="200", **by)
    missing = value(web, "fsa_http_requests_total", status="404", **by)
    took = value(web, "fsa_http_request_seconds_count", **by)
    for _ in range(20):  # more than there are workers
        assert project.client.get(f"/api/projects/{project.id}").ok
    assert project.client.get("/api/projects/" + "0" * 8 + project.id[8:]).status_code == 404
    assert value(web, "fsa_http_requests_total", status="200", **by) == ok + 20
    assert value(web, "fsa_http_requests_total", status="404", **by) == missing + 1
    assert value(web, "fsa_http_request_seconds_count", **by) == took + 21


def test_there_are_as_many_series_as_routes_and_no_more(web, project, routes):
    for number in range(50):
        assert project.client.get(f"/api/nothing/{number}").status_code == 404
        assert project.client.request("BREW", f"/api/{number}").status_code in (404, 405)
    told = {dict(key)["route"] for key in samples(scrape(web), "fsa_http_requests_total")}
    assert told <= {row["pattern"] for row in routes} | {"-"}
    assert "-" in told


def test_counts_outlive_workers_and_programs(web, project):
    by = {"route": "/api/projects", "method": "GET", "status": "200"}
    before = value(web, "fsa_http_requests_total", **by)
    assert project.client.get("/api/projects").ok
    web.programs.stop("api.fcgi")
    web.programs.start("api.fcgi")
    assert value(web, "fsa_http_requests_total", **by) == before + 1


def test_logins_are_counted(web, user):
    someone = user(kubeconfig=False)
    before = {result: value(web, "fsa_logins_total", provider="password", result=result)
              for result in ("ok", "refused", "registered")}
    assert web.client().login(someone.name, PASSWORD).ok
    assert web.client().login(someone.name, "wrong").status_code == 401
    assert web.client().register("another-user", PASSWORD).ok
    for result, count in before.items():
        assert value(web, "fsa_logins_total", provider="password", result=result) == count + 1


def test_histograms_only_rise(web, project):
    families = scrape(web)
    histograms = [family for family in families.values() if family.type == "histogram"]
    seen = 0
    for family in histograms:
        buckets, counts = {}, {}
        for sample in family.samples:
            series = frozenset((k, v) for k, v in sample.labels.items() if k != "le")
            if sample.name.endswith("_bucket"):
                buckets.setdefault(series, []).append((float(sample.labels["le"]), sample.value))
            if sample.name.endswith("_count"):
                counts[series] = sample.value
        for series, pairs in buckets.items():
            assert pairs == sorted(pairs)
            assert [count for _, count in pairs] == sorted(count for _, count in pairs)
            assert pairs[-1] == (float("inf"), counts[series])
            seen += 1
    assert seen > 5


def test_the_queue_is_exported(web, project):
    """There is no reconciler, so requests wait."""
    first = scrape(web)
    assert sum(samples(first, "fsa_queue_due_rows").values()) >= 2  # sandbox and database
    assert sum(samples(first, "fsa_queue_leased_rows").values()) == 0
    with web.connect() as db, db.cursor() as cursor:
        cursor.execute("UPDATE resources SET due_at = now() - interval '1 hour'"
                       " WHERE project_id = %s", (project.id,))
        db.commit()
    assert 3600 <= value(web, "fsa_queue_oldest_due_seconds") < 3700
    assert value(web, "fsa_database_up") == 1


def test_each_metric_is_described_once(web):
    text = requests.get(web.nginx.metrics_url, timeout=120).text
    names = re.findall(r"^# TYPE (\S+)", text, re.M)
    assert len(names) == len(set(names)) > 15
    assert re.findall(r"^# HELP (\S+)", text, re.M) == names
    series = re.findall(r"^(fsa_[^ ]+) ", text, re.M)
    assert len(series) == len(set(series))


@pytest.mark.parametrize("path", ["/metrics", "/api/metrics", "/api/../metrics", "//metrics",
                                  "/api/%2e%2e/metrics", "/%6detrics", "/metrics?x", "/metrics/",
                                  "/api/auth/..%2f..%2fmetrics", "/readyz/../metrics"])
def test_the_public_site_has_no_metrics(web, path):
    """Nor can a client pretend that its request came by the other listener."""
    for headers in ({}, {"FSA-Listener": "local"}, {"FSA_LISTENER": "local"},
                    {"X-Forwarded-For": "127.0.0.1"}):
        request = requests.Request("GET", web.url, headers=headers).prepare()
        request.url = web.url + path  # verbatim: requests would normalize it
        with requests.Session() as session:
            answer = session.send(request, timeout=120)
        assert answer.status_code in (400, 404), path
        assert "fsa_" not in answer.text


def test_the_local_listener_has_nothing_else(web):
    base = web.nginx.metrics_url.removesuffix("/metrics")
    for path in ("/", "/api/projects", "/healthz", "/metrics/x"):
        assert requests.get(base + path, timeout=120).status_code == 404


def test_without_the_database_there_are_the_other_counts(make_site, postgres):
    site = make_site()
    site.programs.stop("fsa-reconcile")
    assert site.client().get("/healthz").ok
    before = scrape(site)
    assert sum(samples(before, "fsa_database_up").values()) == 1
    site.programs.stop("api.fcgi")
    site.programs.configure(database="host=/nowhere dbname=none")
    site.programs.start("api.fcgi")
    away = scrape(site)
    assert sum(samples(away, "fsa_database_up").values()) == 0
    assert not samples(away, "fsa_queue_due_rows")
    assert samples(away, "fsa_http_requests_total", route="/healthz")


def test_a_program_that_cannot_count_works(make_site):
    site = make_site(options={"metrics_dir": "/nowhere"})
    assert site.client().get("/healthz").ok
    assert scrape(site)  # described, but nothing counted
    assert "metrics are not recorded" in site.programs.log("api.fcgi").read_text()
    assert "/nowhere/api.fcgi: No such file" in site.programs.log("api.fcgi").read_text()
    assert site.programs.pid("fsa-reconcile")


def test_a_missing_reconciler_is_reported_but_takes_no_host_out(web, project):
    with web.connect() as db, db.cursor() as cursor:
        cursor.execute("UPDATE resources SET due_at = now() - interval '2 minutes'")
        db.commit()
    answer = web.client().get("/readyz")
    assert answer.status_code == 200
    assert answer.json()["status"] == "degraded"
    assert answer.json()["checks"]["reconciler"] == "failed"
    assert answer.json()["checks"]["database"] == "ok"
    assert "does fsa-reconcile run?" in web.programs.log("api.fcgi").read_text()
    with web.connect() as db, db.cursor() as cursor:
        cursor.execute("UPDATE resources SET due_at = now() + interval '2 minutes'")
        cursor.execute("UPDATE pass_hosts SET last_pass_at = now()")  # the last pass may be long ago
        db.commit()
    assert web.client().get("/readyz").json()["status"] == "ready"
