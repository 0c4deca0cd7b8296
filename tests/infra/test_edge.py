"""The one way in: Front Door, its firewall and the origin's lock."""

from typing import Any

from tests.infra.app import http_functions
from tests.infra.bicep import Choice, Expression, Loop
from tests.infra.templates import Break, Infra, holds_until
from tests.infra.test_sign_in import OPEN_PATHS
from voice_core.usecases.resilience.deadlines import WHOLE

APP, WAF, ROUTING = "modules/functionapp.bicep", "modules/waf.bicep", "modules/frontdoor-routing.bicep"
TURN = ("MAX_AUDIO", "STT", "ASSISTANT", "TTS", "CONVERSATIONS")
"""Settings in seconds that limit a turn."""

EDGE_SECONDS = 240
"""The longest that Front Door waits for an origin; also what it is set to."""


def site(infra: Infra) -> dict[str, Any]:
    config = infra.only("Microsoft.Web/sites").properties["siteConfig"]
    assert isinstance(config, dict)
    return config


def rate_limit(infra: Infra) -> dict[str, Any]:
    (rule,) = infra.only("Microsoft.Network/FrontDoorWebApplicationFirewallPolicies").properties["customRules"]["rules"]
    assert isinstance(rule, dict)
    return rule


@holds_until(
    Break(APP, "ipSecurityRestrictionsDefaultAction: 'Deny'", "ipSecurityRestrictionsDefaultAction: 'Allow'"),
    Break(APP, "ipAddress: 'AzureEventGrid'", "ipAddress: 'AzureCloud'"),
    Break(APP, "tag: 'ServiceTag'", "tag: 'Default'"),
)
def test_the_origin_takes_two_callers(infra: Infra) -> None:
    """Front Door and Event Grid reach the app; everyone else is denied."""
    rules = site(infra)["ipSecurityRestrictions"]
    assert site(infra)["ipSecurityRestrictionsDefaultAction"] == "Deny"
    assert {rule["ipAddress"] for rule in rules} == {"AzureFrontDoor.Backend", "AzureEventGrid"}
    assert all(rule["tag"] == "ServiceTag" for rule in rules)


@holds_until(
    Break(APP, "allowedOrigins: pageOrigins", "allowedOrigins: ['*']"),
    Break(APP, "supportCredentials: false", "supportCredentials: true"),
    Break("main.bicep", "authClientId: authClientId\n    pageOrigins: pageOrigins", "pageOrigins: ['*']"),
)
def test_pages_of_other_origins_are_let_in_by_name(infra: Infra) -> None:
    """The platform answers preflights for the named pages, of which there are none as it comes, without cookies."""
    assert site(infra)["cors"] == {"allowedOrigins": Expression("pageOrigins"), "supportCredentials": False}
    assert infra.template("main.bicep").modules["functionApp"][1]["pageOrigins"] == Expression("pageOrigins")
    assert all(environment["pageOrigins"] == [] for environment in infra.environments.values())


@holds_until(
    Break(APP, "            'x-azure-fdid': [frontDoorId]\n", ""),
    Break("main.bicep", "frontDoorId: frontDoor.outputs.frontDoorId", "frontDoorId: ''"),
    Break("modules/frontdoor-profile.bicep", "profile.properties.frontDoorId", "profile.name"),
)
def test_only_our_front_door_reaches_the_origin(infra: Infra) -> None:
    """The service tag holds everyone's Front Doors; the id in the header is ours alone."""
    (rule,) = (rule for rule in site(infra)["ipSecurityRestrictions"] if rule["ipAddress"] == "AzureFrontDoor.Backend")
    _, parameters = infra.template("main.bicep").modules["functionApp"]
    profile = infra.template("modules/frontdoor-profile.bicep")
    assert rule["headers"] == {"x-azure-fdid": [Expression("frontDoorId")]}
    assert parameters["frontDoorId"] == Expression("frontDoor.outputs.frontDoorId")
    assert profile.outputs["frontDoorId"] == Expression("profile.properties.frontDoorId")


@holds_until(Break(APP, "scmIpSecurityRestrictionsUseMain: false", "scmIpSecurityRestrictionsUseMain: true"))
def test_the_lock_leaves_deployments_alone(infra: Infra) -> None:
    """Publishing does not come through Front Door, and must not be denied with the rest."""
    assert site(infra)["scmIpSecurityRestrictionsUseMain"] is False
    assert site(infra)["scmIpSecurityRestrictionsDefaultAction"] == "Allow"


