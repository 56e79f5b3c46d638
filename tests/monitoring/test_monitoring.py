"""Tests the shipped alerts and dashboard: their metrics exist and are documented, and Prometheus accepts them."""

import json
import re
import subprocess
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
MONITORING = ROOT / "monitoring"
PROMTOOL = "/usr/bin/promtool"


@pytest.fixture(scope="module")
def metrics():
    """Returns name → (type, labels), from the table in docs/monitoring.md, which a unit test compares with the
    program's."""
    rows = re.findall(r"^\| `(fsa_\w+)` \| (\w+) \| ?([^|]*?) \|", (
        ROOT / "docs/monitoring.md").read_text(), re.M)
    assert len(rows) > 15
    return {name: (kind, {"program", *filter(None, labels.split(", "))})
            for name, kind, labels in rows}


@pytest.fixture(scope="module")
def rules():
    groups = yaml.safe_load((MONITORING / "alerts.yml").read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


@pytest.fixture(scope="module")
def panels():
    dashboard = json.loads((MONITORING / "dashboard.json").read_text())
    return [panel for panel in dashboard["panels"] if panel["type"] != "row"]


def check_expression(expression, metrics):
    """Checks that every metric and label exists, and that histograms are queried by the names of their series."""
    named = re.findall(r"\b(fsa_\w+)(?:\{([^}]*)\})?", expression)
    for name, selector in named:
        base = re.sub(r"_(bucket|sum|count)$", "", name)
        histogram = base != name and base in metrics and metrics[base][0] == "histogram"
        assert histogram or (name in metrics and metrics[name][0] != "histogram"), name
        labels = metrics[base if histogram else name][1] | {"instance", "job"}
        assert set(re.findall(r"(\w+)\s*[=!]", selector)) <= labels, (name, selector)
    return [name for name, _ in named]


def test_alerts_name_metrics_that_exist(rules, metrics):
    for rule in rules:
        named = check_expression(rule["expr"], metrics)
        assert named or rule["expr"].startswith("up{"), rule["alert"]  # a metric of Prometheus itself


def test_the_dashboard_names_metrics_that_exist(panels, metrics):
    shown = set()
    for panel in panels:
        for target in panel["targets"]:
            names = check_expression(target["expr"], metrics)
            assert names, panel["title"]
            shown |= {re.sub(r"_(bucket|sum|count)$", "", name) if name not in metrics else name
                      for name in names}
    assert shown == set(metrics)  # every metric is shown


def test_panels_have_distinct_titles_and_descriptions(panels):
    assert len({panel["id"] for panel in panels}) == len(panels)
    places = {(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in panels}
    assert len(places) == len(panels)
    for panel in panels:
        assert panel["title"] and panel["description"].endswith(".")


def test_each_alert_says_what_and_the_documentation_what_to_do(rules):
    text = (ROOT / "docs/monitoring.md").read_text()
    documented = re.findall(r"^\| `(Fsa\w+)` \| (\w+) \|", text, re.M)
    assert documented == [(rule["alert"], rule["labels"]["severity"]) for rule in rules]
    for rule in rules:
        assert rule["annotations"]["summary"]
        assert rule["labels"]["severity"] in ("page", "ticket")


def test_promtool_accepts_the_rules_and_each_alert_fires(rules):
    checked = subprocess.run([PROMTOOL, "check", "rules", "alerts.yml"], cwd=MONITORING,
                             capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    tested = subprocess.run([PROMTOOL, "test", "rules", "alerts-test.yml"], cwd=MONITORING,
                            capture_output=True, text=True)
    assert tested.returncode == 0, tested.stdout + tested.stderr
    tests = yaml.safe_load((MONITORING / "alerts-test.yml").read_text())["tests"]
    cases = [case for test in tests for case in test["alert_rule_test"]]
    for expected in (True, False):
        names = {case["alertname"] for case in cases if bool(case["exp_alerts"]) == expected}
        assert names == {rule["alert"] for rule in rules}, expected


def test_promtool_accepts_the_dashboards_expressions(panels, tmp_path):
    """Converts them to recording rules, with Grafana's variables filled in."""
    expressions = [target["expr"].replace("$__rate_interval", "1m")
                   for panel in panels for target in panel["targets"]]
    rules = [{"record": f"x:{number}", "expr": expression}
             for number, expression in enumerate(expressions)]
    file = tmp_path / "rules.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": rules}]}))
    checked = subprocess.run([PROMTOOL, "check", "rules", file], capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout + checked.stderr
