"""Plain words as the markup that synthesis takes."""

import re
from xml.etree import ElementTree

NAMESPACE = "http://www.w3.org/2001/10/synthesis"
DEFAULT_LANGUAGE = "en-US"

ILLEGAL = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that no XML 1.0 document may hold, not even escaped (section 2.2)."""


def ssml(text: str, voice: str) -> str:
    """A document that has *voice* say *text*, whatever characters are in it."""
    speak = ElementTree.Element("speak", {"version": "1.0", "xmlns": NAMESPACE, "xml:lang": _language(voice)})
    said = ElementTree.SubElement(speak, "voice", {"name": legal(voice)})
    said.text = legal(text)
    return ElementTree.tostring(speak, encoding="unicode")


def legal(text: str) -> str:
    """*text* without the characters XML does not know."""
    return ILLEGAL.sub("", text)


def _language(voice: str) -> str:
    """The locale a voice's name begins with: ``sr-Latn-RS`` of ``sr-Latn-RS-NicholasNeural``."""
    return legal(voice).rpartition("-")[0] or DEFAULT_LANGUAGE
