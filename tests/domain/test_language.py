"""Language tags in the forms that phones and browsers send."""

import re

import pytest

from voice_core.domain.language import LONGEST_TAG, TAG, plain, speaks


@pytest.mark.parametrize(
    ("tag", "expected"),
    [
        ("en-US-u-fw-mon-mu-celsius", "en-US"),
        ("ar-EG-u-nu-latn", "ar-EG"),
        ("en-US-x-twain", "en-US"),
        ("de-AT-u-co-phonebk-x-a", "de-AT"),
        ("hi-IN-t-en-latn-m0-iso", "hi-IN"),
        ("ja-JP-u-ca-japanese", "ja-JP"),
        ("en-a-bbb-x-a-ccc", "en"),
        ("en_US", "en-US"),
        ("zh_hans_cn", "zh-CN"),
        ("zh-Hans-CN", "zh-CN"),
        ("zh-Hant-TW", "zh-TW"),
        ("zh-Hans-TW", "zh-Hans-TW"),
        ("zh-Hans", "zh-Hans"),
        ("sr-Latn-RS", "sr-Latn-RS"),
        ("sr-Cyrl-RS", "sr-RS"),
        ("en-Latn-GB", "en-GB"),
        ("es-419", "es-419"),
        ("EN-us", "en-US"),
        ("zh-CN-henan", "zh-CN-henan"),
    ],
)
def test_the_plain_tag_is_what_a_service_knows(tag: str, expected: str) -> None:
    """Extensions, private use and a usual script are left out; language, region and variant stay."""
    assert re.fullmatch(TAG, tag)
    assert plain(tag) == expected
    assert plain(expected) == expected


@pytest.mark.parametrize("tag", ["", "e", "english please", "en-", "-en", "en-US-u", "en-x", "en--US", "!", "en-u-a"])
def test_other_text_is_no_tag(tag: str) -> None:
    """A tag needs a language, and a singleton needs something after it."""
    assert not re.fullmatch(TAG, tag)


def test_a_tag_of_the_longest_length_is_read() -> None:
    """There is room for dozens of extensions."""
    tag = ("en-US-u" + "-aa-bbbbbbbb" * 30)[:LONGEST_TAG].rstrip("-")
    assert re.fullmatch(TAG, tag)
    assert plain(tag) == "en-US"


@pytest.mark.parametrize(
    ("language", "wanted"),
    [
        ("zh-CN", "zh-hans-cn"),
        ("zh-CN", "zh"),
        ("zh-CN", "zh-Hans"),
        ("zh-TW", "zh-Hant"),
        ("en-GB", "EN"),
        ("en-GB", "en_gb"),
        ("en-US", "en-US-u-hc-h12"),
        ("sr-Latn-RS", "sr-Latn"),
        ("sr-Latn-RS", "sr"),
        ("zh-CN-henan", "zh-CN"),
    ],
)
def test_a_voice_speaks_its_language(language: str, wanted: str) -> None:
    """In any case, with or without region and script."""
    assert speaks(language, wanted)


@pytest.mark.parametrize(
    ("language", "wanted"),
    [
        ("de-DE", "en"),
        ("en-GB", "en-US"),
        ("zh-TW", "zh-hans-cn"),
        ("zh-TW", "zh-Hans"),
        ("sr-RS", "sr-Latn-RS"),
        ("sr-Latn-RS", "sr-RS"),
        ("zh-CN", "zh-CN-henan"),
    ],
)
def test_a_voice_of_another_language_script_or_region_does_not(language: str, wanted: str) -> None:
    """The script is that of the tag, or the usual one of its region."""
    assert not speaks(language, wanted)
