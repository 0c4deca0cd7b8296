"""Tokens of an OpenID issuer: which are accepted, and which are refused."""

import base64
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from time import time
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import Headers

from emulators.openid import Signer
from tests.issuers import AUDIENCE, Issuer, issuing, signer
from voice_core.adapters.openid.callers import LONGEST_TOKEN, OpenIdCallers, TokenRequirements
from voice_core.adapters.openid.issuer import Issuer as Published
from voice_core.adapters.openid.keys import SigningKeys
from voice_core.domain.errors import InvalidToken, Unauthenticated, Unreachable, VoiceError
from voice_core.domain.user import user_id_of

LEEWAY_SECONDS = 60


@pytest.fixture
async def issuer() -> AsyncIterator[Issuer]:
    """An issuer that signs with RSA and with an elliptic curve."""
    async with issuing(signer(), signer("ES256")) as one:
        yield one


@pytest.fixture
async def callers(issuer: Issuer) -> AsyncIterator[OpenIdCallers]:
    callers = callers_of(issuer)
    yield callers
    await callers.close()


def callers_of(issuer: Issuer, user_claim: str = "sub", **changed: Any) -> OpenIdCallers:
    """Callers that are identified by tokens of *issuer*; *changed* replaces requirements."""
    keys = SigningKeys(Published(issuer.url, seconds=3.0).keys, outage_seconds=3600)
    usual = TokenRequirements(
        issuer=issuer.url,
        audiences=(AUDIENCE,),
        algorithms=("RS256", "ES256"),
        user_claim=user_claim,
        leeway_seconds=LEEWAY_SECONDS,
    )
    return OpenIdCallers(replace(usual, **changed), keys)


def authorization(*values: str) -> Headers:
    return Headers(raw=[(b"authorization", value.encode("latin-1")) for value in values])


async def user_of(callers: OpenIdCallers, token: str) -> str:
    return await callers.identify(authorization(f"Bearer {token}"))


@pytest.mark.parametrize("algorithm", ["RS256", "ES256"])
async def test_a_token_names_its_user(callers: OpenIdCallers, issuer: Issuer, algorithm: str) -> None:
    """A token names its user, with whichever of the issuer's keys it is signed."""
    token = issuer.token("anna", by=signer(algorithm))

    assert await user_of(callers, token) == user_id_of(issuer.url, "anna")


async def test_keys_are_requested_once(callers: OpenIdCallers, issuer: Issuer) -> None:
    """The issuer's configuration and keys are requested once, however many callers there are."""
    users = {await user_of(callers, issuer.token(f"user{number}")) for number in range(20)}

    assert len(users) == 20
    assert (issuer.request_count("configuration"), issuer.request_count("keys")) == (1, 1)


@pytest.mark.parametrize("audience", [AUDIENCE, ["somebody", AUDIENCE]])
async def test_one_audience_of_several_is_enough(issuer: Issuer, audience: object) -> None:
    """A token is accepted if one of its audiences is one of those in the settings."""
    callers = callers_of(issuer, audiences=("another", AUDIENCE))

    assert await user_of(callers, issuer.token(aud=audience))


async def test_another_claim_may_name_the_user(issuer: Issuer) -> None:
    """The user may be named by another claim, such as Entra's oid, which is the same for all apps of a tenant."""
    callers = callers_of(issuer, "oid")

    assert await user_of(callers, issuer.token("pairwise", oid="anna")) == user_id_of(issuer.url, "anna")
    with pytest.raises(InvalidToken):
        await user_of(callers, issuer.token("pairwise"))


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
async def test_the_scheme_is_read_in_any_case(callers: OpenIdCallers, issuer: Issuer, scheme: str) -> None:
    """The scheme ``Bearer`` is matched without regard to case (RFC 9110, 11.1)."""
    assert await callers.identify(authorization(f"{scheme} {issuer.token()}"))


