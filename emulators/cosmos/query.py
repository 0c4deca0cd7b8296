"""The supported part of Cosmos SQL, parsed into functions of a document; everything else is refused.

SELECT [TOP n] * | VALUE COUNT(1) | VALUE path | path [AS name], …  FROM c
[WHERE condition] [ORDER BY path [ASC | DESC], …] [OFFSET n LIMIT n]

Conditions: = != <> < <= > >= AND OR NOT IN BETWEEN, the functions of ``functions.py``, literals and @parameters.
"""

from dataclasses import dataclass
from typing import Any

from emulators.cosmos.conditions import Conditions, Document, Expression, Path
from emulators.cosmos.refusals import Refusal
from emulators.cosmos.tokens import Tokens
from emulators.cosmos.values import UNDEFINED


@dataclass(frozen=True, slots=True)
class Query:
    """A query, parsed."""

    project: Expression
    where: Expression
    order: tuple[tuple[Path, bool], ...] = ()
    """Paths, with True for descending."""
    count: bool = False
    offset: int = 0
    limit: int | None = None
    """The number in TOP or LIMIT."""


def parse_query(text: Any, parameters: Any = ()) -> Query:
    """Parse a query with its ``[{"name": "@x", "value": …}]``.

    Raises:
        Refusal: 400, *text* is not a query, or not a supported one.
    """
    if not isinstance(text, str):
        raise Refusal(400, "Syntax error: the query is not a string.")
    try:
        values = {parameter["name"]: parameter["value"] for parameter in parameters or ()}
    except (TypeError, KeyError):
        raise Refusal(400, "Query parameters are a list of names and values.") from None
    try:
        return _Parser(text, values).query()
    except RecursionError:
        raise Refusal(400, "Syntax error: nested too deeply.") from None


def parse_condition(text: Any) -> Expression:
    """Parse the condition of a patch, ``from c where …``; it has no parameters."""
    if not isinstance(text, str) or not text.lstrip().lower().startswith("from"):
        raise Refusal(400, "The condition of a patch reads: from c where …")
    return parse_query(f"SELECT * {text}").where


class _Parser:
    """Recursive descent parser, with one method for each rule of the grammar."""

    def __init__(self, text: str, parameters: dict[str, Any]) -> None:
        self._tokens = Tokens(text)
        self._conditions = Conditions(self._tokens, parameters)

    def query(self) -> Query:
        tokens = self._tokens
        tokens.expect("SELECT")
        top = self._number() if tokens.take("TOP") else None
        count, project = self._projection()
        tokens.expect("FROM")
        tokens.skip_source()
        where = self._conditions.condition() if tokens.take("WHERE") else _always
        order = self._order() if tokens.take("ORDER") else ()
        offset, limit = self._window(top)
        tokens.end()
        if count and (order or offset or limit is not None):
            raise Refusal(400, "This emulator counts without TOP, ORDER BY, OFFSET and LIMIT only.")
        return Query(project, where, order, count, offset, limit)

    def _window(self, top: int | None) -> tuple[int, int | None]:
        if not self._tokens.take("OFFSET"):
            return 0, top
        if top is not None:
            raise Refusal(400, "TOP and OFFSET do not go together.")
        offset = self._number()
        self._tokens.expect("LIMIT")
        return offset, self._number()

    def _number(self) -> int:
        value = self._conditions.operand()({})
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise Refusal(400, "TOP, OFFSET and LIMIT take a whole number, not negative.")
        return value

    def _projection(self) -> tuple[bool, Expression]:
        if self._tokens.take("*"):
            return False, Path(())
        if not self._tokens.take("VALUE"):
            return False, _record(self._tokens.listed(self._member))
        if self._tokens.take("COUNT"):
            for expected in ("(", "1", ")"):
                self._tokens.expect(expected)
            return True, Path(())
        return False, self._conditions.path()

    def _member(self) -> tuple[str, Expression]:
        path = self._conditions.path()
        if self._tokens.take("AS"):
            return self._tokens.name(), path
        if not path.parts or isinstance(path.parts[-1], int):
            return self._conditions.alias, path
        return path.parts[-1], path

    def _order(self) -> tuple[tuple[Path, bool], ...]:
        self._tokens.expect("BY")
        return tuple(self._tokens.listed(self._sort))

    def _sort(self) -> tuple[Path, bool]:
        path = self._conditions.path()
        if not path.parts:
            raise Refusal(400, "ORDER BY takes properties of the document.")
        if self._tokens.take("DESC"):
            return path, True
        self._tokens.take("ASC")
        return path, False


def _always(document: Document) -> bool:
    return True


def _record(members: list[tuple[str, Expression]]) -> Expression:
    def project(document: Document) -> Any:
        values = ((name, expression(document)) for name, expression in members)
        return {name: value for name, value in values if value is not UNDEFINED}

    return project
