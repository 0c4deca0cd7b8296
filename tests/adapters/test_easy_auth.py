"""Callers as App Service Authentication tells of them."""

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import Headers

from voice_core.adapters.easy_auth import LONGEST_PRINCIPAL, EasyAuthCallers
from voice_core.domain.errors import Unauthenticated
from voice_core.domain.user import user_id_of

TENANT, OBJECT = "11111111-0000-0000-0000-000000000000", "22222222-0000-0000-0000-000000000000"
OBJECT_CLAIM = "http://schemas.microsoft.com/identity/claims/objectidentifier"
TENANT_CLAIM = "http://schemas.microsoft.com/identity/claims/tenantid"
NAME_CLAIM = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/nameidentifier"


def principal(provider: Any, *claims: tuple[Any, Any]) -> str:
    """The header's value, as the platform makes it."""
    listed = [{"typ": name, "val": value} for name, value in claims]
    document = {"auth_typ": provider, "name_typ": "name", "role_typ": "roles", "claims": listed}
    return base64.b64encode(json.dumps(document).encode()).decode()


ANNA = principal("aad", (OBJECT_CLAIM, OBJECT), (TENANT_CLAIM, TENANT), (NAME_CLAIM, "pairwise"), ("groups", "a"))


async def named(*values: str, **others: str) -> str:
    shown = [*(("x-ms-client-principal", value) for value in values), *others.items()]
    raw = [(name.replace("_", "-").encode(), value.encode("latin-1")) for name, value in shown]
    return await EasyAuthCallers().identify(Headers(raw=raw))


async def test_a_person_of_a_tenant_is_its_object() -> None:
    """Under the names that the platform gives claims, and under those in the token."""
    assert await named(ANNA) == await named(principal("aad", ("oid", OBJECT), ("tid", TENANT), ("sub", "other")))


async def test_the_same_person_where_the_app_checks_tokens() -> None:
    """Changing from easyauth to jwt, with the user claim oid, leaves everybody what is theirs."""
    issuer = f"https://login.microsoftonline.com/{TENANT}/v2.0"

    assert await named(ANNA) == user_id_of(issuer, OBJECT)


async def test_others_are_their_provider_s_subject() -> None:
    """Providers may call different people the same."""
    google, facebook = [principal(provider, (NAME_CLAIM, "1")) for provider in ("google", "facebook")]

    assert await named(google) != await named(facebook)
    assert await named(google) == await named(principal("google", ("sub", "1"), (NAME_CLAIM, "1")))


async def test_another_tenant_s_object_is_somebody_else() -> None:
    """Whatever their ids are."""
    other = principal("aad", (OBJECT_CLAIM, OBJECT), (TENANT_CLAIM, "33333333-0000-0000-0000-000000000000"))

    assert await named(other) != await named(ANNA)


async def test_a_person_without_an_object_is_their_subject() -> None:
    """A registration may leave claims out; nobody becomes somebody else by that."""
    told = [("oid", "1"), ("sub", "1")]

    named_by = [await named(principal("aad", claim)) for claim in told]
    named_by.append(await named(principal("aad", ("oid", "1"), ("tid", TENANT))))

    assert len({*named_by}) == 3


async def test_the_bare_id_is_not_enough() -> None:
    """It does not say whose id it is."""
    with pytest.raises(Unauthenticated):
        await named(x_ms_client_principal_id=OBJECT)


MALFORMED = {
    "nothing": "",
    "no base64": "not base64!",
    "no JSON": base64.b64encode(b"{").decode(),
    "no text": base64.b64encode(b"\xff\xfe").decode(),
    "a list": base64.b64encode(b"[]").decode(),
    "a number": base64.b64encode(b"7").decode(),
    "nested without end": base64.b64encode(b"[" * 20_000).decode(),
    "no claims": base64.b64encode(b'{"auth_typ": "aad"}').decode(),
    "claims that are a number": base64.b64encode(b'{"auth_typ": "aad", "claims": 7}').decode(),
    "claims that are words": base64.b64encode(b'{"auth_typ": "aad", "claims": ["oid"]}').decode(),
    "no provider": principal(None, ("sub", "anna")),
    "a provider without a name": principal("", ("sub", "anna")),
    "a provider that is a list": principal(["google"], ("sub", "anna")),
    "neither object nor subject": principal("aad", ("tid", TENANT), ("name", "anna")),
    "two objects": principal("aad", ("tid", TENANT), ("oid", OBJECT), (OBJECT_CLAIM, "another")),
    "no subject": principal("google", ("name", "anna")),
    "an empty subject": principal("google", ("sub", "")),
    "a subject that is a list": principal("google", ("sub", ["anna"])),
    "a claim whose name is a list": principal("google", (["sub"], "anna")),
    "more than anybody needs": f"{ANNA}{'A' * LONGEST_PRINCIPAL}",
}


@pytest.mark.parametrize("value", MALFORMED.values(), ids=MALFORMED)
async def test_what_is_not_as_the_platform_makes_it(value: str) -> None:
    """Names nobody."""
    with pytest.raises(Unauthenticated):
        await named(value)


async def test_two_callers_are_none() -> None:
    """One of them came from outside."""
    with pytest.raises(Unauthenticated):
        await named(ANNA, ANNA)


@given(
    st.recursive(
        st.none() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
    )
)
async def test_rubbish_is_refused_as_such(document: Any) -> None:
    """Whatever JSON it is."""
    with pytest.raises(Unauthenticated):
        await named(base64.b64encode(json.dumps(document).encode()).decode())
