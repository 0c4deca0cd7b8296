"""Conditions of queries and patches, parsed into functions of a document."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from emulators.cosmos.functions import FUNCTIONS
from emulators.cosmos.refusals import Refusal
from emulators.cosmos.tokens import Token, Tokens
from emulators.cosmos.values import COMPARISONS, UNDEFINED, both, compare, either, negated

Document = dict[str, Any]
Expression = Callable[[Document], Any]
"""Returns the value for one document, or UNDEFINED if it has none."""


@dataclass(frozen=True, slots=True)
class Path:
    """A path to a property; without parts, the document itself."""

    parts: tuple[str | int, ...]

    def __call__(self, document: Document) -> Any:
        node: Any = document
        for part in self.parts:
            here = part in node if isinstance(node, dict) else isinstance(node, list) and _within(node, part)
            if not here:
                return UNDEFINED
            node = node[part]
        return node

    def __str__(self) -> str:
        return "/" + "/".join(map(str, self.parts))


class Conditions:
    """Recursive descent parser over *tokens*, with one method for each rule of the grammar.

    Args:
        parameters: values by name, such as ``@name``.
    """

    def __init__(self, tokens: Tokens, parameters: dict[str, Any]) -> None:
        self._tokens = tokens
        self._parameters = parameters
        self.alias = tokens.alias()
        """The name of the document in the query, such as ``c``."""

    def condition(self) -> Expression:
        left = self._both()
        while self._tokens.take("OR"):
            left = _joined(either, left, self._both())
        return left

    def _both(self) -> Expression:
        left = self._not()
        while self._tokens.take("AND"):
            left = _joined(both, left, self._not())
        return left

    def _not(self) -> Expression:
        if self._tokens.take("NOT"):
            inner = self._not()
            return lambda document: negated(inner(document))
        return self._comparison()

    def _comparison(self) -> Expression:
        left = self.operand()
        operator = self._tokens.take_any(COMPARISONS)
        if operator:
            return _compared(operator, left, self.operand())
        return self._membership(left)

    def _membership(self, left: Expression) -> Expression:
        inverted = self._tokens.take("NOT")
        if self._tokens.take("IN"):
            found = self._in(left)
        elif self._tokens.take("BETWEEN"):
            found = self._between(left)
        elif inverted:
            raise self._tokens.error()
        else:
            return left
        return (lambda document: negated(found(document))) if inverted else found

    def _in(self, left: Expression) -> Expression:
        self._tokens.expect("(")
        choices = self._tokens.listed(self.operand)
        self._tokens.expect(")")
        result = _compared("=", left, choices[0])
        for choice in choices[1:]:
            result = _joined(either, result, _compared("=", left, choice))
        return result

    def _between(self, left: Expression) -> Expression:
        low = self.operand()
        self._tokens.expect("AND")
        return _joined(both, _compared(">=", left, low), _compared("<=", left, self.operand()))

    def operand(self) -> Expression:
        token = self._tokens.next()
        if token.kind == "name":
            return self._function(token) if self._tokens.take("(") else self.path(token)
        if token.kind == "parameter":
            return _constant(self._parameter(token))
        if token.kind == "literal":
            return _constant(token.value)
        if token.text == "(":
            inner = self.condition()
            self._tokens.expect(")")
            return inner
        raise self._tokens.error(token)

    def _parameter(self, token: Token) -> Any:
        if token.text not in self._parameters:
            raise Refusal(400, f"The query needs a value for the parameter {token.text}.")
        return self._parameters[token.text]

    def _function(self, token: Token) -> Expression:
        function = FUNCTIONS.get(token.text.upper())
        if function is None:
            raise Refusal(400, f"This emulator does not serve the function {token.text}.")
        arguments = self._tokens.listed(self.operand)
        self._tokens.expect(")")
        if len(arguments) not in function.arguments:
            raise Refusal(400, f"{token.text} does not take {len(arguments)} arguments.")
        return lambda document: function.call(*(argument(document) for argument in arguments))

    def path(self, token: Token | None = None) -> Path:
        root = token or self._tokens.next()
        if root.kind != "name" or root.text != self.alias:
            raise Refusal(400, f"Identifier '{root.text}' could not be resolved.")
        return Path(tuple(self._tokens.steps()))


def _constant(value: Any) -> Expression:
    return lambda document: value


def _compared(operator: str, left: Expression, right: Expression) -> Expression:
    return lambda document: compare(operator, left(document), right(document))


def _joined(join: Callable[[Any, Any], Any], left: Expression, right: Expression) -> Expression:
    return lambda document: join(left(document), right(document))


def _within(node: list[Any], part: str | int) -> bool:
    return isinstance(part, int) and part < len(node)
