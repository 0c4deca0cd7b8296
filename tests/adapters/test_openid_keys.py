"""The keys of an OpenID issuer: asked for rarely, exchanged, and believed while it is away."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from typing import Any

import pytest
from jwt import PyJWK

from emulators.openid import Signer
from emulators.script import Step
from tests.clock import Clock
from tests.eventually import PATIENCE_SECONDS, eventually
from tests.issuers import Issuer, issuing, signer
from voice_core.adapters.openid.issuer import LONGEST_DOCUMENT
from voice_core.adapters.openid.issuer import Issuer as Published
from voice_core.adapters.openid.keys import FRESH_SECONDS, PAUSE_SECONDS, KeyName, SigningKeys, UnknownKey
from voice_core.domain.errors import Unreachable

OUTAGE_SECONDS = 3600.0


@pytest.fixture
def clock() -> Clock:
    return Clock(0.0)


@pytest.fixture
async def keys(issuer: Issuer, clock: Clock) -> AsyncIterator[SigningKeys]:
    made = keys_of(issuer, clock)
    yield made
    await made.close()


def keys_of(issuer: Issuer, clock: Clock, seconds: float = PATIENCE_SECONDS) -> SigningKeys:
    return SigningKeys(Published(issuer.url, seconds=seconds).keys, outage_seconds=OUTAGE_SECONDS, clock=clock)


def name_of(key: Signer) -> KeyName:
    return key.key_id, key.algorithm


def goes_away(issuer: Issuer) -> None:
    for operation in ("configuration", "keys"):
        issuer.script.add(operation, Step(status=503, repeat=True))


async def test_a_new_key_is_found_at_its_first_use(keys: SigningKeys, issuer: Issuer, clock: Clock) -> None:
    """The issuer exchanges its key; the old one is not believed any longer, once that is known."""
    old, new = signer(), signer(name="new")
    await keys.find(name_of(old))
    issuer.signers[:] = [new]
    clock.now += PAUSE_SECONDS

    assert (await keys.find(name_of(new))).key_id == new.key_id
    with pytest.raises(UnknownKey):
        await keys.find(name_of(old))


async def test_keys_that_nobody_has_do_not_hammer_the_issuer(keys: SigningKeys, issuer: Issuer, clock: Clock) -> None:
    """A thousand forged ids cost it one request, and one more after each pause."""
    for pause in range(3):
        clock.now = pause * PAUSE_SECONDS
        for number in range(1000):
            with pytest.raises(UnknownKey):
                await keys.find((f"forged{number}", "RS256"))

    assert issuer.asked() == 3


async def test_those_who_ask_at_the_same_time_share_a_request(keys: SigningKeys, issuer: Issuer) -> None:
    """Also when one of them hangs up while it is under way."""
    issuer.script.add("keys", Step(connect_seconds=0.1))
    asking = [asyncio.create_task(keys.find(name_of(signer()))) for _ in range(20)]
    await eventually(lambda: issuer.asked() == 1)
    asking[0].cancel()
    found = await asyncio.gather(*asking[1:])

    assert {key.key_id for key in found} == {signer().key_id}
    assert issuer.asked() == 1


async def test_keys_are_renewed_behind_the_callers_backs(issuer: Issuer, clock: Clock) -> None:
    """Nobody waits for a slow issuer while the keys are known."""
    keys = keys_of(issuer, clock, seconds=1000.0)
    await keys.find(name_of(signer()))
    issuer.script.add("keys", Step(hang=True))
    clock.now += FRESH_SECONDS
    async with asyncio.timeout(PATIENCE_SECONDS):
        await keys.find(name_of(signer()))
    await eventually(lambda: issuer.asked() == 2)
    await keys.close()


async def test_a_key_that_is_taken_back_is_believed_no_longer(keys: SigningKeys, issuer: Issuer, clock: Clock) -> None:
    """After the time that keys are fresh, without a new one being seen."""
    await keys.find(name_of(signer()))
    issuer.signers[:] = [signer(name="new")]
    clock.now += FRESH_SECONDS
    await keys.find(name_of(signer()))
    await eventually(lambda: issuer.script.served[-1].outcome == "done" and issuer.asked() == 2)
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            try:
                await keys.find(name_of(signer()))
            except UnknownKey:
                break
            await asyncio.sleep(0)


async def test_known_keys_outlive_an_outage(keys: SigningKeys, issuer: Issuer, clock: Clock) -> None:
    """For as long as the setting says, and not a second longer."""
    await keys.find(name_of(signer()))
    goes_away(issuer)
    clock.now = FRESH_SECONDS + OUTAGE_SECONDS - 1
    assert await keys.find(name_of(signer()))
    await eventually(lambda: issuer.asked("configuration") == 2)
    clock.now += 1

    with pytest.raises(Unreachable):
        await keys.find(name_of(signer()))


async def test_an_unknown_key_is_no_forgery_while_the_issuer_is_away(
    keys: SigningKeys, issuer: Issuer, clock: Clock
) -> None:
    """It may be new: the caller is asked to come back."""
    await keys.find(name_of(signer()))
    goes_away(issuer)
    clock.now += PAUSE_SECONDS

    with pytest.raises(Unreachable):
        await keys.find(("new", "RS256"))
    assert await keys.find(name_of(signer()))


async def test_a_dead_issuer_is_not_asked_for_every_caller(keys: SigningKeys, issuer: Issuer, clock: Clock) -> None:
    """Who comes within the pause is told at once when to come back, and is served then."""
    issuer.script.add("configuration", Step(status=500))
    with pytest.raises(Unreachable):
        await keys.find(name_of(signer()))
    clock.now += PAUSE_SECONDS - 4
    with pytest.raises(Unreachable) as refusal:
        await keys.find(name_of(signer()))
    assert refusal.value.retry_after == 4
    assert (refusal.value.stage, refusal.value.retryable) == ("identity", True)
    assert issuer.asked("configuration") == 1

    clock.now += refusal.value.retry_after
    assert await keys.find(name_of(signer()))


KEYS = {"keys": [signer().public]}
ODD_KEYS: list[Any] = [
    {"kty": "oct", "kid": "shared", "k": "c2VjcmV0"},
    {"kty": "RSA", "kid": "broken", "n": "!", "e": "AQAB"},
    {"kty": "RSA", "kid": "empty"},
    {"kty": "EC", "kid": "curve", "crv": "P-0", "x": "AA", "y": "AA"},
    {"kty": "LATTICE", "kid": "later"},
    {"kty": ["RSA"], "kid": "list"},
    {"kid": "bare"},
    signer(name="sealing").public | {"use": "enc"},
    signer(name="nameless").public | {"kid": 7},
    signer(name="misused").public | {"alg": "ES256"},
    signer(name="invented").public | {"alg": "XS256"},
    signer(name="unsigned").public | {"alg": "none"},
    signer(name="listed").public | {"alg": ["RS256"]},
    signer(name="several").public | {"use": ["sig"]},
    {"kty": "oct", "kid": "keyless"},
]


async def test_keys_that_are_of_no_use_are_passed_over(keys: SigningKeys, issuer: Issuer) -> None:
    """An issuer may publish keys of any kind beside those that we know."""
    issuer.script.add("keys", Step(body=json.dumps({"keys": [*ODD_KEYS, *KEYS["keys"]]})))

    assert await keys.find(name_of(signer()))
    for key in ODD_KEYS:
        for algorithm in ("RS256", "ES256"):
            with pytest.raises(UnknownKey):
                await keys.find((key.get("kid"), algorithm))


@pytest.mark.parametrize("odd", [*ODD_KEYS, "a word", None, 7, []])
@pytest.mark.parametrize("first", [True, False])
async def test_one_odd_key_locks_nobody_out(keys: SigningKeys, issuer: Issuer, odd: Any, first: bool) -> None:
    """A set is not refused for a key that is not understood (RFC 7517, 5), wherever in it that stands."""
    published = [odd, *KEYS["keys"]] if first else [*KEYS["keys"], odd]
    issuer.script.add("keys", Step(body=json.dumps({"keys": published})))

    assert await keys.find(name_of(signer()))


@pytest.mark.parametrize("turned", [False, True])
async def test_keys_of_different_types_may_share_an_id(keys: SigningKeys, issuer: Issuer, turned: bool) -> None:
    """Neither takes the other's place (RFC 7517, 4.5), nor does a secret, nor one that comes again."""
    curve, shared = signer("ES256").public, {"kid": signer().key_id}
    published = [signer().public, curve | shared, ODD_KEYS[0] | shared]
    again = [signer(name="other").public | shared]
    document = {"keys": [*(reversed(published) if turned else published), *again]}
    issuer.script.add("keys", Step(body=json.dumps(document)))

    for algorithm, own in {"RS256": signer().public["n"], "ES256": curve["x"]}.items():
        found = await keys.find((signer().key_id, algorithm))
        told = found.Algorithm.to_jwk(found.key, as_dict=True)
        assert own in (told.get("n"), told.get("x"))


