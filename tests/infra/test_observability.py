"""Alerts, diagnostics, budget and workbook: every fault that telemetry shows reaches the operators."""

import json
from typing import Any

from tests.conftest import ROOT
from tests.infra.bicep import Call, Choice, Expression
from tests.infra.templates import Break, Infra, found, holds_until

ALERTS, WORKBOOK = "modules/alerts.bicep", "modules/workbook.bicep"
DIAGNOSTICS, BUDGET = "modules/diagnostics.bicep", "modules/budget.bicep"

METRICS = {
    "profile.id": {"Percentage5XX"},
    "openAi.id": {"AzureOpenAIRequests"},
    "speech.id": {"BlockedCalls"},
    "cosmos.id": {"TotalRequests"},
    "topic.id": {"DroppedEventCount"},
}
"""Metrics of each service that alerts use (https://learn.microsoft.com/azure/azure-monitor/reference/metrics-index)."""

PROMISED = {"failedPercent": 1, "slowTurnMs": 5000, "sttMs": 1000, "assistantMs": 3000, "ttsMs": 1000}
"""Promised levels: more than 99 % of sessions succeed, a turn takes less than 5 seconds, its stages less than these."""


def query_alerts(infra: Infra) -> list[dict[str, Any]]:
    alerts = infra.template(ALERTS).variables["queryAlerts"]
    assert isinstance(alerts, list)
    return alerts


def metric_alerts(infra: Infra) -> list[dict[str, Any]]:
    alerts = infra.template(ALERTS).variables["metricAlerts"]
    assert isinstance(alerts, list)
    return alerts


@holds_until(
    Break(ALERTS, "metric: 'BlockedCalls'", "metric: 'Blocked'"), Break(ALERTS, "scope: topic.id", "scope: cosmos.id")
)
def test_alerts_name_existing_metrics(infra: Infra) -> None:
    """Each alert on a service uses a metric that the service has."""
    for alert in metric_alerts(infra):
        assert alert["metric"] in METRICS[alert["scope"].source]


@holds_until(
    Break(ALERTS, "    scope: speech.id\n", "    scope: openAi.id\n"),
    Break(ALERTS, "values: ['429']", "values: ['404']"),
)
def test_throttling_by_each_provider_raises_an_alert(infra: Infra) -> None:
    """Speech, Azure OpenAI and Cosmos DB each have an alert for throttling."""
    throttled = [
        each for each in metric_alerts(infra) if each["threshold"] == Expression("thresholds.throttledRequests")
    ]
    assert {each["scope"].source for each in throttled} == {"speech.id", "openAi.id", "cosmos.id"}
    assert all(each["values"] == ["429"] for alert in throttled for each in alert["dimensions"])


@holds_until(
    Break(ALERTS, "actionGroups: [operators.id]", "actionGroups: []"),
    Break(ALERTS, "actionGroupId: operators.id", "actionGroupId: profile.id"),
    Break(ALERTS, "emailAddress: email", "emailAddress: 'nobody@example.com'"),
    Break(ALERTS, "enabled: true", "enabled: false"),
)
def test_every_alert_reaches_the_operators(infra: Infra) -> None:
    """Both kinds of alert go to the action group, which mails the address of the parameter file."""
    on_telemetry = infra.only("Microsoft.Insights/scheduledQueryRules").properties
    on_metrics = infra.only("Microsoft.Insights/metricAlerts").properties
    group = infra.only("Microsoft.Insights/actionGroups").properties
    assert on_telemetry["actions"] == {"actionGroups": [Expression("operators.id")]}
    assert on_metrics["actions"] == [{"actionGroupId": Expression("operators.id")}]
    assert [each["emailAddress"] for each in group["emailReceivers"]] == [Expression("email")]
    assert all(each["enabled"] is True for each in (on_telemetry, on_metrics, group))


@holds_until(
    Break("main.prod.bicepparam", "failedPercent: 1", "failedPercent: 5"),
    Break("main.prod.bicepparam", "  assistantMs: 3000", "  assistantMs: 4000"),
)
def test_production_alerts_have_the_promised_thresholds(infra: Infra) -> None:
    """In prod an alert is raised as soon as success rate or latency is worse than promised."""
    given = infra.environments["prod"]["alertThresholds"]
    assert {name: given[name] for name in PROMISED} == PROMISED


@holds_until(
    Break(DIAGNOSTICS, "category: 'ControlPlaneRequests'", "category: 'DataPlaneRequests'"),
    Break(DIAGNOSTICS, "category: 'Audit'", "category: 'RequestResponse'"),
    Break(DIAGNOSTICS, "category: 'DeliveryFailures'", "category: 'StorageWrite'"),
    Break(DIAGNOSTICS, "category: 'DeliveryFailures'", "categoryGroup: 'allLogs'"),
)
def test_services_log_no_personal_data(infra: Infra) -> None:
    """Logs that contain requests, responses, or user ids as partition keys or in blob names, stay off."""
    personal = {"DataPlaneRequests", "PartitionKeyStatistics", "PartitionKeyRUConsumption", "RequestResponse", "Trace"}
    personal |= {"StorageRead", "StorageWrite", "StorageDelete"}
    for setting in infra.resources("Microsoft.Insights/diagnosticSettings"):
        assert not personal & {log.get("category") for log in setting.properties["logs"]}
        assert not any("categoryGroup" in log for log in setting.properties["logs"])


