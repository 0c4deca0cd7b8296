"""The keys of an OpenID issuer: caching, key rotation, and outages of the issuer."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from typing import Any

import pytest
from jwt import PyJWK

from emulators.openid import Signer
from emulators.script import Step
from fakes.eventually import HANG_SECONDS, eventually
from tests.clock import Clock
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
    keys = keys_of(issuer, clock)
    yield keys
    await keys.close()


def keys_of(issuer: Issuer, clock: Clock, seconds: float = HANG_SECONDS) -> SigningKeys:
    return SigningKeys(Published(issuer.url, seconds=seconds).keys, outage_seconds=OUTAGE_SECONDS, clock=clock)


def name_of(key: Signer) -> KeyName:
    return key.key_id, key.algorithm


def make_unavailable(issuer: Issuer) -> None:
    """Have *issuer* respond to every request with 503."""
    for operation in ("configuration", "keys"):
        issuer.script.add(operation, Step(status=503, repeat=True))


async def test_a_new_key_is_found_at_its_first_use(keys: SigningKeys, issuer: Issuer, clock: Clock) -> None:
    """After the issuer replaced its key, the new one is accepted at once, and from then on the old one is refused."""
    old, new = signer(), signer(name="new")
    await keys.find(name_of(old))
    issuer.signers[:] = [new]
    clock.now += PAUSE_SECONDS

    assert (await keys.find(name_of(new))).key_id == new.key_id
    with pytest.raises(UnknownKey):
        await keys.find(name_of(old))


async def test_unknown_key_ids_do_not_flood_the_issuer(keys: SigningKeys, issuer: Issuer, clock: Clock) -> None:
    """A thousand forged key ids cause one request to the issuer, and one more after each pause."""
    for pause in range(3):
        clock.now = pause * PAUSE_SECONDS
        for number in range(1000):
            with pytest.raises(UnknownKey):
                await keys.find((f"forged{number}", "RS256"))

    assert issuer.request_count() == 3


async def test_concurrent_callers_share_a_request(keys: SigningKeys, issuer: Issuer) -> None:
    """Concurrent callers share one request for keys, also if one of them disconnects while it is in progress."""
    issuer.script.add("keys", Step(connect_seconds=0.1))
    waiting = [asyncio.create_task(keys.find(name_of(signer()))) for _ in range(20)]
    await eventually(lambda: issuer.request_count() == 1)
    waiting[0].cancel()
    found = await asyncio.gather(*waiting[1:])

    assert {key.key_id for key in found} == {signer().key_id}
    assert issuer.request_count() == 1


async def test_keys_are_renewed_in_the_background(issuer: Issuer, clock: Clock) -> None:
    """No caller waits for a slow issuer while the keys are known."""
    keys = keys_of(issuer, clock, seconds=1000.0)
    await keys.find(name_of(signer()))
    issuer.script.add("keys", Step(hang=True))
    clock.now += FRESH_SECONDS
    async with asyncio.timeout(HANG_SECONDS):
        await keys.find(name_of(signer()))
    await eventually(lambda: issuer.request_count() == 2)
    await keys.close()


async def test_a_withdrawn_key_is_no_longer_accepted(keys: SigningKeys, issuer: Issuer, clock: Clock) -> None:
    """A key that the issuer withdrew is refused after `FRESH_SECONDS`, even if no token with a new one arrived."""
    await keys.find(name_of(signer()))
    issuer.signers[:] = [signer(name="new")]
    clock.now += FRESH_SECONDS
    await keys.find(name_of(signer()))
    await eventually(lambda: issuer.script.served[-1].outcome == "done" and issuer.request_count() == 2)
    async with asyncio.timeout(HANG_SECONDS):
        while True:
            try:
                await keys.find(name_of(signer()))
            except UnknownKey:
                break
            await asyncio.sleep(0)


async def test_known_keys_outlive_an_outage(keys: SigningKeys, issuer: Issuer, clock: Clock) -> None:
    """Known keys are accepted during an outage of at most *outage_seconds*, and not a second longer."""
    await keys.find(name_of(signer()))
    make_unavailable(issuer)
    clock.now = FRESH_SECONDS + OUTAGE_SECONDS - 1
    assert await keys.find(name_of(signer()))
    await eventually(lambda: issuer.request_count("configuration") == 2)
    clock.now += 1

    with pytest.raises(Unreachable):
        await keys.find(name_of(signer()))


async def test_an_unknown_key_during_an_outage_is_retryable(keys: SigningKeys, issuer: Issuer, clock: Clock) -> None:
    """While the issuer is unavailable, an unknown key may be new: the error is retryable instead of a refusal."""
    await keys.find(name_of(signer()))
    make_unavailable(issuer)
    clock.now += PAUSE_SECONDS

    with pytest.raises(Unreachable):
        await keys.find(("new", "RS256"))
    assert await keys.find(name_of(signer()))


async def test_a_failing_issuer_is_called_once_per_pause(keys: SigningKeys, issuer: Issuer, clock: Clock) -> None:
    """A caller within the pause gets the remaining seconds as ``retry_after`` at once, and is served after them."""
    issuer.script.add("configuration", Step(status=500))
    with pytest.raises(Unreachable):
        await keys.find(name_of(signer()))
    clock.now += PAUSE_SECONDS - 4
    with pytest.raises(Unreachable) as refusal:
        await keys.find(name_of(signer()))
    assert refusal.value.retry_after == 4
    assert (refusal.value.stage, refusal.value.retryable) == ("identity", True)
    assert issuer.request_count("configuration") == 1

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


async def test_unusable_keys_are_ignored(keys: SigningKeys, issuer: Issuer) -> None:
    """An issuer may publish keys of any kind in addition to those that we support."""
    issuer.script.add("keys", Step(body=json.dumps({"keys": [*ODD_KEYS, *KEYS["keys"]]})))

    assert await keys.find(name_of(signer()))
    for key in ODD_KEYS:
        for algorithm in ("RS256", "ES256"):
            with pytest.raises(UnknownKey):
                await keys.find((key.get("kid"), algorithm))


@pytest.mark.parametrize("odd", [*ODD_KEYS, "a word", None, 7, []])
@pytest.mark.parametrize("first", [True, False])
async def test_one_odd_key_does_not_invalidate_the_set(
    keys: SigningKeys, issuer: Issuer, odd: Any, first: bool
) -> None:
    """A set with a key that is not understood is accepted (RFC 7517, 5), wherever in the set that key is."""
    published = [odd, *KEYS["keys"]] if first else [*KEYS["keys"], odd]
    issuer.script.add("keys", Step(body=json.dumps({"keys": published})))

    assert await keys.find(name_of(signer()))


@pytest.mark.parametrize("reverse", [False, True])
async def test_keys_of_different_types_may_share_an_id(keys: SigningKeys, issuer: Issuer, reverse: bool) -> None:
    """A key is not replaced by one of another type with its id (RFC 7517, 4.5), by a secret, or by a duplicate."""
    curve, shared = signer("ES256").public, {"kid": signer().key_id}
    published = [signer().public, curve | shared, ODD_KEYS[0] | shared]
    again = [signer(name="other").public | shared]
    document = {"keys": [*(reversed(published) if reverse else published), *again]}
    issuer.script.add("keys", Step(body=json.dumps(document)))

    for algorithm, own in {"RS256": signer().public["n"], "ES256": curve["x"]}.items():
        found = await keys.find((signer().key_id, algorithm))
        jwk = found.Algorithm.to_jwk(found.key, as_dict=True)
        assert own in (jwk.get("n"), jwk.get("x"))


async def test_any_error_while_fetching_is_retryable(clock: Clock) -> None:
    """Even an unforeseen exception while keys are fetched is reported as a retryable failure of the issuer."""
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
    "disconnected": Step(drop_after=0),
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
    """Whatever the issuer's fault, callers get a retryable error before the deadline, and are served after a pause."""
    body = step.body and step.body.replace("ISSUER", issuer.url)
    issuer.script.add(operation, replace(step, body=body, repeat=True))
    late = step.hang or step.connect_seconds > 0
    published = [Published(issuer.url, seconds=seconds) for seconds in (HANG_SECONDS, 0.3 if late else 60.0)]

    async def fetch() -> Mapping[KeyName, PyJWK]:
        return await published.pop().keys()

    keys = SigningKeys(fetch, outage_seconds=OUTAGE_SECONDS, clock=clock)
    async with asyncio.timeout(HANG_SECONDS):
        with pytest.raises(Unreachable) as refusal:
            await keys.find(name_of(signer()))
    assert (refusal.value.stage, refusal.value.retryable) == ("identity", True)

    issuer.script.clear()
    clock.now += PAUSE_SECONDS
    assert await keys.find(name_of(signer()))
    await keys.close()


async def test_an_issuer_that_is_not_running(clock: Clock) -> None:
    """A refused connection is reported as an unreachable issuer."""
    async with issuing() as issuer:
        url = issuer.url
    keys = SigningKeys(Published(url, seconds=HANG_SECONDS).keys, outage_seconds=1, clock=clock)
    with pytest.raises(Unreachable):
        await keys.find(("any", "RS256"))


async def test_the_keys_address_may_be_configured(issuer: Issuer, clock: Clock) -> None:
    """If the address of the keys is configured, the issuer's configuration is not requested."""
    published = Published("https://issuer.example", f"{issuer.url}/keys", seconds=HANG_SECONDS)
    keys = SigningKeys(published.keys, outage_seconds=1, clock=clock)

    assert await keys.find(name_of(signer()))
    assert issuer.request_count("configuration") == 0
