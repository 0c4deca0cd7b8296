"""A Log Analytics workspace on this machine: tables as in Azure, and queries in KQL."""

import json
from collections.abc import Iterable, Mapping
from typing import Any, Self

import duckdb_kql

Row = Mapping[str, Any]

OURS = {
    **dict.fromkeys(("Name", "OperationId", "ParentId", "UserId", "SessionId", "AppRoleName"), "VARCHAR"),
    "TimeGenerated": "TIMESTAMP",
    "Properties": "JSON",
    "ItemCount": "BIGINT",
}
CALLS = {
    **dict.fromkeys(("Id", "ResultCode"), "VARCHAR"),
    "Success": "BOOLEAN",
    "DurationMs": "DOUBLE",
}
TABLES: Mapping[str, Mapping[str, str]] = {
    "AppEvents": OURS,
    "AppMetrics": OURS | dict.fromkeys(("Sum", "Min", "Max"), "DOUBLE"),
    "AppDependencies": OURS | CALLS | dict.fromkeys(("DependencyType", "Target", "Data"), "VARCHAR"),
    "AppExceptions": OURS | {"Details": "JSON"} | dict.fromkeys(("ExceptionType", "OuterMessage"), "VARCHAR"),
    "AppRequests": OURS | CALLS | {"Url": "VARCHAR", "Source": "VARCHAR"},
    "AzureDiagnostics": {
        "TimeGenerated": "TIMESTAMP",
        **dict.fromkeys(("Category", "ruleName_s", "action_s"), "VARCHAR"),
    },
    "AegDeliveryFailureLogs": {
        "TimeGenerated": "TIMESTAMP",
        **dict.fromkeys(
            ("Category", "EventSubscriptionName", "Message", "OperationName", "SubResourceName"), "VARCHAR"
        ),
    },
}
"""A selection of the columns in https://learn.microsoft.com/azure/azure-monitor/reference/tables-index."""


class Workspace:
    """Tables, empty until something is added."""

    def __init__(self) -> None:
        self._engine = duckdb_kql.connect()
        for table, columns in TABLES.items():
            typed = ", ".join(f'"{name}" {kind}' for name, kind in columns.items())
            self._engine.execute(f"CREATE TABLE {table} ({typed})")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._engine.close()

    def add(self, table: str, rows: Iterable[Row]) -> None:
        """Add *rows*; missing columns are null."""
        names = list(TABLES[table])
        places = ", ".join("?" for _ in names)
        for row in rows:
            values = {**row, "Properties": json.dumps(row.get("Properties", {}))}
            self._engine.execute(f"INSERT INTO {table} VALUES ({places})", [values.get(name) for name in names])  # noqa: S608

    def ask(self, query: str) -> list[dict[str, Any]]:
        """The rows that *query* returns.

        Raises:
            KqlError: the query is malformed, or uses unknown tables or columns.
        """
        result = duckdb_kql.query(self._engine, query)
        return [dict(zip(result.columns, row, strict=True)) for row in result.fetchall()]