@pytest.mark.parametrize("claim", ["exp", "nbf"])
async def test_clocks_may_differ_by_the_leeway(callers: OpenIdCallers, issuer: Issuer, claim: str) -> None:
    """A token that is expired, or not yet valid, by less than the leeway is accepted; by more it is refused."""
    late = -1 if claim == "exp" else 1
    within: dict[str, Any] = {claim: int(time()) + late * (LEEWAY_SECONDS - 20)}
    beyond: dict[str, Any] = {claim: int(time()) + late * (LEEWAY_SECONDS + 20)}

    assert await user_of(callers, issuer.token(**within))
    with pytest.raises(InvalidToken):
        await user_of(callers, issuer.token(**beyond))


@pytest.mark.parametrize("claims", [("iat",), ("iat", "nbf")])
async def test_a_token_from_the_future_means_that_our_clock_is_behind(
    callers: OpenIdCallers, issuer: Issuer, claims: tuple[str, ...]
) -> None:
    """It is accepted within the leeway; beyond it, 503 says when to try again, because a new token would not help."""
    now = int(time())
    within: dict[str, Any] = dict.fromkeys(claims, now + LEEWAY_SECONDS - 20)
    beyond: dict[str, Any] = dict.fromkeys(claims, now + LEEWAY_SECONDS + 20)
    assert await user_of(callers, issuer.token(**within))
    with pytest.raises(Unreachable) as refused:
        await user_of(callers, issuer.token(**beyond))

    assert refused.value.stage == "identity"
    assert refused.value.retry_after is not None
    assert 0 < refused.value.retry_after <= 20


async def test_a_forged_token_from_the_future_is_refused_as_forged(callers: OpenIdCallers, issuer: Issuer) -> None:
    """Only a token of the issuer says something about our clock."""
    later = int(time()) + 10 * LEEWAY_SECONDS
    with pytest.raises(InvalidToken):
        await user_of(callers, issuer.token(iat=later)[:-8] + "AAAAAAAA")
    with pytest.raises(InvalidToken):
        await user_of(callers, issuer.token(iat=later, aud="another"))


CLAIMS: dict[str, dict[str, Any]] = {
    "another audience": {"aud": "another"},
    "no audience": {"aud": None},
    "an empty list of audiences": {"aud": []},
    "an audience that only begins right": {"aud": f"{AUDIENCE}-not"},
    "an audience that is a number": {"aud": 7},
    "another issuer": {"iss": "https://evil.example"},
    "no issuer": {"iss": None},
    "an issuer that is a list": {"iss": ["https://evil.example"]},
    "no expiry": {"exp": None},
    "an expiry that is a word": {"exp": "never"},
    "an expiry beyond numbers": {"exp": float("inf")},
    "no user": {"sub": None},
    "a user without a name": {"sub": ""},
    "a user that is a number": {"sub": 7},
    "a user that is a list": {"sub": ["anna"]},
    "a user with half a character": {"sub": "\ud800"},
}


@pytest.mark.parametrize("changed", CLAIMS.values(), ids=CLAIMS)
async def test_invalid_claims_are_refused(callers: OpenIdCallers, issuer: Issuer, changed: dict[str, Any]) -> None:
    """A token with invalid claims is refused, although the issuer has signed it."""
    with pytest.raises(InvalidToken):
        await user_of(callers, issuer.token(**changed))


def unsigned(token: str) -> str:
    """The same claims with the algorithm ``none``, and no signature."""
    return f"{part({'alg': 'none', 'typ': 'JWT', 'kid': signer().key_id})}.{token.split('.')[1]}."


def part(document: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(document).encode()).rstrip(b"=").decode()


def signed_with_the_public_key(token: str) -> str:
    """The same claims signed by HS256 with the public RSA key as secret, which a confused verifier would accept."""
    public = signer().private_key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    algorithm = jwt.get_algorithm_by_name("HS256")
    signed = f"{part({'alg': 'HS256', 'kid': signer().key_id})}.{token.split('.')[1]}"
    signature = base64.urlsafe_b64encode(algorithm.sign(signed.encode(), public)).rstrip(b"=").decode()
    return f"{signed}.{signature}"


