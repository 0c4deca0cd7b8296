"""The queries of infra/queries use tables and columns of Azure, and names that the code emits."""

import ast
import re
from functools import cache

import duckdb
import duckdb_kql

from tests.conftest import ROOT
from tests.infra.app import functions
from tests.infra.bicep import Call
from tests.infra.templates import Break, Infra, holds_until
from tests.infra.test_observability import ALERTS, WORKBOOK, query_alerts
from tests.telemetry.workspace import TABLES, Workspace
from voice_core.adapters.open_telemetry import events, metrics
from voice_core.telemetry import turns
from voice_core.usecases.turn.record import STAGES

EMITTED = {
    "AppEvents": {events.VOICE_PROCESSING, *(name for name, _ in events.EVENTS.values())},
    "AppMetrics": {*metrics.MEASURED, *metrics.COUNTED, metrics.ACTIVE},
    "AppDependencies": {turns.TURN, turns.UTTERANCE, *STAGES},
    "AppRequests": {function.name for function in functions()},
}
"""Names that the code writes into each table."""


def queries(infra: Infra) -> dict[str, str]:
    return {file: text for file, text in infra.texts.items() if file.endswith(".kql")}


def loaded(load: Call) -> str:
    """The file that a call of loadTextContent loads."""
    assert load.function == "loadTextContent"
    return str(load.arguments[0]).removeprefix("../")


def table(text: str) -> str:
    """The table that a query reads."""
    return next(line for line in text.splitlines() if not line.startswith("//"))


@cache
def complaint(text: str) -> str:
    """The error of the KQL grammar, or of an empty workspace, for a query; empty for a valid one."""
    with Workspace() as workspace:
        try:
            workspace.ask(text)
        except (duckdb_kql.KqlError, duckdb.Error) as error:
            return str(error)
    return miswritten(text)


def miswritten(text: str) -> str:
    """The error for a column name in the wrong case: Azure is case-sensitive, the engine of the tests is not."""
    columns = {column.casefold(): column for column in TABLES[table(text)]}
    for word in re.findall(r"(?<!\.)\b[A-Za-z_]\w*\b(?!\()", re.sub(r'"[^"]*"|^//.*$', "", text, flags=re.MULTILINE)):
        if columns.get(word.casefold(), word) != word:
            return f"{word} is no column."
    return ""


@cache
def counted_events() -> set[str]:
    """Events that the code emits with `telemetry.event` and that are counted by name, without a metric of their own."""
    calls = [
        node
        for file in (ROOT / "voice_core").rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "telemetry.event"
    ]
    named = {call.args[0].value for call in calls if isinstance(call.args[0], ast.Constant)}
    return {str(name) for name in named} - set(metrics.EVENTS)


@cache
def words(module: str) -> set[str]:
    """The string constants of an adapter's module."""
    tree = ast.parse((ROOT / "voice_core" / "adapters" / module).read_text())
    return {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}


@holds_until(
    Break("queries/failed-requests.kql", "AppRequests", "requests"),
    Break("queries/latency-by-function.kql", "DurationMs", "Duration"),
    Break("queries/poison-clips.kql", "where Name", "where name"),
    Break("queries/slow-stt.kql", "percentile(", "percentil("),
    Break("queries/tokens.kql", "by what", "by kind"),
)
def test_queries_run(infra: Infra) -> None:
    """Each query is valid KQL, and reads columns that its table has in Azure."""
    for file, text in queries(infra).items():
        assert not complaint(text), (file, complaint(text))


@holds_until(
    Break("queries/latency-by-function.kql", "AppRequests", 'AppRequests\n| where Name == "process"'),
    Break("queries/poison-clips.kql", "give_up_clip", "give_up"),
    Break("queries/slow-turns.kql", "VoiceProcessing", "VoiceProcessed"),
    Break("queries/session-completion.kql", "SessionCompleted", "SessionEnded"),
    Break("queries/tokens.kql", "gen_ai.client.token.usage", "gen_ai.tokens"),
    Break("queries/provider-calls.kql", '"utterance"', '"listening"'),
)
def test_queries_name_what_the_code_emits(infra: Infra) -> None:
    """Events, metrics, spans and functions that queries name exist in the code."""
    for file, text in queries(infra).items():
        named = set(re.findall(r'\bName == "([^"]+)"', text))
        for listed in re.findall(r"\bName !?in \(([^)]+)\)", text):
            named |= set(re.findall(r'"([^"]+)"', listed))
        assert named <= EMITTED.get(table(text), set()), file


