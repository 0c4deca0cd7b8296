"""Language tags as phones send them, wherever a language is an option."""

import json

import pytest

from emulators.script import Step
from tests.conftest import Product
from tests.functions.turns import recording

TAGS = {
    "en-US-u-fw-mon-mu-celsius": "en-US",
    "ar-EG-u-nu-latn": "ar-EG",
    "en-US-u-hc-h12": "en-US",
    "en-US-x-twain": "en-US",
    "de-AT-u-co-phonebk-x-a": "de-AT",
    "hi-IN-t-en-latn-m0-iso": "hi-IN",
    "en_US": "en-US",
    "zh-Hans-CN": "zh-CN",
}


def recognised(product: Product) -> list[list[str]]:
    """The languages of each utterance that was recognised."""
    return [served.facts["languages"] for served in product.services.speech.served if served.operation == "stt"]


@pytest.mark.parametrize(("tag", "plain"), TAGS.items())
@pytest.mark.parametrize("path", ["/transcribe", "/process"])
async def test_recognition_gets_the_plain_tag(product: Product, path: str, tag: str, plain: str) -> None:
    """Extensions are left out before the service is called."""
    async with product.post(path, data=recording(), params={"language": tag, "speech": "none"}) as response:
        document = await response.json()
    assert response.status == 200, document
    assert recognised(product) == [[plain]]


@pytest.mark.parametrize("tag", TAGS)
async def test_every_resource_takes_such_tags(product: Product, tag: str) -> None:
    """As one language, among several, for voices, clips and sessions."""
    async with product.get("/voices", params={"language": tag}) as response:
        assert response.status == 200
    async with product.post("/process", json={"text": "hi", "languages": [tag, "fr"], "speech": "none"}) as response:
        assert response.status == 200
    async with product.post("/session", json={"language": tag}) as response:
        assert response.status == 200
    async with product.post("/clips", json={"language": tag}) as response:
        assert (await response.json(content_type=None))["code"] != "request-invalid"


@pytest.mark.parametrize("tag", ["English please", "en-", "e", "en-US-u", "x-klingon"])
async def test_what_is_no_tag_gets_advice_for_people(product: Product, tag: str) -> None:
    """The error shows a tag instead of a regular expression."""
    async with product.post("/process", json={"text": "hi", "language": tag}) as response:
        problem = await response.json(content_type=None)
    assert (response.status, problem["code"]) == (400, "request-invalid")
    assert problem["errors"] == [{"name": "language", "detail": "give a BCP 47 language tag, such as en-US or zh-CN"}]


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"language": "tlh"}, "tlh"),
        ({"languages": "tlh,xx-YY"}, "tlh with xx-YY"),
        ({"language": "qaa-u-x1-aa"}, "qaa"),
    ],
)
@pytest.mark.parametrize("path", ["/transcribe", "/process"])
async def test_a_language_that_the_service_rejects_is_named(
    product: Product, path: str, options: dict[str, str], named: str
) -> None:
    """The service refuses the connection with 400: that is the caller's error, and is not retried."""
    product.services.speech.clear()
    product.services.speech.add("stt", Step(status=400, repeat=True))
    async with product.post(path, data=recording(), params=options) as response:
        problem = await response.json(content_type=None)

    assert (response.status, problem["code"], problem["retryable"]) == (400, "language-unsupported", False)
    assert named in problem["detail"]


async def test_a_rejected_default_language_is_the_operators_error(product: Product) -> None:
    """A caller who named no language cannot correct it."""
    product.services.speech.clear()
    product.services.speech.add("stt", Step(status=400, repeat=True))
    async with product.post("/transcribe", data=recording()) as response:
        problem = await response.json(content_type=None)

    assert (response.status, problem["code"]) == (502, "stage-failed")


@pytest.mark.parametrize("wanted", ["zh-hans-cn", "ZH-CN", "zh_Hans", "zh-CN-u-nu-hanidec", "zh-CN"])
async def test_voices_are_found_in_any_spelling(product: Product, wanted: str) -> None:
    """Case, separator, a usual script and extensions make no difference."""
    voices = [
        {"ShortName": f"{locale}-{name}", "Locale": locale, "Gender": "Female", "DisplayName": name}
        for locale, name in (("en-US", "Ava"), ("zh-CN", "Xiaoxiao"), ("zh-TW", "HsiaoChen"))
    ]
    product.services.speech.add("voices", Step(body=json.dumps(voices)))
    async with product.get("/voices", params={"language": wanted}) as response:
        document = await response.json()

    assert [voice["name"] for voice in document["voices"]] == ["zh-CN-Xiaoxiao"]
