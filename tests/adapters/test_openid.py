"""Tokens of an OpenID issuer: which are believed, and which are not."""

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
from voice_core.domain.errors import InvalidToken, Unauthenticated, VoiceError
from voice_core.domain.user import user_id_of

LEEWAY_SECONDS = 60


@pytest.fixture
async def issuer() -> AsyncIterator[Issuer]:
    """One that signs with RSA and with an elliptic curve."""
    async with issuing(signer(), signer("ES256")) as one:
        yield one


@pytest.fixture
async def callers(issuer: Issuer) -> AsyncIterator[OpenIdCallers]:
    made = believing(issuer)
    yield made
    await made.close()


def believing(issuer: Issuer, user_claim: str = "sub", **demands: Any) -> OpenIdCallers:
    keys = SigningKeys(Published(issuer.url, seconds=3.0).keys, outage_seconds=3600)
    usual = TokenRequirements(
        issuer=issuer.url,
        audiences=(AUDIENCE,),
        algorithms=("RS256", "ES256"),
        user_claim=user_claim,
        leeway_seconds=LEEWAY_SECONDS,
    )
    return OpenIdCallers(replace(usual, **demands), keys)


def showing(*values: str) -> Headers:
    return Headers(raw=[(b"authorization", value.encode("latin-1")) for value in values])


async def named(callers: OpenIdCallers, token: str) -> str:
    return await callers.identify(showing(f"Bearer {token}"))


@pytest.mark.parametrize("algorithm", ["RS256", "ES256"])
async def test_a_token_names_its_user(callers: OpenIdCallers, issuer: Issuer, algorithm: str) -> None:
    """Whichever of the issuer's keys has signed it."""
    token = issuer.token("anna", by=signer(algorithm))

    assert await named(callers, token) == user_id_of(issuer.url, "anna")


async def test_keys_are_asked_for_once(callers: OpenIdCallers, issuer: Issuer) -> None:
    """However many callers there are."""
    users = {await named(callers, issuer.token(f"user{number}")) for number in range(20)}

    assert len(users) == 20
    assert (issuer.asked("configuration"), issuer.asked("keys")) == (1, 1)


@pytest.mark.parametrize("audience", [AUDIENCE, ["somebody", AUDIENCE]])
async def test_one_audience_of_several_is_enough(issuer: Issuer, audience: object) -> None:
    """In the token as in the settings."""
    callers = believing(issuer, audiences=("another", AUDIENCE))

    assert await named(callers, issuer.token(aud=audience))


async def test_another_claim_may_name_the_user(issuer: Issuer) -> None:
    """As Entra's oid, which is the same for all apps of a tenant."""
    callers = believing(issuer, "oid")

    assert await named(callers, issuer.token("pairwise", oid="anna")) == user_id_of(issuer.url, "anna")
    with pytest.raises(InvalidToken):
        await named(callers, issuer.token("pairwise"))


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
async def test_the_scheme_is_read_in_any_case(callers: OpenIdCallers, issuer: Issuer, scheme: str) -> None:
    """RFC 9110, 11.1."""
    assert await callers.identify(showing(f"{scheme} {issuer.token()}"))


@pytest.mark.parametrize("claim", ["exp", "nbf", "iat"])
async def test_clocks_may_differ_by_the_leeway(callers: OpenIdCallers, issuer: Issuer, claim: str) -> None:
    """A token that is over, or not yet good, by less than it counts; by more it does not."""
    late = -1 if claim == "exp" else 1
    within: dict[str, Any] = {claim: int(time()) + late * (LEEWAY_SECONDS - 20)}
    beyond: dict[str, Any] = {claim: int(time()) + late * (LEEWAY_SECONDS + 20)}

    assert await named(callers, issuer.token(**within))
    with pytest.raises(InvalidToken):
        await named(callers, issuer.token(**beyond))


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
async def test_claims_that_are_not_believed(callers: OpenIdCallers, issuer: Issuer, changed: dict[str, Any]) -> None:
    """Although the issuer has signed them."""
    with pytest.raises(InvalidToken):
        await named(callers, issuer.token(**changed))


def unsigned(token: str) -> str:
    """The same claims with the algorithm ``none``, and no signature."""
    return f"{part({'alg': 'none', 'typ': 'JWT', 'kid': signer().key_id})}.{token.split('.')[1]}."


def part(document: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(document).encode()).rstrip(b"=").decode()


def signed_with_the_public_key(token: str) -> str:
    """HS256, with the text of the public RSA key for a secret: what a confused verifier would accept."""
    public = signer().private_key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    algorithm = jwt.get_algorithm_by_name("HS256")
    signed = f"{part({'alg': 'HS256', 'kid': signer().key_id})}.{token.split('.')[1]}"
    signature = base64.urlsafe_b64encode(algorithm.sign(signed.encode(), public)).rstrip(b"=").decode()
    return f"{signed}.{signature}"


