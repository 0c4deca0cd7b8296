"""What is deployed is what was reviewed: every property of every resource, one mutation here for each kind of thing."""

from difflib import unified_diff

from tests.infra.bicep import Expression, read
from tests.infra.pins import pins, reviewed
from tests.infra.resolved import Scope
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
def test_what_is_deployed_was_reviewed(infra: Infra) -> None:
    """The files of tests/infra/pinned say what reaches every resource, and what every environment decides."""
    made, known = pins(infra), reviewed()
    for name in made.keys() | known.keys():
        changes = unified_diff(known.get(name, []), made.get(name, []), f"{name}, as reviewed", "now", n=0, lineterm="")
        assert not (told := list(changes)), "\n".join(["Not reviewed (see the first line of the file):", *told])


def test_names_are_followed_to_where_they_come_from() -> None:
    """Through parameters, outputs, variables and loops, to main's own parameters and to resources by their names."""
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
