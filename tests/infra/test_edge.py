"""The only way to the app: Front Door, its firewall and the origin's access restrictions."""

from typing import Any

from tests.infra.app import http_functions
from tests.infra.bicep import Choice, Expression, Loop
from tests.infra.templates import Break, Infra, holds_until
from tests.infra.test_sign_in import OPEN_PATHS
from voice_core.usecases.resilience.deadlines import TOTAL_FACTOR

APP, WAF, ROUTING = "modules/functionapp.bicep", "modules/waf.bicep", "modules/frontdoor-routing.bicep"
TURN = ("MAX_AUDIO", "STT", "ASSISTANT", "TTS", "CONVERSATIONS")
"""Prefixes of the settings, in seconds, that limit a turn."""

EDGE_SECONDS = 240
"""The highest timeout for an origin that Front Door supports, and the configured one."""


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
def test_the_origin_accepts_two_callers(infra: Infra) -> None:
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
def test_pages_of_other_origins_are_allowed_by_name(infra: Infra) -> None:
    """The platform allows the named origins, by default none, and no cookies."""
    assert site(infra)["cors"] == {"allowedOrigins": Expression("pageOrigins"), "supportCredentials": False}
    assert infra.template("main.bicep").modules["functionApp"][1]["pageOrigins"] == Expression("pageOrigins")
    assert all(environment["pageOrigins"] == [] for environment in infra.environments.values())


@holds_until(
    Break(APP, "            'x-azure-fdid': [frontDoorId]\n", ""),
    Break("main.bicep", "frontDoorId: frontDoor.outputs.frontDoorId", "frontDoorId: ''"),
    Break("modules/frontdoor-profile.bicep", "profile.properties.frontDoorId", "profile.name"),
)
def test_only_our_front_door_reaches_the_origin(infra: Infra) -> None:
    """The service tag covers every customer's Front Door; the id in the header is that of our profile."""
    (rule,) = (rule for rule in site(infra)["ipSecurityRestrictions"] if rule["ipAddress"] == "AzureFrontDoor.Backend")
    _, parameters = infra.template("main.bicep").modules["functionApp"]
    profile = infra.template("modules/frontdoor-profile.bicep")
    assert rule["headers"] == {"x-azure-fdid": [Expression("frontDoorId")]}
    assert parameters["frontDoorId"] == Expression("frontDoor.outputs.frontDoorId")
    assert profile.outputs["frontDoorId"] == Expression("profile.properties.frontDoorId")


@holds_until(Break(APP, "scmIpSecurityRestrictionsUseMain: false", "scmIpSecurityRestrictionsUseMain: true"))
def test_access_restrictions_admit_deployments(infra: Infra) -> None:
    """Publishing does not go through Front Door, so the restrictions do not apply to it."""
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
def test_the_route_covers_the_api_only_without_a_cache(infra: Infra) -> None:
    """The route forwards `/api/voice/*`, over HTTPS end to end, and caches nothing."""
    route = infra.only("Microsoft.Cdn/profiles/afdEndpoints/routes").properties
    assert route["patternsToMatch"] == ["/api/voice/*"]
    assert route["supportedProtocols"] == ["Https"]
    assert route["httpsRedirect"] == "Disabled"
    assert route["forwardingProtocol"] == "HttpsOnly"
    assert "cacheConfiguration" not in route


def test_the_route_reaches_every_function() -> None:
    """Every HTTP function matches the route's pattern; others could not be called."""
    assert all(function.path.startswith("/api/voice/") for function in http_functions())


@holds_until(
    Break(ROUTING, "probePath: '/api/voice/health'", "probePath: '/'"),
    Break(ROUTING, "probeRequestType: 'GET'", "probeRequestType: 'HEAD'"),
    Break(ROUTING, "probeSeconds == 0", "probeSeconds > 0"),
    Break(ROUTING, "probeProtocol: 'Https'", "probeProtocol: 'Http'"),
)
def test_the_health_probe_matches_a_function(infra: Infra) -> None:
    """The probe uses a path and a method that a function has and that needs no token."""
    probe = infra.only("Microsoft.Cdn/profiles/originGroups").properties["healthProbeSettings"]
    assert isinstance(probe, Choice)
    assert probe.condition == "probeSeconds == 0"
    settings = probe.otherwise
    probed = [function.trigger["methods"] for function in http_functions() if function.path == settings["probePath"]]
    assert any(settings["probeRequestType"] in methods for methods in probed)
    assert settings["probeProtocol"] == "Https"
    assert settings["probePath"] in OPEN_PATHS


@holds_until(
    Break("main.prod.bicepparam", "probeSeconds: 100", "probeSeconds: 0"),
    Break("main.dev.bicepparam", "probeSeconds: 0", "probeSeconds: 30"),
)
def test_probes_run_only_with_always_ready_instances(infra: Infra) -> None:
    """Every edge location probes, which would keep an app awake that has no always-ready instance."""
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
    """Too many requests from one address in five minutes get 429."""
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
def test_edge_logs_contain_no_user_data(infra: Infra) -> None:
    """Logs contain neither the value that matched a firewall rule, from any part of a request, nor URL parameters."""
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
    """The policy applies to all paths of the endpoint."""
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
    """Azure refuses a policy whose tier differs from that of its Front Door."""
    modules = infra.template("main.bicep").modules
    assert modules["frontDoor"][1]["sku"] == modules["firewall"][1]["sku"] == Expression("edge.sku")
    for kind in ("Microsoft.Cdn/profiles", "Microsoft.Network/FrontDoorWebApplicationFirewallPolicies"):
        assert infra.only(kind).content["sku"] == {"name": Expression("sku")}


@holds_until(
    Break("modules/frontdoor-profile.bicep", "originResponseTimeoutSeconds: 240", "originResponseTimeoutSeconds: 16"),
    Break("main.prod.bicepparam", "ASSISTANT_SECONDS: '15'", "ASSISTANT_SECONDS: '300'"),
)
def test_front_door_waits_for_the_slowest_turn(infra: Infra) -> None:
    """The longest utterance and the slowest permitted stages together take less than the timeout of Front Door."""
    waits = infra.only("Microsoft.Cdn/profiles").properties["originResponseTimeoutSeconds"]
    assert waits == EDGE_SECONDS
    for environment in infra.environments.values():
        seconds = {name: float(environment["settings"][f"{name}_SECONDS"]) for name in TURN}
        streams = TOTAL_FACTOR * sum(seconds[stage] for stage in ("STT", "ASSISTANT", "TTS"))
        assert seconds["MAX_AUDIO"] + streams + seconds["CONVERSATIONS"] < waits


@holds_until(
    Break(ROUTING, "originHostHeader: originHostName", "originHostHeader: 'example.com'"),
    Break(ROUTING, "enforceCertificateNameCheck: true", "enforceCertificateNameCheck: false"),
    Break("main.bicep", "originHostName: functionApp.outputs.hostName", "originHostName: 'example.com'"),
)
def test_the_origin_is_the_function_app(infra: Infra) -> None:
    """Front Door calls the app by the app's own host name, and verifies its certificate."""
    origin = infra.only("Microsoft.Cdn/profiles/originGroups/origins").properties
    _, given = infra.template("main.bicep").modules["routing"]
    assert origin["hostName"] == origin["originHostHeader"] == Expression("originHostName")
    assert origin["enforceCertificateNameCheck"] is True
    assert given["originHostName"] == Expression("functionApp.outputs.hostName")
