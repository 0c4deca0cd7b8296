"""The settings that identify callers, and the mistakes in them."""

import logging
from typing import Any

import pytest
from starlette.datastructures import Headers

from voice_core.domain.errors import Unreachable
from voice_core.settings import Settings
from voice_core.wiring.identity import callers, identity_mistake

ISSUER: dict[str, Any] = {"jwt_issuer": "https://issuer.example", "jwt_audience": "voice"}
HOSTED: list[dict[str, Any]] = [{"website_site_name": "func-voice"}, {"website_instance_id": "0123"}]


def settings(**chosen: Any) -> Settings:
    return Settings(speech_endpoint="", openai_endpoint="", cosmos_endpoint="", **chosen)


MISTAKES: dict[str, tuple[dict[str, Any], str]] = {
    "nothing chosen": ({}, "JWT_ISSUER"),
    "no issuer": ({"auth_mode": "jwt", "jwt_audience": "voice"}, "JWT_ISSUER"),
    "no audience": ({"auth_mode": "jwt", "jwt_issuer": "https://issuer.example"}, "JWT_AUDIENCE"),
    "an audience of spaces": (ISSUER | {"jwt_audience": "  "}, "JWT_AUDIENCE"),
    "a shared secret": (ISSUER | {"jwt_algorithms": "RS256 HS256"}, "JWT_ALGORITHMS"),
    "no algorithm": (ISSUER | {"jwt_algorithms": "none"}, "JWT_ALGORITHMS"),
    "algorithms of spaces": (ISSUER | {"jwt_algorithms": " "}, "JWT_ALGORITHMS"),
    "an issuer in the clear": (ISSUER | {"jwt_issuer": "http://issuer.example"}, "https"),
    "an issuer that is no URL": (ISSUER | {"jwt_issuer": "https://[issuer"}, "https"),
    "an issuer without a host": (ISSUER | {"jwt_issuer": "https://"}, "https"),
    "keys in the clear": (ISSUER | {"jwt_jwks_url": "http://issuer.example/keys"}, "https"),
    "keys in a file": (ISSUER | {"jwt_jwks_url": "file:///keys.json"}, "https"),
    "none in Azure": ({"auth_mode": "none"} | HOSTED[0], "AUTH_MODE"),
    "none in Azure, by its other sign": ({"auth_mode": "none"} | HOSTED[1], "AUTH_MODE"),
    "easyauth that is off": ({"auth_mode": "easyauth", "website_auth_enabled": False} | HOSTED[0], "turn it on"),
}


@pytest.mark.parametrize(("chosen", "hint"), MISTAKES.values(), ids=MISTAKES)
async def test_a_misconfiguration_rejects_every_caller(
    chosen: dict[str, Any], hint: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Every caller gets the reason and the fix, and the log has it once."""
    with caplog.at_level(logging.INFO, "voice"):
        misconfigured = callers(settings(**chosen))
        for _ in range(3):
            with pytest.raises(Unreachable, match=hint) as refusal:
                await misconfigured.identify(Headers({}))

    assert (refusal.value.code, refusal.value.stage) == ("identity-misconfigured", "identity")
    assert not refusal.value.retryable
    assert len([line for line in caplog.messages if line.startswith("identity-misconfigured")]) == 1
    with pytest.raises(Unreachable, match=hint):
        await misconfigured.check()


@pytest.mark.parametrize(
    "chosen",
    [
        {"auth_mode": "none"},
        {"auth_mode": "easyauth"},
        *({"auth_mode": "easyauth"} | hosted for hosted in HOSTED),
        ISSUER,
        ISSUER | HOSTED[0],
        ISSUER | {"jwt_issuer": "http://127.0.0.1:7076"},
        ISSUER | {"jwt_algorithms": "PS384 EdDSA", "jwt_jwks_url": "https://elsewhere.example/keys"},
    ],
)
def test_correct_settings_are_accepted(chosen: dict[str, Any]) -> None:
    """Each mode is accepted in its environment, and an issuer on the same machine needs no https."""
    assert identity_mistake(settings(**chosen)) is None
