"""Language tags (BCP 47, RFC 5646)."""

import re

LONGEST_TAG = 255
"""Characters. A tag without extensions has at most 35 (RFC 5646, 4.4.1); each extension adds some."""

TAG = (
    r"^[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*"
    r"([-_][A-WYZa-wyz0-9]([-_][A-Za-z0-9]{2,8})+)*"
    r"([-_][Xx]([-_][A-Za-z0-9]{1,8})+)?$"
)
"""A tag with its extensions and private use (2.2.6, 2.2.7). iOS and POSIX write an underscore for the hyphen."""

_PLAIN = re.compile(r"[a-z]{2,3}(-[a-z0-9]{2,8})*")
_REGION_LETTERS, _SCRIPT_LETTERS = 2, 4

SCRIPTS = {
    "zh-tw": "hant",
    "zh-hk": "hant",
    "zh-mo": "hant",
    "zh": "hans",
    "yue": "hant",
    "ja": "jpan",
    "ko": "kore",
    "hi": "deva",
    "he": "hebr",
    **dict.fromkeys(("ar", "fa", "ur"), "arab"),
    **dict.fromkeys(("ru", "sr", "uk"), "cyrl"),
    **dict.fromkeys(("da", "de", "en", "es", "fi", "fr", "it", "nb", "nl", "pl", "pt", "sv", "tr", "vi"), "latn"),
}
"""The script in which a language, or a language of a region, is usually written: services leave it out of their tags.

It is the Suppress-Script of IANA's registry of subtags; for Chinese and Serbian, which have none, the script of the tag
without one.
"""


def plain(tag: str) -> str:
    """*tag* without extensions and private use, and without a script that is usual there; in the usual case (2.1.1).

    ``en_us-u-hc-h12`` is ``en-US``, ``zh-Hans-CN`` is ``zh-CN``; ``sr-Latn-RS`` and ``zh-Hans`` stay as they are.
    """
    language, script, rest = _subtags(tag)
    if rest and script == _usual_script(language, rest):
        script = ""
    names = [subtag.upper() if _is_region(subtag) else subtag for subtag in rest]
    return "-".join(filter(None, [language, script.title(), *names]))


def speaks(language: str, wanted: str) -> bool:
    """Whether a voice of *language* speaks *wanted*, in any case: ``en`` is also spoken by a voice of ``en-GB``."""
    (own, own_script, own_rest), (name, script, rest) = _subtags(language), _subtags(wanted)
    own_script = own_script or _usual_script(own, own_rest)
    # Without a script, a region has its usual one: sr-RS is not spoken by sr-Latn-RS.
    script = script or (_usual_script(name, rest) if rest else "")
    return own == name and own_rest[: len(rest)] == rest and (not script or script == own_script)


def _subtags(tag: str) -> tuple[str, str, list[str]]:
    """The language, the script if the tag has one, and the other subtags but for extensions, all in lower case."""
    found = _PLAIN.match(tag.replace("_", "-").lower())
    language, *rest = found[0].split("-") if found else [tag]
    if rest and len(rest[0]) == _SCRIPT_LETTERS and rest[0].isalpha():
        return language, rest[0], rest[1:]
    return language, "", rest


def _is_region(subtag: str) -> bool:
    return len(subtag) == _REGION_LETTERS and subtag.isalpha()


def _usual_script(language: str, rest: list[str]) -> str:
    return SCRIPTS.get("-".join([language, *rest[:1]])) or SCRIPTS.get(language, "")