@holds_until(Break("queries/uncounted.kql", '"limits-down"', '"limit-down"'))
def test_queries_name_events_that_are_counted(infra: Infra) -> None:
    """Queries on the metric for events without a metric of their own name events that the code emits."""
    found = [re.findall(r'voice\.event"\] == "([^"]+)"', text) for text in queries(infra).values()]
    named = {name for names in found for name in names}
    assert named
    assert named <= counted_events()


@holds_until(
    Break("queries/slow-stt.kql", "Properties.SttMs", "Properties.SpeechMs"),
    Break("queries/how-turns-end.kql", "Properties.ErrorCode", "Properties.Code"),
    Break("queries/limits-hit.kql", 'voice.limit"]', 'voice.kind"]'),
)
def test_queries_read_properties_that_the_code_sets(infra: Infra) -> None:
    """Properties that queries read are set in the module that writes their events or metrics."""
    written = {"AppEvents": words("open_telemetry/events.py"), "AppMetrics": words("open_telemetry/metrics.py")}
    for file, text in queries(infra).items():
        read = set(re.findall(r'Properties(?:\.(\w+)|\["([^"]+)"\])', text))
        assert {one or other for one, other in read} <= written.get(table(text), set()), file


@holds_until(
    Break("queries/requests-by-answer.kql", "sum(ItemCount)", "count()"),
    Break("queries/failed-requests.kql", "sumif(ItemCount, ", "countif("),
    Break("queries/provider-calls.kql", "sum(ItemCount)", "count()"),
)
def test_queries_count_sampled_rows_by_weight(infra: Infra) -> None:
    """Queries on sampled tables add up ItemCount instead of counting rows."""
    for file, text in queries(infra).items():
        if table(text) in {"AppRequests", "AppDependencies"}:
            assert not re.search(r"\bcount(if)?\(", text), file


@holds_until(
    Break(ALERTS, "column: 'p95Ms'", "column: 'p99Ms'"),
    Break("queries/failed-requests.kql", "project failedPercent", "project failedShare"),
)
def test_alerts_compare_a_column_of_their_query(infra: Infra) -> None:
    """The column that an alert compares is in the last line of its query."""
    for alert in query_alerts(infra):
        assert alert["column"] in infra.texts[loaded(alert["query"])].splitlines()[-1]


@holds_until(
    Break(ALERTS, "queries/slow-tts.kql", "queries/slow-stt.kql"),
    Break(ALERTS, "threshold: thresholds.ttsMs", "threshold: thresholds.sttMs"),
)
def test_alerts_compare_with_their_own_thresholds(infra: Infra) -> None:
    """An alert on a stage uses the query and the threshold of that stage."""
    stages = {f"slow-{stage}": f"thresholds.{stage}Ms" for stage in STAGES}
    for alert in query_alerts(infra):
        if alert["name"] in stages:
            assert loaded(alert["query"]) == f"queries/{alert['name']}.kql"
            assert alert["threshold"].source == stages[alert["name"]]


@holds_until(Break(WORKBOOK, "queries/clip-events.kql", "queries/latency-by-function.kql"))
def test_every_query_is_used_once(infra: Infra) -> None:
    """Each file in queries/ is used by one alert or one chart of the workbook."""
    charts = infra.template(WORKBOOK).variables["charts"]
    assert sorted(loaded(each["query"]) for each in [*query_alerts(infra), *charts]) == sorted(queries(infra))


@holds_until(
    Break(ALERTS, "name: 'failed-turns'", "name: 'failing'"),
    Break(ALERTS, "name: 'slow-first-audio'", "name: 'first-audio'"),
    Break(ALERTS, "name: 'held-back'", "name: 'back'"),
    Break(ALERTS, "name: 'poison-clips'", "name: 'bad-clips'"),
)
def test_promised_service_levels_have_alerts(infra: Infra) -> None:
    """Success, latency from end to end and by stage, throttling and poison clips each have an alert."""
    wanted = {"failed-turns", "slow-turns", "slow-first-audio", "held-back", "poison-clips"}
    assert {alert["name"] for alert in query_alerts(infra)} >= wanted | {f"slow-{stage}" for stage in STAGES}
