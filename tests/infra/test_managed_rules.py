"""Which managed rules there are, what they do with a request, and how their effect is seen before they block."""

from tests.infra.bicep import Choice, Expression
from tests.infra.templates import Break, Infra, holds_until
from tests.infra.test_edge import rate_limit
from tests.telemetry.workspace import Workspace

WAF, QUERY = "modules/waf.bicep", "queries/blocked-by-firewall.kql"


@holds_until(
    Break(WAF, "ruleSetAction: managedRulesAction", "ruleSetAction: 'Block'"),
    Break(WAF, "action: 'Block'", "action: managedRulesAction"),
    Break(WAF, "ruleSetVersion: '1.1'\n", "ruleSetVersion: '1.1'\n    ruleSetAction: managedRulesAction\n"),
    Break(WAF, "@allowed(['Log', 'Block'])", "@allowed(['Log', 'Redirect'])"),
    Break("main.bicep", "managedRulesAction: edge.managedRulesAction", "managedRulesAction: 'Log'"),
)
def test_only_the_default_rule_set_can_be_made_to_log(infra: Infra) -> None:
    """Whatever a stage decides of the default rule set, the limit for each address blocks, and rules on bots act."""
    default, bots = infra.template(WAF).variables["managedRuleSets"]
    assert default["ruleSetAction"] == Expression("managedRulesAction")
    assert "ruleSetAction" not in bots
    assert rate_limit(infra)["action"] == "Block"
    assert infra.template(WAF).allowed("managedRulesAction") == ["Log", "Block"]
    _, given = infra.template("main.bicep").modules["firewall"]
    assert given["managedRulesAction"] == Expression("edge.managedRulesAction")


@holds_until(
    Break(WAF, "sku == 'Premium_AzureFrontDoor' ? managedRuleSets : []", "managedRuleSets"),
    Break(WAF, "'Microsoft_DefaultRuleSet'", "'OWASP'"),
)
def test_managed_rules_come_with_premium(infra: Infra) -> None:
    """Standard refuses managed rules; with Premium they are on."""
    policy = infra.only("Microsoft.Network/FrontDoorWebApplicationFirewallPolicies").properties
    rules = infra.template(WAF).variables["managedRuleSets"]
    assert policy["managedRules"]["managedRuleSets"] == Choice(
        "sku == 'Premium_AzureFrontDoor'", Expression("managedRuleSets"), []
    )
    assert {each["ruleSetType"] for each in rules} == {"Microsoft_DefaultRuleSet", "Microsoft_BotManagerRuleSet"}


@holds_until(
    Break(QUERY, '"-949110"', '"-942100"'),
    Break(QUERY, '=~ "Log"', '== "Log"'),
    Break(QUERY, ' and action_s =~ "Log"', ""),
    Break(QUERY, 'ruleName_s endswith "-949110" and ', ""),
)
def test_what_would_be_stopped_is_shown(infra: Infra) -> None:
    """Of requests that passed, those whose score reached the limit are told from matches that stop nothing.

    Names and actions as in https://learn.microsoft.com/azure/web-application-firewall/afds/waf-front-door-monitor.
    """
    score, word = (f"Microsoft_DefaultRuleSet-2.1-{each}" for each in ("BLOCKING-EVALUATION-949110", "SQLI-942100"))
    bot, address = "Microsoft_BotManagerRuleSet-1.1-UnknownBots-Bot300600", "RequestsPerAddress"
    decided = [(score, "Block"), (word, "AnomalyScoring"), (bot, "Log"), (address, "Block")]
    with Workspace() as workspace:
        workspace.add("AzureDiagnostics", (row(*match) for match in [*decided, (score, "Log"), (score, "log")]))
        shown = {(each["rule"], each["action"]): each["requests"] for each in workspace.ask(infra.texts[QUERY])}
    assert shown == {**dict.fromkeys(decided, 1), (score, "Would block"): 2}


def row(rule: str, action: str) -> dict[str, str]:
    return {"Category": "FrontDoorWebApplicationFirewallLog", "ruleName_s": rule, "action_s": action}
