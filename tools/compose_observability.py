"""The profile `observability`: Prometheus sees both sides, understands the dashboards, and raises an alert."""

import json
import os
import re

import httpx
from compose_basics import PICTURE
from compose_project import ADDRESS, ROOT, compose, containers, is_healthy, replicas, run, wait_for
from compose_report import Part, Probe

from service.client import Recognizer

PROMETHEUS = f"http://127.0.0.1:{os.environ.get('NUMERAL_PROMETHEUS_PORT', '9091')}/api/v1"
GRAFANA = f"http://127.0.0.1:{os.environ.get('NUMERAL_GRAFANA_PORT', '3000')}"
DASHBOARDS = ROOT / "deploy/grafana/dashboards"


def watch_both_sides(probe: Probe) -> None:
    """Prometheus scrapes the service and the scheduler, and both dashboards have data."""
    with Recognizer(ADDRESS) as client:
        for _ in range(20):
            client.recognize(ROOT / PICTURE)
    wait_for(lambda: _value('sum(up{job=~"numeral.*"})') == "2", "both sides are scraped")
    probe.check(good=True, sentence="Prometheus scrapes the service and the scheduler")
    wait_for(lambda: float(_value("sum(numeral_requests_total)") or 0) >= 20, "the calls are counted")
    probe.check(good=True, sentence="the calls that were made are counted")
    for file in sorted(DASHBOARDS.glob("*.json")):
        panels = json.loads(file.read_text("utf-8"))["panels"]
        queries = [target["expr"].replace("$__rate_interval", "1m") for panel in panels for target in panel["targets"]]
        answers = {query: _get("query", query=query) for query in queries}
        refused = [query for query, answer in answers.items() if answer["status"] != "success"]
        probe.check(not refused, f"Prometheus understands all {len(queries)} queries of {file.name}", refused)
        first = queries[0]
        wait_for(lambda first=first: _get("query", query=first)["data"]["result"], f"{first} has data")
        probe.check(good=True, sentence=f"the first panel of {file.name} has data")
    groups = _get("rules")["data"]["groups"]
    rules = [rule for group in groups for rule in group["rules"]]
    ill = [rule["name"] for rule in rules if rule["health"] == "err"]
    probe.check(bool(rules) and not ill, f"{len(rules)} alerts are evaluated", ill)


def see_the_service_stop(probe: Probe) -> None:
    """The alert fires after a minute, and ends once the service is back."""
    compose("stop", "service")
    wait_for(lambda: _state("NumeralAway") == "firing", "the alert NumeralAway fires")
    probe.check(good=True, sentence="when the service is stopped, the alert NumeralAway fires")
    compose("start", "service")
    wait_for(lambda: is_healthy("service") and _state("NumeralAway") == "inactive", "the alert NumeralAway ends")
    probe.check(good=True, sentence="and ends when it is started again")


def miss_a_replica(probe: Probe) -> None:
    """With scale: each replica is asked, and one that is gone is missed, though it has no address any more."""
    wait_for(lambda: _value('sum(up{job="numeral"})') == "2", "both replicas are scraped")
    probe.check(good=True, sentence="Prometheus scrapes both replicas")
    [one, *_] = sorted(state["Name"] for state in replicas("service"))
    run("docker", "stop", one)
    wait_for(lambda: _state("NumeralReplicaMissing") == "firing", "the alert NumeralReplicaMissing fires")
    probe.check(good=True, sentence="when one is stopped, the alert NumeralReplicaMissing fires")
    run("docker", "start", one)
    wait_for(lambda: _state("NumeralReplicaMissing") == "inactive", "the alert NumeralReplicaMissing ends")
    probe.check(good=True, sentence="and ends when it is started again")


def show_dashboards(probe: Probe) -> None:
    """Grafana shows both without a login, and lets nobody change them."""
    if "grafana" not in containers():
        print("  (Grafana is not tried: its image comes from a registry)")
        return
    found = wait_for(lambda: _dashboards(), "Grafana has read its dashboards")
    probe.check(found == {"numeral", "numeral-retraining"}, "Grafana shows both dashboards without a login", found)
    status = httpx.post(f"{GRAFANA}/api/dashboards/db", json={"dashboard": {"title": "mine"}}).status_code
    probe.check(status in {401, 403}, "nobody can add one", status)


def _dashboards() -> set[str]:
    try:
        return {str(row["uid"]) for row in httpx.get(f"{GRAFANA}/api/search").json()}
    except (httpx.HTTPError, ValueError):
        return set()


def _state(alert: str) -> str:
    rules = [rule for group in _get("rules")["data"]["groups"] for rule in group["rules"]]
    return str(next(rule["state"] for rule in rules if rule["name"] == alert))


def _value(query: str) -> str:
    result = _get("query", query=query)["data"]["result"]
    return re.sub(r"\.0+$", "", result[0]["value"][1]) if result else ""


def _get(path: str, **parameters: str) -> dict[str, dict[str, list[dict[str, list[dict[str, str]]]]]]:
    answer: dict[str, dict[str, list[dict[str, list[dict[str, str]]]]]] = httpx.get(
        f"{PROMETHEUS}/{path}", params=parameters, timeout=30
    ).json()
    return answer


PARTS: list[Part] = [
    ("Prometheus watches both sides", watch_both_sides),
    ("The service is stopped, and an alert fires", see_the_service_stop),
    ("Grafana shows the dashboards", show_dashboards),
]

WITH_SCALE: list[Part] = [("A replica is stopped, and an alert fires", miss_a_replica)]
