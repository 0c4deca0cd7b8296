"""The managed rules stop no request of the contract, and inspect everything else.

Microsoft derives them from the Core Rule Set 3.3.4. Rules are described here as they behave there by default
(REQUEST-901-INITIALIZATION.conf and the file of the rule's group).
"""

from collections.abc import Callable
from typing import Any

from tests.infra.contract import FORM, JSON, Request, requests
from tests.infra.resolved_template import main_scope
from tests.infra.templates import Break, Infra, holds_until

WAF = "modules/waf.bicep"

METHODS = {"GET", "HEAD", "POST", "OPTIONS"}
TYPES = {JSON, FORM, "application/x-www-form-urlencoded", "multipart/related", "text/xml", "application/xml"}
INSPECTED_BYTES = 131_072
"""The part of a body that Front Door's firewall reads
(https://learn.microsoft.com/azure/web-application-firewall/afds/waf-front-door-policy-settings)."""

GROUPS = {
    "911": "METHOD-ENFORCEMENT",
    "920": "PROTOCOL-ENFORCEMENT",
    "921": "PROTOCOL-ATTACK",
    "200": "General",
}
"""Rule groups by the first three digits of a rule's id."""


def is_raw(request: Request) -> bool:
    """Whether the body is a recording or an SDP document, without JSON or a form around it."""
    return request.content_type not in ("", JSON, FORM)


def is_long(request: Request) -> bool:
    """Whether the firewall parses the body, and the body may be longer than the part that it reads."""
    return "audioData" in request.members


STOPS: dict[str, Callable[[Request], bool]] = {
    "911100": lambda request: request.method not in METHODS,
    "920420": lambda request: is_raw(request) and request.content_type not in TYPES,
    # A range includes types with parameters, such as audio/webm;codecs=opus.
    "920470": lambda request: request.content_type.endswith("/*"),
    # docs/api.md: a recording may have any content type, or none.
    "920340": lambda request: request.content_type.endswith("/*"),
    "920341": lambda request: request.content_type.endswith("/*"),
    # Matches a line of the body that ends in an HTTP method and a word.
    "921110": lambda request: request.content_type == FORM and "text" in request.members,
    "200002": is_long,
    "200003": lambda request: is_long(request) and request.content_type == FORM,
}
"""The requests that each rule stops, for rules that look at neither arguments nor headers."""


def default_rules(infra: Infra) -> dict[str, Any]:
    scope = main_scope(infra).modules["firewall"]
    rules = scope.resolved(scope.template.variables["managedRuleSets"])[0]
    assert isinstance(rules, dict)
    return rules


def excluded(infra: Infra, variable: str) -> list[tuple[str, str]]:
    """Operators and selectors of the exclusions for one part of a request."""
    exclusions = [each for part in default_rules(infra)["exclusions"].arguments for each in part]
    return [
        (each["selectorMatchOperator"], each["selector"]) for each in exclusions if each["matchVariable"] == variable
    ]


def covers(exclusions: list[tuple[str, str]], name: str) -> bool:
    return any(selector in name if how == "Contains" else selector == name for how, selector in exclusions)


def spellings(name: str) -> set[str]:
    """A name in the spellings that clients commonly use: of JavaScript, of .NET, and in lower case."""
    return {name, name[0].upper() + name[1:], name.lower()}


@holds_until(
    *(
        Break(WAF, f"ruleId: '{rule}'\n        enabledState: 'Disabled'", f"ruleId: '{rule}'")
        for rule in ("911100", "920340", "920341", "920420", "920470", "921110", "200002", "200003")
    ),
    Break(WAF, "ruleGroupName: 'METHOD-ENFORCEMENT'", "ruleGroupName: 'PROTOCOL-ENFORCEMENT'"),
    Break(WAF, "ruleId: '920470'", "ruleId: '942130'"),
    Break(WAF, "    ruleGroupOverrides: ruleGroupOverrides\n", ""),
)
def test_no_rule_stops_a_kind_of_request(infra: Infra) -> None:
    """Exactly the rules on methods, content types and lengths that the contract's requests break are disabled."""
    off = {
        rule["ruleId"]: group["ruleGroupName"]
        for group in default_rules(infra).get("ruleGroupOverrides", ())
        for rule in group["rules"]
        if rule.get("enabledState") == "Disabled"
    }
    needed = {rule for rule, stops in STOPS.items() if any(stops(request) for request in requests())}
    assert off == {rule: GROUPS[rule[:3]] for rule in needed}


