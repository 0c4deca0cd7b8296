"""Identifying callers by the header of App Service Authentication (Easy Auth)."""

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
    """The header's value, as the platform encodes it."""
    listed = [{"typ": name, "val": value} for name, value in claims]
    document = {"auth_typ": provider, "name_typ": "name", "role_typ": "roles", "claims": listed}
    return base64.b64encode(json.dumps(document).encode()).decode()


ANNA = principal("aad", (OBJECT_CLAIM, OBJECT), (TENANT_CLAIM, TENANT), (NAME_CLAIM, "pairwise"), ("groups", "a"))


async def user_of(*values: str, **others: str) -> str:
    """The user id for a request with these principals and *others* as headers."""
    headers = [*(("x-ms-client-principal", value) for value in values), *others.items()]
    raw = [(name.replace("_", "-").encode(), value.encode("latin-1")) for name, value in headers]
    return await EasyAuthCallers().identify(Headers(raw=raw))


async def test_an_entra_user_is_identified_by_object_id() -> None:
    """Object and tenant are read under the platform's claim names and under those of the token."""
    assert await user_of(ANNA) == await user_of(principal("aad", ("oid", OBJECT), ("tid", TENANT), ("sub", "other")))


async def test_easyauth_and_jwt_give_the_same_user_id() -> None:
    """After a change from easyauth to jwt with the user claim oid, each user keeps their id and their data."""
    issuer = f"https://login.microsoftonline.com/{TENANT}/v2.0"

    assert await user_of(ANNA) == user_id_of(issuer, OBJECT)


async def test_other_users_are_identified_by_provider_and_subject() -> None:
    """The same subject of different providers is a different user."""
    google, facebook = [principal(provider, (NAME_CLAIM, "1")) for provider in ("google", "facebook")]

    assert await user_of(google) != await user_of(facebook)
    assert await user_of(google) == await user_of(principal("google", ("sub", "1"), (NAME_CLAIM, "1")))


async def test_another_tenant_s_object_is_another_user() -> None:
    """The same object id in another tenant is a different user."""
    other = principal("aad", (OBJECT_CLAIM, OBJECT), (TENANT_CLAIM, "33333333-0000-0000-0000-000000000000"))

    assert await user_of(other) != await user_of(ANNA)


async def test_missing_claims_do_not_mix_users() -> None:
    """Principals with an object id only, with a subject only, and with object and tenant are different users."""
    claims_given = [("oid", "1"), ("sub", "1")]

    users = [await user_of(principal("aad", claim)) for claim in claims_given]
    users.append(await user_of(principal("aad", ("oid", "1"), ("tid", TENANT))))

    assert len({*users}) == 3


async def test_the_bare_id_is_not_enough() -> None:
    """``x-ms-client-principal-id`` alone is refused, because it does not name the provider."""
    with pytest.raises(Unauthenticated):
        await user_of(x_ms_client_principal_id=OBJECT)


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
async def test_a_malformed_principal_is_refused(value: str) -> None:
    """A principal that the platform would not send identifies no user."""
    with pytest.raises(Unauthenticated):
        await user_of(value)


async def test_two_principals_are_refused() -> None:
    """A request with two principal headers is refused, because one of them came from the client."""
    with pytest.raises(Unauthenticated):
        await user_of(ANNA, ANNA)


@given(
    st.recursive(
        st.none() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
    )
)
async def test_any_other_json_is_refused(document: Any) -> None:
    """Any JSON that is no principal is refused as unauthenticated."""
    with pytest.raises(Unauthenticated):
        await user_of(base64.b64encode(json.dumps(document).encode()).decode())
