"""Plain text as SSML, the markup that synthesis takes."""

import re
from xml.etree import ElementTree

NAMESPACE = "http://www.w3.org/2001/10/synthesis"
DEFAULT_LANGUAGE = "en-US"

ILLEGAL = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that no XML 1.0 document may contain, not even escaped (section 2.2)."""


def ssml(text: str, voice: str) -> str:
    """An SSML document in which *voice* speaks *text*; characters that XML does not allow are removed."""
    speak = ElementTree.Element("speak", {"version": "1.0", "xmlns": NAMESPACE, "xml:lang": _language(voice)})
    element = ElementTree.SubElement(speak, "voice", {"name": legal(voice)})
    element.text = legal(text)
    return ElementTree.tostring(speak, encoding="unicode")


def legal(text: str) -> str:
    """*text* without the characters that XML does not allow."""
    return ILLEGAL.sub("", text)


def _language(voice: str) -> str:
    """The locale with which a voice's name begins: ``sr-Latn-RS`` of ``sr-Latn-RS-NicholasNeural``."""
    return legal(voice).rpartition("-")[0] or DEFAULT_LANGUAGE
