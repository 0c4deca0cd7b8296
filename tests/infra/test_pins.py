"""The templates match the reviewed pins, in every property of every resource; one defect here for each kind of line."""

from difflib import unified_diff

from tests.infra.bicep import Expression, read
from tests.infra.pins import pins, reviewed
from tests.infra.resolved_template import Scope
from tests.infra.templates import Break, Infra, holds_until

MAIN, PROD, ACCESS = "main.bicep", "main.prod.bicepparam", "modules/access.bicep"
STORAGE, APP, ROUTING = "modules/storage.bicep", "modules/functionapp.bicep", "modules/frontdoor-routing.bicep"


@holds_until(
    Break(MAIN, "mode: edge.wafMode", "mode: 'Detection'"),
    Break(MAIN, "    pageOrigins: pageOrigins\n", ""),
    Break(MAIN, "storageName: storage.outputs.name", "storageName: cosmos.outputs.name"),
    Break(MAIN, "output API_BASE_URL string = routing.outputs.baseUrl", "output API_BASE_URL string = ''"),
    Break(MAIN, "environmentName, location)", "'x', location)"),
    Break(
        STORAGE,
        "output queueEndpoint string = account.properties.primaryEndpoints.queue",
        "output queueEndpoint string = ''",
    ),
    Break(ACCESS, "  name: vaultName\n", "  name: storageName\n"),
    Break(
        STORAGE,
        "    containerDeleteRetentionPolicy: {",
        "    isVersioningEnabled: true\n    containerDeleteRetentionPolicy: {",
    ),
    Break(STORAGE, "GreaterThan: expiry.days", "GreaterThan: 3650"),
    Break(STORAGE, "@2026-04-01' = {\n  name: name", "@2025-06-01' = {\n  name: name"),
    Break(APP, "@maxValue(1000)\nparam maximumInstances", "@maxValue(2000)\nparam maximumInstances"),
    Break(APP, "  dependsOn: [appSettings]\n", ""),
    Break(APP, "ready.instanceCount > 0", "ready.instanceCount > 1"),
    Break(ROUTING, "probeSeconds == 0 ? null", "probeSeconds > 0 ? null"),
    Break(PROD, "firstAudioMs: 3000", "firstAudioMs: 30000"),
    Break(PROD, "readEnvironmentVariable('AUTH_CLIENT_ID')", "'00000000-0000-0000-0000-000000000000'"),
)
def test_the_templates_match_the_reviewed_pins(infra: Infra) -> None:
    """The files of tests/infra/pinned list the values of every resource and the parameters of every environment."""
    current, known = pins(infra), reviewed()
    for name in current.keys() | known.keys():
        before, after = known.get(name, []), current.get(name, [])
        changes = unified_diff(before, after, f"{name}, as reviewed", "now", n=0, lineterm="")
        assert not (lines := list(changes)), "\n".join(["Not reviewed (see the first line of the file):", *lines])


def test_names_are_resolved_across_modules() -> None:
    """Parameters, outputs, variables and loops resolve to main's own parameters and to resources with their names."""
    main = Scope(read("param stage string\nvar stem = 'v-${stage}'\nvar all = { tags: [stem] }\n"))
    module = read(
        "param name string\nparam all object\nvar days = [{ of: 'a', n: 1 }, { of: 'b', n: 2 }]\n"
        "resource one 'A/bs@2025-01-01' = {\n  name: name\n}\n"
        "output tags array = all.tags\noutput id string = '${one.id}/x'\n"
        "output turns array = [for (day, n) in days: { of: '${day.of}-${n}', n: 2 * day.n, in: a ? 1 : days[0].of }]\n"
        "output known object = contains(all, 'tags') ? days[1] : name\n"
    )
    main.modules["m"] = Scope(module, main, {"name": Expression("'st${stem}'"), "all": Expression("all")})
    assert main.resolved(Expression("m.outputs.tags")) == [Expression("'v-${stage}'")]
    assert main.resolved(Expression("m.outputs.id")) == Expression("'${bs('stv-${stage}').id}/x'")
    turns = main.resolved(Expression("m.outputs.turns"))
    assert [turn["of"] for turn in turns] == ["a-0", "b-1"]
    assert [turn["n"] for turn in turns] == [Expression("2 * 1"), Expression("2 * 2")]
    assert [turn["in"].otherwise for turn in turns] == ["a", "a"]
    assert main.resolved(Expression("m.outputs.known.of")) == "b"
