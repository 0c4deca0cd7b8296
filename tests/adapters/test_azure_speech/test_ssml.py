"""Text as SSML."""

from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice_core.adapters.azure_speech.ssml import NAMESPACE, legal, ssml

ANY_TEXT = st.text(st.characters(exclude_categories=()))
"""Text of all code points, including lone surrogates and controls."""
LANG = "{http://www.w3.org/XML/1998/namespace}lang"


def parse(document: str) -> tuple[ElementTree.Element, ElementTree.Element]:
    """The ``speak`` element and the ``voice`` in it."""
    speak = ElementTree.fromstring(document.encode())  # noqa: S314
    (voice,) = speak
    return speak, voice


@given(ANY_TEXT, ANY_TEXT)
def test_any_text_survives(text: str, voice: str) -> None:
    """Every character that XML allows is spoken unchanged, and none is interpreted as markup."""
    speak, voice_element = parse(ssml(text, voice))
    assert (speak.tag, voice_element.tag, len(voice_element)) == (f"{{{NAMESPACE}}}speak", f"{{{NAMESPACE}}}voice", 0)
    assert (voice_element.text or "") == legal(text).replace("\r\n", "\n").replace("\r", "\n")


@given(ANY_TEXT)
def test_only_illegal_characters_are_left_out(text: str) -> None:
    """Only controls, surrogates and two noncharacters are left out."""
    left_out = set(text) - set(legal(text))
    assert all(ord(c) < 0x20 or 0xD800 <= ord(c) < 0xE000 or ord(c) in (0xFFFE, 0xFFFF) for c in left_out)


@pytest.mark.parametrize(
    ("voice", "language"),
    [
        ("en-US-AvaMultilingualNeural", "en-US"),
        ("sr-Latn-RS-NicholasNeural", "sr-Latn-RS"),
        ("en-US-Ava:DragonHDLatestNeural", "en-US"),
        ("Ava", "en-US"),
    ],
)
def test_the_language_is_that_of_the_voice(voice: str, language: str) -> None:
    """The document's language is the one with which the voice's name begins."""
    speak, voice_element = parse(ssml("Hello.", voice))
    assert speak.get(LANG) == language
    assert voice_element.get("name") == voice