def headed(*, by: Signer | None = None, **header: Any) -> Callable[[str], str]:
    """The same claims under another header, signed with the issuer's key unless *by* another."""
    return lambda token: (by or signer()).sign(jwt.decode(token, options={"verify_signature": False}), **header)


def with_a_stranger_s_key(token: str) -> str:
    """Under the key id of the issuer's."""
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
async def test_forged_tokens(callers: OpenIdCallers, issuer: Issuer, forge: Callable[[str], str]) -> None:
    """None is believed; the refusal is the same for all but those that are no single token."""
    with pytest.raises(InvalidToken) as refusal:
        await named(callers, forge(issuer.token()))

    assert refusal.value.code == "token-invalid"
    assert "key" not in refusal.value.detail


async def test_keys_at_a_url_of_the_token_s_own_are_not_fetched(callers: OpenIdCallers, issuer: Issuer) -> None:
    """Although they are there, and the one that has signed it is among them (RFC 7515, 4.1.2)."""
    stranger = signer(name="stranger")
    async with issuing(stranger) as theirs:
        forge = headed(by=stranger, jku=f"{theirs.url}/keys")
        with pytest.raises(InvalidToken):
            await named(callers, forge(issuer.token()))

    assert not theirs.script.served


@pytest.mark.parametrize("algorithm", ["none", "HS256", "RS512"])
async def test_an_algorithm_that_is_not_ours_asks_for_no_key(
    callers: OpenIdCallers, issuer: Issuer, algorithm: str
) -> None:
    """Whatever it is signed with."""
    header = part({"alg": algorithm, "kid": "another"})
    with pytest.raises(InvalidToken):
        await named(callers, f"{header}.{issuer.token().partition('.')[2]}")

    assert not issuer.script.served


async def test_a_pinned_algorithm_excludes_the_issuer_s_others(issuer: Issuer) -> None:
    """Its ES256 key counts for nothing where RS256 alone is accepted."""
    callers = believing(issuer, algorithms=("RS256",))

    assert await named(callers, issuer.token())
    with pytest.raises(InvalidToken):
        await named(callers, issuer.token(by=signer("ES256")))


@pytest.mark.parametrize("values", [(), ("",), ("Basic YW5uYTpwYXNz",)], ids=str)
async def test_who_shows_no_token_is_asked_for_one(callers: OpenIdCallers, values: tuple[str, ...]) -> None:
    """That is no wrong token."""
    with pytest.raises(Unauthenticated) as refusal:
        await callers.identify(showing(*values))

    assert refusal.value.code == "unauthenticated"


async def test_two_tokens_are_none(callers: OpenIdCallers, issuer: Issuer) -> None:
    """Even when both are good: whoever stands in front may have checked the other."""
    with pytest.raises(InvalidToken):
        await callers.identify(showing(f"Bearer {issuer.token('anna')}", f"Bearer {issuer.token('bob')}"))


async def test_two_issuers_do_not_collide(issuer: Issuer) -> None:
    """Who is called the same by another issuer is somebody else."""
    async with issuing(signer("RS256", "other")) as other:
        ours, theirs = believing(issuer), believing(other)

        assert await named(ours, issuer.token("anna")) != await named(theirs, other.token("anna"))
        with pytest.raises(InvalidToken):
            await named(ours, other.token("anna", iss=issuer.url))


async def test_a_short_key_is_not_believed() -> None:
    """RSA of 1024 bits can be forged by those who can pay."""
    weak = Signer.make("RS256", bits=1024)
    async with issuing(weak) as issuer:
        with pytest.raises(InvalidToken), pytest.warns(jwt.InsecureKeyLengthWarning):
            await named(believing(issuer), issuer.token())


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(), inner, max_size=2),
    max_leaves=3,
)


async def test_claims_of_any_shape(callers: OpenIdCallers, issuer: Issuer) -> None:
    """Whatever stands in a claim, the token is believed or refused."""
    tokens: list[str] = []

    @given(st.sampled_from(["iss", "aud", "sub", "exp", "nbf", "iat", "jti"]), JSON)
    def sign(claim: str, value: Any) -> None:
        changed: dict[str, Any] = {claim: value}
        tokens.append(issuer.token(by=signer("ES256"), **changed))

    sign()
    for token in tokens:
        with contextlib.suppress(InvalidToken):
            assert await named(callers, token)


@given(st.one_of(st.text(st.characters(max_codepoint=255)), st.binary().map(lambda b: b.decode("latin-1"))))
async def test_rubbish_is_refused_as_such(shown: str) -> None:
    """Whatever the header holds, the answer is one of our errors."""
    keys = SigningKeys(Published("http://127.0.0.1:9", seconds=1.0).keys, outage_seconds=1)
    callers = OpenIdCallers(
        TokenRequirements(issuer="i", audiences=("a",), algorithms=("RS256",), user_claim="sub", leeway_seconds=0), keys
    )
    with pytest.raises(VoiceError):
        await callers.identify(showing(f"Bearer {shown}"))
