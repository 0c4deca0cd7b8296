"""The managed rules, their action, and the query that shows their effect before they block."""

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
def test_only_the_default_rule_set_can_be_set_to_log(infra: Infra) -> None:
    """The limit for each address blocks, and the rules on bots act, whatever a stage sets for the default rule set."""
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
    """Managed rules are on with Premium only, because Standard refuses them."""
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
def test_the_query_shows_what_would_be_blocked(infra: Infra) -> None:
    """Logged requests whose score reached the limit are shown as "Would block", other matches with their own action.

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