@holds_until(
    Break(WAF, "  'text'\n", ""),
    Break(WAF, "  'Sdp'\n", ""),
    Break(WAF, "selectorMatchOperator: 'Contains'", "selectorMatchOperator: 'Equals'"),
    Break(WAF, "concat(jsonExclusions, ", "concat([], "),
)
def test_words_in_json_are_not_inspected(infra: Infra) -> None:
    """Every freely chosen text of the contract is excluded as a member of JSON, at any depth."""
    exclusions = excluded(infra, "RequestBodyJsonArgNames")
    for request in requests():
        if request.content_type == JSON:
            assert [
                name for member in request.members for name in spellings(member) if not covers(exclusions, name)
            ] == []
    # The firewall's names for values within an object or a list.
    assert covers(exclusions, "offer.sdp")
    assert covers(exclusions, "phrases[0]")


@holds_until(
    Break(WAF, "  'Phrases'\n", ""),
    Break(WAF, "'RequestBodyPostArgNames'\n    selector", "'RequestCookieNames'\n    selector"),
    Break(WAF, "formExclusions, queryExclusions", "queryExclusions"),
)
def test_words_in_forms_are_not_inspected(infra: Infra) -> None:
    """The same texts are excluded as fields of a form."""
    exclusions = excluded(infra, "RequestBodyPostArgNames")
    for request in requests():
        if request.content_type == FORM:
            assert [
                name for field in request.members for name in spellings(field) if not covers(exclusions, name)
            ] == []


@holds_until(
    Break(WAF, "['phrases', ", "["),
    Break(WAF, "'Voice', 'format'", "'format'"),
    Break(WAF, "queryExclusions, headerExclusions", "headerExclusions"),
)
def test_words_in_urls_are_not_inspected(infra: Infra) -> None:
    """The same texts are excluded as URL parameters; path segments, which cannot be excluded, contain none."""
    exclusions = excluded(infra, "QueryStringArgNames")
    for request in requests():
        assert [name for each in request.parameters for name in spellings(each) if not covers(exclusions, name)] == []
        assert not request.segments


@holds_until(
    Break(WAF, "['Authorization', ", "["),
    Break(WAF, "'Idempotency-Key', ", ""),
    Break(WAF, "queryExclusions, headerExclusions", "queryExclusions"),
)
def test_headers_of_the_contract_are_not_inspected(infra: Infra) -> None:
    """Tokens, keys and ETags are excluded."""
    exclusions = excluded(infra, "RequestHeaderNames")
    for request in requests():
        assert [name for name in request.headers if not covers(exclusions, name)] == []


@holds_until(
    Break(WAF, "  'Notes'\n", "  'Notes'\n  'address'\n"),
    Break(WAF, "'If-Match', ", "'If-Match', 'User-Agent', "),
    Break(WAF, "'Format']", "'Format', 'redirect']"),
)
def test_everything_else_is_inspected(infra: Infra) -> None:
    """Only values of the contract are excluded, and no complete part of a request."""
    known = {
        "RequestBodyJsonArgNames": {name for one in requests() for name in one.members},
        "RequestBodyPostArgNames": {name for one in requests() for name in one.members},
        "QueryStringArgNames": {name for one in requests() for name in one.parameters},
        "RequestHeaderNames": {name for one in requests() for name in one.headers},
        "RequestCookieNames": set[str](),
    }
    for variable, names in known.items():
        folded = {name.lower() for name in names}
        assert [one for how, one in excluded(infra, variable) if how == "EqualsAny" or one.lower() not in folded] == []


def test_the_contract_is_read_completely() -> None:
    """The names and types that the other tests rely on are found in the contract: an empty list would pass them all."""
    members = {name for request in requests() for name in request.members}
    assert {"audioData", "text", "phrases", "notes", "query", "sdp"} <= members
    assert not {"conversationId", "language", "languages", "responseFormat", "speech", "type", "audio"} & members
    assert {"phrases"} <= {name for request in requests() for name in request.parameters}
    assert {"Authorization", "Idempotency-Key"} <= {name for request in requests() for name in request.headers}
    assert {"audio/*", "application/sdp", JSON, FORM, ""} <= {request.content_type for request in requests()}


@holds_until(Break("main.prod.bicepparam", "MAX_AUDIO_BYTES: '10000000'", "MAX_AUDIO_BYTES: '1000'"))
def test_recordings_are_longer_than_is_inspected(infra: Infra) -> None:
    """Ordinary recordings are longer than the part that the firewall reads, so it cannot parse their bodies."""
    for environment in infra.environments.values():
        assert int(environment["settings"]["MAX_AUDIO_BYTES"]) > INSPECTED_BYTES