@holds_until(
    Break(ROUTING, "patternsToMatch: ['/api/voice/*']", "patternsToMatch: ['/*']"),
    Break(ROUTING, "supportedProtocols: ['Https']", "supportedProtocols: ['Http', 'Https']"),
    Break(ROUTING, "forwardingProtocol: 'HttpsOnly'", "forwardingProtocol: 'MatchRequest'"),
    Break(
        ROUTING,
        "linkToDefaultDomain: 'Enabled'",
        "cacheConfiguration: { queryStringCachingBehavior: 'UseQueryString' }",
    ),
)
def test_the_route_carries_voice_alone_and_keeps_nothing(infra: Infra) -> None:
    """`/api/voice/*` over HTTPS, end to end, and never from a cache."""
    route = infra.only("Microsoft.Cdn/profiles/afdEndpoints/routes").properties
    assert route["patternsToMatch"] == ["/api/voice/*"]
    assert route["supportedProtocols"] == ["Https"]
    assert route["httpsRedirect"] == "Disabled"
    assert route["forwardingProtocol"] == "HttpsOnly"
    assert "cacheConfiguration" not in route


def test_the_route_reaches_every_function() -> None:
    """No HTTP function is outside the pattern, where nobody could call it."""
    assert all(function.path.startswith("/api/voice/") for function in http_functions())


@holds_until(
    Break(ROUTING, "probePath: '/api/voice/health'", "probePath: '/'"),
    Break(ROUTING, "probeRequestType: 'GET'", "probeRequestType: 'HEAD'"),
    Break(ROUTING, "probeSeconds == 0", "probeSeconds > 0"),
    Break(ROUTING, "probeProtocol: 'Https'", "probeProtocol: 'Http'"),
)
def test_health_is_probed_the_way_the_app_answers(infra: Infra) -> None:
    """The probe asks for a path and with a method that a function has, without signing in."""
    probe = infra.only("Microsoft.Cdn/profiles/originGroups").properties["healthProbeSettings"]
    assert isinstance(probe, Choice)
    assert probe.condition == "probeSeconds == 0"
    asked = probe.otherwise
    probed = [function.trigger["methods"] for function in http_functions() if function.path == asked["probePath"]]
    assert any(asked["probeRequestType"] in methods for methods in probed)
    assert asked["probeProtocol"] == "Https"
    assert asked["probePath"] in OPEN_PATHS


@holds_until(
    Break("main.prod.bicepparam", "probeSeconds: 100", "probeSeconds: 0"),
    Break("main.dev.bicepparam", "probeSeconds: 0", "probeSeconds: 30"),
)
def test_probes_wake_no_sleeping_app(infra: Infra) -> None:
    """Every edge location probes: only where an instance is awake anyway."""
    for environment in infra.environments.values():
        assert (environment["edge"]["probeSeconds"] > 0) == (environment["scale"]["alwaysReadyHttp"] > 0)


@holds_until(
    Break(WAF, "variableName: 'SocketAddr'", "variableName: 'None'"),
    Break(WAF, "matchValue: ['/api/voice/']", "matchValue: ['/admin/']"),
    Break(WAF, "action: 'Block'", "action: 'Log'"),
    Break(WAF, "rateLimitThreshold: requestsPerFiveMinutes", "rateLimitThreshold: 1000000"),
    Break(WAF, "rateLimitDurationInMinutes: 5", "rateLimitDurationInMinutes: 1"),
    Break(WAF, "customBlockResponseStatusCode: 429", "customBlockResponseStatusCode: 403"),
)
def test_the_firewall_limits_each_address(infra: Infra) -> None:
    """Too many requests from one address in five minutes are answered 429."""
    rule = rate_limit(infra)
    policy = infra.only("Microsoft.Network/FrontDoorWebApplicationFirewallPolicies").properties["policySettings"]
    assert rule["ruleType"] == "RateLimitRule"
    assert rule["groupBy"] == [{"variableName": "SocketAddr"}]
    assert rule["matchConditions"][0]["matchValue"] == ["/api/voice/"]
    assert (rule["rateLimitThreshold"], rule["rateLimitDurationInMinutes"]) == (Expression("requestsPerFiveMinutes"), 5)
    assert rule["action"] == "Block"
    assert policy["customBlockResponseStatusCode"] == 429