async def test_whatever_goes_wrong_with_the_keys_is_their_issuer_s_failure(clock: Clock) -> None:
    """Also what nobody has thought of: callers may come back, and are served then."""
    mistakes: list[Exception] = [NotImplementedError(), RuntimeError("odd")]

    async def fetch() -> dict[KeyName, PyJWK]:
        if mistakes:
            raise mistakes.pop()
        return {name_of(signer()): PyJWK(signer().public)}

    keys = SigningKeys(fetch, outage_seconds=1, clock=clock)
    for _ in range(2):
        with pytest.raises(Unreachable) as refusal:
            await keys.find(name_of(signer()))
        assert (refusal.value.stage, refusal.value.retry_after) == ("identity", PAUSE_SECONDS)
        clock.now += PAUSE_SECONDS

    assert await keys.find(name_of(signer()))


CONFIGURATION = {
    "nothing": "",
    "a page": "<html>Sign in</html>",
    "a list": "[]",
    "null": "null",
    "no keys' address": '{"issuer": "ISSUER"}',
    "an address that is a number": '{"issuer": "ISSUER", "jwks_uri": 7}',
    "an address that is none": '{"issuer": "ISSUER", "jwks_uri": "keys please"}',
    "the address of a file": '{"issuer": "ISSUER", "jwks_uri": "file:///etc/passwd"}',
    "somebody else's": '{"issuer": "https://evil.example", "jwks_uri": "ISSUER/keys"}',
    "nested without end": "[" * 100_000,
    "without end": "x" * (LONGEST_DOCUMENT + 1),
}
NO_KEYS = {
    "nothing": "",
    "a page": "<html>Sign in</html>",
    "a list": "[]",
    "no keys": "{}",
    "an empty list": '{"keys": []}',
    "keys that are no list": '{"keys": 7}',
    "keys that are no objects": '{"keys": [7, "a", null]}',
    "no key of use": json.dumps({"keys": ODD_KEYS[1:]}),
    "other bytes": "\udcff".encode("utf-8", "surrogatepass").decode("latin-1"),
}
STEPS = {
    "refused": Step(status=401),
    "forbidden": Step(status=403),
    "missing": Step(status=404),
    "throttled": Step(status=429),
    "broken": Step(status=500),
    "elsewhere": Step(status=302, headers={"Location": "http://127.0.0.1:9/"}),
    "hung up": Step(drop_after=0),
    "cut": Step(drop_after=20),
    "too slow": Step(connect_seconds=1000),
    "silent": Step(hang=True),
}
RUBBISH = [
    *(
        pytest.param("configuration", Step(body=body), id=f"configuration: {name}")
        for name, body in CONFIGURATION.items()
    ),
    *(pytest.param("keys", Step(body=body), id=f"keys: {name}") for name, body in NO_KEYS.items()),
    *(
        pytest.param(where, step, id=f"{where}: {name}")
        for name, step in STEPS.items()
        for where in ("configuration", "keys")
    ),
]