def headed(*, by: Signer | None = None, **header: Any) -> Callable[[str], str]:
    """A function that signs a token's claims under another header, with the issuer's key or with that of *by*."""
    return lambda token: (by or signer()).sign(jwt.decode(token, options={"verify_signature": False}), **header)


def with_a_stranger_s_key(token: str) -> str:
    """The same claims signed by a stranger's key under the issuer's key id."""
    stranger = signer(name="stranger")
    return stranger.sign(jwt.decode(token, options={"verify_signature": False}), kid=signer().key_id)


FORGERIES: dict[str, Callable[[str], str]] = {
    "no algorithm": unsigned,
    "a public key for a secret": signed_with_the_public_key,
    "a stranger's key": with_a_stranger_s_key,
    "the key of another algorithm": headed(kid=signer("ES256").key_id),
    "an algorithm that is not ours": lambda token: jwt.encode(
        jwt.decode(token, options={"verify_signature": False}),
        signer().private_key,
        "RS512",
        {"kid": signer().key_id},
    ),
    "no key id": headed(kid=None),
    "a key id that nobody has": headed(kid="another"),
    "a key id that is a list": lambda token: f"{part({'alg': 'RS256', 'kid': ['a']})}.{token.partition('.')[2]}",
    "a key in its own header": headed(
        by=signer(name="stranger"), kid="mine", jwk=signer(name="stranger").public | {"kid": "mine"}
    ),
    "an extension that nobody knows": headed(crit=["exp"], exp=0),
    "other claims": lambda token: ".".join(
        (token.split(".")[0], part({"sub": "eve", "aud": AUDIENCE}), token.split(".")[2])
    ),
    "a cut signature": lambda token: token[:-8],
    "a missing signature": lambda token: token.rpartition(".")[0],
    "a part too many": lambda token: f"{token}.{part({})}",
    "five parts, as if encrypted": lambda _token: ".".join([part({"alg": "RSA-OAEP", "enc": "A256GCM"})] * 5),
    "claims that are a list": lambda _token: ".".join((part({"alg": "RS256", "kid": signer().key_id}), part([]), "AA")),
    "nothing": lambda _token: "",
    "dots": lambda _token: "..",
    "words": lambda _token: "please let me in",
    "other letters": lambda _token: "é.ü.ß",
    "nested without end": lambda _token: ".".join(
        (base64.urlsafe_b64encode(b"[" * 9000).decode().rstrip("="), "e30", "AA")
    ),
    "more than anybody needs": lambda token: f"{token}{'A' * LONGEST_TOKEN}",
}


@pytest.mark.parametrize("forge", FORGERIES.values(), ids=FORGERIES)
async def test_forged_tokens_are_refused(callers: OpenIdCallers, issuer: Issuer, forge: Callable[[str], str]) -> None:
    """Every forged token is refused with the same code, and with a detail that does not mention keys."""
    with pytest.raises(InvalidToken) as refusal:
        await user_of(callers, forge(issuer.token()))

    assert refusal.value.code == "token-invalid"
    assert "key" not in refusal.value.detail


async def test_keys_at_a_url_in_the_token_are_not_fetched(callers: OpenIdCallers, issuer: Issuer) -> None:
    """A token's ``jku`` is ignored, although the keys there include the one that signed it (RFC 7515, 4.1.2)."""
    stranger = signer(name="stranger")
    async with issuing(stranger) as theirs:
        forge = headed(by=stranger, jku=f"{theirs.url}/keys")
        with pytest.raises(InvalidToken):
            await user_of(callers, forge(issuer.token()))

    assert not theirs.script.served