@holds_until(
    Break(WAF, "'RequestBodyJsonArgNames'\n]", "]"),
    Break(WAF, "scrubbingRules: scrubbed", "scrubbingRules: []"),
    Break(WAF, "selectorMatchOperator: 'EqualsAny'", "selectorMatchOperator: 'Equals'"),
    Break("modules/frontdoor-profile.bicep", "'QueryStringArgNames'", "'RequestIPAddress'"),
)
def test_logs_of_the_edge_have_no_words(infra: Infra) -> None:
    """What met a rule of the firewall is not written down, wherever it was, nor are parameters of URLs."""
    firewall = infra.only("Microsoft.Network/FrontDoorWebApplicationFirewallPolicies").properties["policySettings"]
    profile = infra.only("Microsoft.Cdn/profiles").properties
    places = {f"Request{where}Names" for where in ("Header", "Cookie", "BodyPostArg", "BodyJsonArg")}
    rule = {"selectorMatchOperator": "EqualsAny", "state": "Enabled"}
    assert firewall["logScrubbing"] == {"state": "Enabled", "scrubbingRules": Expression("scrubbed")}
    assert set(infra.template(WAF).variables["private"]) == {"QueryStringArgNames", *places}
    assert infra.template(WAF).variables["scrubbed"] == Loop(
        "variable", Expression("private"), {"matchVariable": Expression("variable"), **rule}
    )
    assert profile["logScrubbing"] == {
        "state": "Enabled",
        "scrubbingRules": [{"matchVariable": "QueryStringArgNames", **rule}],
    }


@holds_until(
    Break(ROUTING, "id: firewallPolicyId", "id: profile.id"),
    Break(ROUTING, "patternsToMatch: ['/*']", "patternsToMatch: ['/admin/*']"),
    Break("main.bicep", "firewallPolicyId: firewall.outputs.id", "firewallPolicyId: ''"),
)
def test_every_request_passes_the_firewall(infra: Infra) -> None:
    """The policy stands before the endpoint, on all its paths."""
    parameters = infra.only("Microsoft.Cdn/profiles/securityPolicies").properties["parameters"]
    _, given = infra.template("main.bicep").modules["routing"]
    assert parameters["wafPolicy"]["id"] == Expression("firewallPolicyId")
    assert given["firewallPolicyId"] == Expression("firewall.outputs.id")
    assert parameters["associations"] == [
        {"domains": [{"id": Expression("endpoint.id")}], "patternsToMatch": ["/*"]},
    ]


@holds_until(
    Break(WAF, "    name: sku\n", "    name: 'Standard_AzureFrontDoor'\n"),
    Break("main.bicep", "sku: edge.sku\n    mode", "sku: 'Standard_AzureFrontDoor'\n    mode"),
)
def test_profile_and_firewall_are_of_one_tier(infra: Infra) -> None:
    """Azure refuses a policy of another tier than its Front Door's."""
    modules = infra.template("main.bicep").modules
    assert modules["frontDoor"][1]["sku"] == modules["firewall"][1]["sku"] == Expression("edge.sku")
    for kind in ("Microsoft.Cdn/profiles", "Microsoft.Network/FrontDoorWebApplicationFirewallPolicies"):
        assert infra.only(kind).content["sku"] == {"name": Expression("sku")}


@holds_until(
    Break("modules/frontdoor-profile.bicep", "originResponseTimeoutSeconds: 240", "originResponseTimeoutSeconds: 16"),
    Break("main.prod.bicepparam", "ASSISTANT_SECONDS: '15'", "ASSISTANT_SECONDS: '300'"),
)
def test_front_door_waits_for_the_slowest_turn(infra: Infra) -> None:
    """The longest utterance, a reply and its first sentence, each as slow as it may be, are within what it waits."""
    waits = infra.only("Microsoft.Cdn/profiles").properties["originResponseTimeoutSeconds"]
    assert waits == EDGE_SECONDS
    for environment in infra.environments.values():
        seconds = {name: float(environment["settings"][f"{name}_SECONDS"]) for name in TURN}
        streams = WHOLE * sum(seconds[stage] for stage in ("STT", "ASSISTANT", "TTS"))
        assert seconds["MAX_AUDIO"] + streams + seconds["CONVERSATIONS"] < waits


@holds_until(
    Break(ROUTING, "originHostHeader: originHostName", "originHostHeader: 'example.com'"),
    Break(ROUTING, "enforceCertificateNameCheck: true", "enforceCertificateNameCheck: false"),
    Break("main.bicep", "originHostName: functionApp.outputs.hostName", "originHostName: 'example.com'"),
)
def test_the_origin_is_the_function_app(infra: Infra) -> None:
    """Front Door asks for the app by its own name, and checks whom it talks to."""
    origin = infra.only("Microsoft.Cdn/profiles/originGroups/origins").properties
    _, given = infra.template("main.bicep").modules["routing"]
    assert origin["hostName"] == origin["originHostHeader"] == Expression("originHostName")
    assert origin["enforceCertificateNameCheck"] is True
    assert given["originHostName"] == Expression("functionApp.outputs.hostName")