@pytest.mark.parametrize(("operation", "step"), RUBBISH)
async def test_an_issuer_that_fails(issuer: Issuer, clock: Clock, operation: str, step: Step) -> None:
    """Whatever it does, callers are told within the deadline to come back; after the pause all is well."""
    body = step.body and step.body.replace("ISSUER", issuer.url)
    issuer.script.add(operation, replace(step, body=body, repeat=True))
    late = step.hang or step.connect_seconds > 0
    published = [Published(issuer.url, seconds=seconds) for seconds in (PATIENCE_SECONDS, 0.3 if late else 60.0)]

    async def fetch() -> Mapping[KeyName, PyJWK]:
        return await published.pop().keys()

    keys = SigningKeys(fetch, outage_seconds=OUTAGE_SECONDS, clock=clock)
    async with asyncio.timeout(PATIENCE_SECONDS):
        with pytest.raises(Unreachable) as refusal:
            await keys.find(name_of(signer()))
    assert (refusal.value.stage, refusal.value.retryable) == ("identity", True)

    issuer.script.clear()
    clock.now += PAUSE_SECONDS
    assert await keys.find(name_of(signer()))
    await keys.close()


async def test_nobody_is_there(clock: Clock) -> None:
    """A refused connection is no different."""
    async with issuing() as gone:
        url = gone.url
    keys = SigningKeys(Published(url, seconds=PATIENCE_SECONDS).keys, outage_seconds=1, clock=clock)
    with pytest.raises(Unreachable):
        await keys.find(("any", "RS256"))


async def test_keys_may_be_at_an_address_of_their_own(issuer: Issuer, clock: Clock) -> None:
    """Then the configuration is not asked for."""
    published = Published("https://issuer.example", f"{issuer.url}/keys", seconds=PATIENCE_SECONDS)
    keys = SigningKeys(published.keys, outage_seconds=1, clock=clock)

    assert await keys.find(name_of(signer()))
    assert issuer.asked("configuration") == 0
