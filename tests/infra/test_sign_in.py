"""Authentication: App Service Authentication requires a token on all but a few paths."""

from typing import Any

from tests.infra.app import http_functions
from tests.infra.bicep import Expression
from tests.infra.templates import Break, Infra, holds_until

APP = "modules/functionapp.bicep"
OPEN_PATHS = {
    "/api/voice/health": "Front Door's probes and the smoke test send no token",
    "/api/voice/openapi.json": "the contract is public",
    "/runtime/webhooks/blobs": "Event Grid sends the webhook's own key",
}
"""Paths that need no token, and why."""


def sign_in(infra: Infra) -> dict[str, Any]:
    return infra.template(APP).resources["auth"].properties


@holds_until(
    Break(APP, "requireAuthentication: true", "requireAuthentication: false"),
    Break(APP, "unauthenticatedClientAction: 'Return401'", "unauthenticatedClientAction: 'AllowAnonymous'"),
    Break(APP, "    platform: {\n      enabled: true", "    platform: {\n      enabled: false"),
    Break(APP, "requireHttps: true", "requireHttps: false"),
    Break(APP, "AUTH_MODE: 'easyauth'", "AUTH_MODE: 'none'"),
)
def test_callers_sign_in(infra: Infra) -> None:
    """Without a token there is 401, not a redirect, which a phone cannot use; the app trusts the platform's header."""
    properties = sign_in(infra)
    settings = infra.template(APP).resources["appSettings"].body["properties"].arguments[1]
    assert settings["AUTH_MODE"] == "easyauth"
    assert properties["platform"]["enabled"] is True
    assert properties["globalValidation"]["requireAuthentication"] is True
    assert properties["globalValidation"]["unauthenticatedClientAction"] == "Return401"
    assert properties["httpSettings"]["requireHttps"] is True


@holds_until(
    Break(APP, "        '/api/voice/openapi.json'\n", "        '/api/voice/*'\n"),
    Break(APP, "        '/runtime/webhooks/blobs'\n", ""),
)
def test_only_named_paths_are_open(infra: Infra) -> None:
    """Exactly the listed paths need no token, and those of the app exist."""
    paths = set(sign_in(infra)["globalValidation"]["excludedPaths"])
    assert paths == set(OPEN_PATHS)
    ours = {path for path in paths if path.startswith("/api/")}
    assert ours <= {function.path for function in http_functions() if function.trigger["methods"] == ["GET"]}


@holds_until(
    Break(APP, "clientId: authClientId\n", "clientId: authClientId\n          clientSecretSettingName: 'SECRET'\n"),
    Break(APP, "            'api://${authClientId}'\n", "            'https://management.azure.com'\n"),
    Break(APP, "/v2.0'", "'"),
)
def test_tokens_are_for_our_registration_only(infra: Infra) -> None:
    """Only this tenant's tokens for our registration are valid; there is no sign-in page, hence no client secret."""
    provider = sign_in(infra)["identityProviders"]["azureActiveDirectory"]
    assert set(provider["registration"]) == {"clientId", "openIdIssuer"}
    assert provider["registration"]["openIdIssuer"].source.endswith("${tenant().tenantId}/v2.0'")
    audiences = provider["validation"]["allowedAudiences"]
    assert audiences == [Expression("authClientId"), Expression("'api://${authClientId}'")]