@holds_until(
    Break(DIAGNOSTICS, "workspaceId: workspaceId", "workspaceId: ''"),
    Break(DIAGNOSTICS, "  scope: cosmos\n", "  scope: speech\n"),
)
def test_every_service_logs_into_the_workspace(infra: Infra) -> None:
    """Each service whose logs contain no personal data sends them to the one workspace."""
    settings = infra.resources("Microsoft.Insights/diagnosticSettings")
    scopes = {each.content["scope"].source for each in settings}
    assert scopes == {"profile", "cosmos", "speech", "openAi", "topic", "vault"}
    assert all(each.properties["workspaceId"] == Expression("workspaceId") for each in settings)


def test_no_request_is_sampled_away() -> None:
    """The host never samples the requests and exceptions that alerts and runbooks need."""
    sampling = json.loads((ROOT / "host.json").read_text())["logging"]["applicationInsights"]["samplingSettings"]
    assert sampling == {"isEnabled": True, "excludedTypes": "Request;Exception"}


@holds_until(
    Break(BUDGET, "startDate: start", "startDate: utcNow('yyyy-MM-01')"),
    Break("main.prod.bicepparam", "readEnvironmentVariable('BUDGET_START')", "'2026-01-01'"),
)
def test_a_budget_keeps_its_first_month(infra: Infra) -> None:
    """The start date is fixed, because a changed one makes every deployment in a later month fail."""
    assert infra.only("Microsoft.Consumption/budgets").properties["timePeriod"] == {"startDate": Expression("start")}
    for environment in infra.environments.values():
        assert environment["budget"]["start"] == Call("readEnvironmentVariable", ["BUDGET_START"])


@holds_until(
    Break(BUDGET, "contactEmails: [alertEmail]", "contactEmails: []"),
    Break(BUDGET, "threshold: 80", "threshold: 120"),
    Break(BUDGET, "thresholdType: 'Forecasted'", "thresholdType: 'Actual'"),
)
def test_the_budget_warns_before_the_money_is_spent(infra: Infra) -> None:
    """There is a warning when most of the budget is spent, and one when the forecast exceeds it."""
    notes = infra.only("Microsoft.Consumption/budgets").properties["notifications"].values()
    assert {note["thresholdType"] for note in notes} == {"Actual", "Forecasted"}
    assert all(note["threshold"] <= 100 and note["contactEmails"] == [Expression("alertEmail")] for note in notes)


@holds_until(Break("modules/events.bicep", "source: storageId", "source: resourceGroup().id"))
def test_clip_events_are_those_of_our_storage(infra: Infra) -> None:
    """The topic is on the account that the clips are uploaded to."""
    topic = infra.only("Microsoft.EventGrid/systemTopics").properties
    _, given = infra.template("main.bicep").modules["events"]
    assert topic == {"source": Expression("storageId"), "topicType": "Microsoft.Storage.StorageAccounts"}
    assert given["storageId"] == Expression("storage.outputs.id")


@holds_until(Break(WORKBOOK, "crossComponentResources: [workspaceId]", "crossComponentResources: []"))
def test_the_workbook_reads_the_workspace(infra: Infra) -> None:
    """Every chart queries the workspace that all telemetry is written to."""
    panel = infra.template(WORKBOOK).variables["panels"].body["content"]
    assert panel["crossComponentResources"] == [Expression("workspaceId")]
    assert panel["query"] == Expression("chart.query")
    assert "serializedData" in infra.only("Microsoft.Insights/workbooks").properties
    assert [each for each in found(infra.template(WORKBOOK).variables["charts"]) if isinstance(each, Call)]


@holds_until(
    Break(WORKBOOK, "concat([range], panels)", "panels"),
    Break(WORKBOOK, "telemetryDays * day : 0", "day : 0"),
    Break(WORKBOOK, "? null : range", "? 'TimeRange' : range"),
    Break(WORKBOOK, "repeat-use.kql')\n    ofPeople: true", "repeat-use.kql')"),
    Break("main.bicep", "telemetryDays: retention.telemetryDays", "telemetryDays: 1"),
)
def test_people_are_counted_over_all_stored_events(infra: Infra) -> None:
    """Charts of first and returning users query all stored events; the others query the chosen range."""
    book = infra.template(WORKBOOK).variables
    panel, of_people = book["panels"].body["content"], "contains(chart, 'ofPeople')"
    assert panel["timeContext"]["durationMs"] == Choice(of_people, Expression("telemetryDays * day"), 0)
    chosen = Expression("range.content.parameters[0].name")
    assert panel["timeContextFromParameter"] == Choice(of_people, None, chosen)
    assert book["range"]["content"]["parameters"][0]["name"] == "TimeRange"
    assert [chart["query"].arguments[0] for chart in book["charts"] if "ofPeople" in chart] == [
        f"../queries/{query}.kql" for query in ("adoption", "first-use", "repeat-use")
    ]
    (written,) = infra.only("Microsoft.Insights/workbooks").properties["serializedData"].arguments
    assert written["items"] == Call("concat", [[Expression("range")], Expression("panels")])
    _, given = infra.template("main.bicep").modules["workbook"]
    assert given["telemetryDays"] == Expression("retention.telemetryDays")


@holds_until(
    Break(ALERTS, "name: 'poison-clips'", "name: 'bad-clips'"), Break(ALERTS, "name: 'clips-lost'", "name: 'lost'")
)
def test_every_alert_has_a_runbook(infra: Infra) -> None:
    """docs/operations.md has a row for each alert."""
    page = (ROOT / "docs" / "operations.md").read_text()
    for alert in [*query_alerts(infra), *metric_alerts(infra)]:
        assert f"| `{alert['name']}` |" in page