@pytest.mark.parametrize("algorithm", ["none", "HS256", "RS512"])
async def test_an_unsupported_algorithm_requests_no_key(callers: OpenIdCallers, issuer: Issuer, algorithm: str) -> None:
    """A token with an algorithm that is not accepted is refused without a request to the issuer."""
    header = part({"alg": algorithm, "kid": "another"})
    with pytest.raises(InvalidToken):
        await user_of(callers, f"{header}.{issuer.token().partition('.')[2]}")

    assert not issuer.script.served


async def test_a_pinned_algorithm_excludes_the_issuer_s_others(issuer: Issuer) -> None:
    """A token signed with ES256 is refused if the settings accept only RS256."""
    callers = callers_of(issuer, algorithms=("RS256",))

    assert await user_of(callers, issuer.token())
    with pytest.raises(InvalidToken):
        await user_of(callers, issuer.token(by=signer("ES256")))


@pytest.mark.parametrize("values", [(), ("",), ("Basic YW5uYTpwYXNz",)], ids=str)
async def test_a_missing_token_is_unauthenticated(callers: OpenIdCallers, values: tuple[str, ...]) -> None:
    """A request without a bearer token is refused as unauthenticated, not as one with an invalid token."""
    with pytest.raises(Unauthenticated) as refusal:
        await callers.identify(authorization(*values))

    assert refusal.value.code == "unauthenticated"


async def test_two_tokens_are_refused(callers: OpenIdCallers, issuer: Issuer) -> None:
    """Two tokens are refused even if both are valid, because a proxy in front may have checked the other one."""
    with pytest.raises(InvalidToken):
        await callers.identify(authorization(f"Bearer {issuer.token('anna')}", f"Bearer {issuer.token('bob')}"))


async def test_two_issuers_do_not_collide(issuer: Issuer) -> None:
    """The same subject of another issuer is a different user."""
    async with issuing(signer("RS256", "other")) as other:
        ours, theirs = callers_of(issuer), callers_of(other)

        assert await user_of(ours, issuer.token("anna")) != await user_of(theirs, other.token("anna"))
        with pytest.raises(InvalidToken):
            await user_of(ours, other.token("anna", iss=issuer.url))


async def test_a_short_key_is_refused() -> None:
    """Tokens signed by RSA keys of 1024 bits are refused, because such keys can be broken at a price."""
    weak = Signer.make("RS256", bits=1024)
    async with issuing(weak) as issuer:
        with pytest.raises(InvalidToken), pytest.warns(jwt.InsecureKeyLengthWarning):
            await user_of(callers_of(issuer), issuer.token())


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(), inner, max_size=2),
    max_leaves=3,
)


async def test_claims_of_any_shape(callers: OpenIdCallers, issuer: Issuer) -> None:
    """Whatever the value of a claim, the token is accepted or refused, without any other error."""
    tokens: list[str] = []

    @given(st.sampled_from(["iss", "aud", "sub", "exp", "nbf", "iat", "jti"]), JSON)
    def sign(claim: str, value: Any) -> None:
        changed: dict[str, Any] = {claim: value}
        tokens.append(issuer.token(by=signer("ES256"), **changed))

    sign()
    for token in tokens:
        with contextlib.suppress(InvalidToken):
            assert await user_of(callers, token)


@given(st.one_of(st.text(st.characters(max_codepoint=255)), st.binary().map(lambda b: b.decode("latin-1"))))
async def test_any_other_header_is_refused(value: str) -> None:
    """Whatever the header contains, it is refused with one of our errors."""
    keys = SigningKeys(Published("http://127.0.0.1:9", seconds=1.0).keys, outage_seconds=1)
    callers = OpenIdCallers(
        TokenRequirements(issuer="i", audiences=("a",), algorithms=("RS256",), user_claim="sub", leeway_seconds=0), keys
    )
    with pytest.raises(VoiceError):
        await callers.identify(authorization(f"Bearer {value}"))
