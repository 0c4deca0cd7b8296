"""Identification of callers, by the settings."""

from urllib.parse import urlsplit

from voice_core import telemetry
from voice_core.domain.errors import Unreachable
from voice_core.domain.user import THE_ONE_USER
from voice_core.ports.identity import Callers, Headers
from voice_core.settings import Settings

PUBLIC_KEY_ALGORITHMS = {
    *("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    *("ES256", "ES384", "ES512", "EdDSA"),
}
"""Algorithms of https://www.rfc-editor.org/rfc/rfc7518#section-3.1, without those of shared secrets and ``none``."""

LOOPBACK = ("127.0.0.1", "localhost", "::1")


class OneUser:
    """The callers of a local run: all are one user."""

    async def identify(self, _headers: Headers) -> str:
        return THE_ONE_USER

    async def check(self) -> None:
        """Does nothing: there is nothing to prepare."""

    async def close(self) -> None:
        """Does nothing: there are no resources to release."""


class MisconfiguredCallers:
    """Rejects every caller, because of a mistake in the settings that only an operator can fix."""

    def __init__(self, mistake: str) -> None:
        self._mistake = mistake
        telemetry.event("identity-misconfigured", {"detail": mistake})

    async def identify(self, _headers: Headers) -> str:
        raise self._refusal

    async def check(self) -> None:
        raise self._refusal

    async def close(self) -> None:
        """Does nothing: there are no resources to release."""

    @property
    def _refusal(self) -> Unreachable:
        return Unreachable(self._mistake, code="identity-misconfigured", stage="identity", retryable=False)


def callers(settings: Settings) -> Callers:
    """The identification of callers in the `auth_mode` of *settings*."""
    if mistake := identity_mistake(settings):
        return MisconfiguredCallers(mistake)
    if settings.auth_mode == "easyauth":
        from voice_core.adapters.easy_auth import EasyAuthCallers

        return EasyAuthCallers()
    return OneUser() if settings.auth_mode == "none" else _jwt_callers(settings)


def identity_mistake(settings: Settings) -> str | None:
    """The mistake for which these settings must reject every caller, and its fix; None when they are correct."""
    match settings.auth_mode:
        case "none" if settings.in_azure:
            return "AUTH_MODE is none, which is for local runs: in Azure set it to easyauth or jwt."
        case "easyauth" if not settings.website_auth_enabled:
            return "AUTH_MODE is easyauth, but App Service Authentication is off: turn it on."
        case "jwt":
            return _jwt_mistake(settings)
    return None


def _jwt_mistake(settings: Settings) -> str | None:
    algorithms = settings.jwt_algorithms.split()
    if not settings.jwt_issuer or not settings.jwt_audience.split():
        return "AUTH_MODE is jwt: set JWT_ISSUER and JWT_AUDIENCE to the issuer and the audience of valid tokens."
    if not algorithms or not PUBLIC_KEY_ALGORITHMS.issuperset(algorithms):
        return f"JWT_ALGORITHMS may name {', '.join(sorted(PUBLIC_KEY_ALGORITHMS))}."
    if not all(map(_safe, filter(None, (settings.jwt_issuer, settings.jwt_jwks_url)))):
        return "JWT_ISSUER and JWT_JWKS_URL must be https URLs; otherwise keys could be replaced in transit."
    return None


def _safe(url: str) -> bool:
    """Whether a response from *url* cannot be changed in transit: https, or this machine."""
    try:
        parts = urlsplit(url)
        return bool(parts.hostname) and (parts.scheme == "https" or parts.hostname in LOOPBACK)
    except ValueError:
        return False


def _jwt_callers(settings: Settings) -> Callers:
    from voice_core.adapters.openid.callers import OpenIdCallers, TokenRequirements
    from voice_core.adapters.openid.issuer import Issuer
    from voice_core.adapters.openid.keys import SigningKeys

    requirements = TokenRequirements(
        issuer=settings.jwt_issuer,
        audiences=tuple(settings.jwt_audience.split()),
        algorithms=tuple(settings.jwt_algorithms.split()),
        user_claim=settings.jwt_user_claim,
        leeway_seconds=settings.jwt_leeway_seconds,
    )
    issuer = Issuer(settings.jwt_issuer, settings.jwt_jwks_url, seconds=settings.identity_seconds)
    return OpenIdCallers(requirements, SigningKeys(issuer.keys, outage_seconds=settings.jwt_outage_hours * 3600))
