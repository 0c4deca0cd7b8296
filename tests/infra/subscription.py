"""The contents of a subscription after a deployment of dev, as az lists them: our resources and others."""

from typing import Any

CLIENT_ID = "11111111-2222-3333-4444-555555555555"
SECRET_KEYS = ("master-key", "host-key", "other-extension-key")
"""Keys of the function app that give access to more than the webhook for clips."""


def subscription(outputs: dict[str, str]) -> dict[str, Any]:
    """The responses of az, by the beginning of a call."""
    spelled = {as_azure_spells(name): {"type": "String", "value": value} for name, value in outputs.items()}
    return {
        "account show": {"name": "Voice", "id": "00000000-1111-2222-3333-444444444444"},
        "version": {"azure-cli": "2.91.0", "azure-cli-core": "2.91.0"},
        "group exists": True,
        "deployment sub show": {"properties": {"outputs": spelled}},
        "consumption budget list": [
            {"name": "budget-dev", "timePeriod": {"startDate": "2020-01-01T00:00:00Z"}},
            {"name": "budget-voice-dev", "timePeriod": {"startDate": "2026-03-01T00:00:00Z"}},
            {"name": "budget-voice-beta", "timePeriod": {"startDate": "2026-05-01T00:00:00Z"}},
        ],
        "ad app create": {"appId": CLIENT_ID, "id": "an-object"},
        "ad app list": [
            {"displayName": "voice-prod", "appId": "not-ours", "id": "another-object"},
            *({"displayName": f"voice-{stage}", "appId": CLIENT_ID, "id": "an-object"} for stage in ("dev", "beta")),
        ],
        "ad sp list": [
            {"appId": "not-ours", "id": "another-principal"},
            {"appId": CLIENT_ID, "id": "a-principal"},
        ],
        "functionapp function list": [
            _function("func-voice-dev/post_turn", "httpTrigger"),
            _function("func-voice-dev/take_clip", "blobTrigger"),
        ],
        "functionapp keys list": {
            "masterKey": SECRET_KEYS[0],
            "functionKeys": {"default": SECRET_KEYS[1]},
            "systemKeys": {"durable_extension": SECRET_KEYS[2], "blobs_extension": "webhook-key"},
        },
        "monitor log-analytics workspace list": [{"name": "log-voice-dev"}, {"name": "log-voice-dev-older"}],
        "cognitiveservices account list-deleted": [],
        "keyvault list-deleted": [],
    }


def deleted(*groups: str) -> dict[str, Any]:
    """The responses for soft-deleted resources of *groups*: two AI accounts and a vault of each."""
    kinds = ("speech", "openai")
    return {
        "cognitiveservices account list-deleted": [
            {"name": f"{kind}-of-{group}", "location": "eastus2", "id": f"{_resources(group)}/accounts/{kind}"}
            for group in groups
            for kind in kinds
        ],
        "keyvault list-deleted": [
            {"name": f"vault-of-{group}", "properties": {"vaultId": f"{_resources(group)}/vaults/kv"}}
            for group in groups
        ],
    }


def _resources(group: str) -> str:
    return f"/subscriptions/0/resourceGroups/{group}/providers/Some.Provider"


def _function(name: str, trigger: str) -> dict[str, Any]:
    return {"name": name, "config": {"bindings": [{"type": trigger, "direction": "IN"}]}}


def as_azure_spells(output: str) -> str:
    """An output's name as Azure Resource Manager returns it: apI_BASE_URL (https://github.com/Azure/bicep/issues/9360)."""
    first, _, rest = output.partition("_")
    return f"{first[:-1].lower()}{first[-1]}_{rest}"
