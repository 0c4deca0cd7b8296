"""The part of a written text that is read aloud."""

import html
import re
from collections.abc import Callable
from urllib.parse import urlsplit

A_LINK = "a link"
"""Spoken for an address whose host is not a name."""

DEEPEST_MARKUP = 10
"""Levels of markup that are taken off one by one."""

_NO_MARKS = str.maketrans("", "", "\\*_`~[]()<>&#|")

_Rules = tuple[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]], ...]


def speakable(text: str) -> str:
    """The words of *text*, on one line; empty when there is nothing to say.

    Of Markdown and HTML the words stay. Code blocks and tables, which are meant to be seen, are removed. Links become
    their text and bare addresses their host. Emoji and control characters are removed. Text that only looks like
    markup, such as 2 * 3 * 4 and snake_case, stays.

    The function is idempotent.
    """
    plain, done = _without_markup(text)
    if not done:
        # No text has markup within markup that deep: only the marks themselves are left out.
        plain, _ = _without_markup(plain.translate(_NO_MARKS))
    return plain if any(map(str.isalnum, plain)) else ""


def _without_markup(text: str) -> tuple[str, bool]:
    """*text* without its markup, and whether that was all of it after `DEEPEST_MARKUP` rounds."""
    for _ in range(DEEPEST_MARKUP):
        if (plain := _plain(text)) == text:
            return text, True
        text = plain
    return text, False


def _plain(text: str) -> str:
    """*text* without its outermost markup."""
    lines = _apply(_BLOCKS, text.strip())
    return _one_line(_apply(_INLINE, _one_line(lines)))


def _apply(rules: _Rules, text: str) -> str:
    for pattern, replacement in rules:
        text = pattern.sub(replacement, text)
    return text


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _as_sentence(line: re.Match[str]) -> str:
    """A heading or list item with a period at its end, so that speech pauses before the next line."""
    words = line[1].rstrip()
    if line.end() < len(line.string) and words.rstrip("*_`~\"'”)]")[-1:].isalnum():
        return f"{words}."
    return words


def _host(address: re.Match[str]) -> str:
    """The host of an address, and the punctuation that follows it."""
    url = address[0].strip("<>")
    bare = _unpunctuated(url)
    try:
        host = urlsplit(bare if "://" in bare else f"//{bare}").hostname or ""
    except ValueError:
        host = ""
    name = re.sub(r"^(?:www\.)+", "", host)
    return (name if re.search(r"\.[^\W\d_]{2,}$", name) else A_LINK) + url[len(bare) :]


def _character(entity: re.Match[str]) -> str:
    return html.unescape(f"&{entity[1]};")


def _unpunctuated(url: str) -> str:
    """*url* without the punctuation of the sentence around it; a bracket that *url* itself opened belongs to it."""
    while url.endswith(tuple(".,;:!?…)]}")):
        if url[-1] == ")" and url.count("(") >= url.count(")"):
            break
        url = url[:-1]
    return url


_ATTRIBUTES = r"""(?:\s+[\w:-]+=(?:"[^"<>]*"|'[^'<>]*'|[^\s"'<>]+))*\s*/?"""
_LINE_TAGS = "br|p|div|li|ul|ol|tr|table|thead|tbody|h[1-6]|hr|blockquote|pre"
_WORD_TAGS = "a|abbr|b|code|del|em|font|i|img|ins|kbd|mark|q|s|small|span|strong|sub|sup|td|th|u"

_BLOCKS: _Rules = (
    (re.compile("[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\xad\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff]"), ""),
    (re.compile("[\ud800-\udfff\ue000-\uf8ff\ufff9-\uffff]"), ""),
    (re.compile(r"```.*?(?:```|\Z)", re.DOTALL), "\n"),
    (re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL), " "),
    (re.compile(rf"</?(?:{_LINE_TAGS}){_ATTRIBUTES}>", re.IGNORECASE), "\n"),
    (re.compile(rf"</?(?:{_WORD_TAGS}){_ATTRIBUTES}>", re.IGNORECASE), ""),
    (re.compile(r"&(?:amp;)*(#\d{1,7}|#x[0-9a-f]{1,6}|[a-z]{2,8}\d?);", re.IGNORECASE), _character),
    # Rules, the line under a heading, and the line under a table's head.
    (re.compile(r"^(?:[ \t]*[-*_=]){3,}[ \t]*$|^(?=.*---)[-|: \t]+$", re.MULTILINE), ""),
    # A table's rows have a space after their first bar; absolute values do not.
    (re.compile(r"^[ \t]*\|[ \t].*\|.*$", re.MULTILINE), ""),
    (re.compile(r"^[ \t]*\[[^\]\n]+\]:[ \t]+\S*(?:/|\.)\S*.*$", re.MULTILINE), ""),
    (re.compile(r"^[ \t]*(?:#{1,6}[ \t]+)+(.*?)(?:[ \t]+#+)?[ \t]*$", re.MULTILINE), _as_sentence),
    (re.compile(r"^[ \t]*(?:(?:[-*+•‣▪◦·–]|>+)[ \t]+)+(?:\[[ xX]\][ \t]+)?(.*)$", re.MULTILINE), _as_sentence),
)

_EMOJI = (
    "\u231a\u231b\u2328\u23cf\u23e9-\u23fa\u25aa\u25ab\u25b6\u25c0\u25fb-\u25fe\u2600-\u266c\u2670-\u27bf\u2934\u2935"
    "\u2b05-\u2b07\u2b1b\u2b1c\u2b50\u2b55\u3030\u303d\U0001f000-\U0001faff\U000e0000-\U000e007f"
)
_JOINED = f"[{_EMOJI}][{_EMOJI}\u200d\ufe00-\ufe0f\u20e3\\s]*"

_URL_END = "[^\\s<>\"'`*\u3000-\u303f\uff00-\uffef]+>?"
"""Up to a space, a quote, markup, or the punctuation of scripts that put no space after an address."""

_INLINE: _Rules = (
    # A word before the bracket makes it an index and a call, unless the target is an address.
    (re.compile(r'(?<![A-Za-z0-9_\])])!?\[([^\[\]]*)\]\((?:[^()\s]|\([^()\s]*\))*(?:\s+"[^"]*")?\)'), r"\1"),
    (re.compile(r"!?\[([^\[\]]*)\]\(\s*\w+://[^()\s]*\s*\)"), r"\1"),
    (re.compile(r"(?<![A-Za-z0-9_\])])\[([^\[\]]+)\]\[[^\[\]]*\]"), r"\1"),
    (re.compile(r"\[\^[^\]\s]+\]|\[doc\d+\]|【[^】]*】"), ""),
    (
        re.compile(rf"<?(?:https?://|(?<![A-Za-z0-9])(?:[a-z][a-z0-9+.-]{{0,15}}://|www\.)){_URL_END}", re.IGNORECASE),
        _host,
    ),
    (re.compile(r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)"), r"\2"),
    (re.compile("`"), ""),
    (re.compile(r"(?<![*A-Za-z0-9)\\])(\*{2,3})(?=[^\s*])(.+?)(?<=[^\s*])\1(?!\*)"), r"\2"),
    (re.compile(r"(?<![*A-Za-z0-9)\\])\*(?=[^\s*])(.+?)(?<=[^\s*])\*(?![*A-Za-z0-9])"), r"\1"),
    (re.compile(r"(?<![\w\\])(_{1,3})(?=[^\s_])(.+?)(?<=[^\s_])\1(?!\w)"), r"\2"),
    (re.compile(r"~~(?=\S)(.+?)(?<=\S)~~"), r"\1"),
    # Halves of emphasis, whose other half is in another sentence.
    (re.compile(r"(?<!\S)(?:\*{2,}(?=\S)|[*_](?=[^\W\d_]))"), ""),
    (re.compile(r"(?:(?<=\S)\*{2,}|(?<=[.!?,;:…。！？)])[*_])(?!\S)"), ""),
    (re.compile(r"\\+([*_`#~\[\]()])"), r"\1"),
    (re.compile(rf"\s*{_JOINED}(?=[.,!?;:)…]|$)"), ""),
    (re.compile(_JOINED), " "),
    (re.compile("[\u20e3\ufe00-\ufe0f\U000e0100-\U000e01ef]"), ""),
    # Persian and the scripts of India need their joiners.
    (re.compile("(?<![\u0600-\u109f])[\u200c\u200d]"), ""),
    # Closing marks of a sentence that was already spoken.
    (re.compile(r"^(?:[!?.,;:…。！？\"'”’»)\]]+\s+)+"), ""),
)
