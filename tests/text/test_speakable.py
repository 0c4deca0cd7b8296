"""Speakable text has the words of the shown text, and nothing else."""

import re
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.growth.factor import MOST_GROWTH, growth
from voice_core.text.speakable import speakable

MARKED_UP = {
    "emphasis": {
        "*one*": "one",
        "**one**": "one",
        "***one***": "one",
        "_one_": "one",
        "__one__": "one",
        "~~one~~": "one",
        "**one two** three": "one two three",
        "**one *two* three**": "one two three",
        "(*one*), *two*.": "(one), two.",
        "**L**arge **L**anguage **M**odel": "Large Language Model",
        "这是**重点**内容": "这是重点内容",
        "**Note:** read it": "Note: read it",
        "**over\ntwo lines**": "over two lines",
        "**One sentence.": "One sentence.",
        "Another one.**": "Another one.",
        "*One. Two.": "One. Two.",
        r"\*not emphasis": "not emphasis",
    },
    "lines": {
        "# Title": "Title",
        "### Title ###": "Title",
        "# Learn C#": "Learn C#",
        "# Title\nText": "Title. Text",
        "## **Title**\n\nText": "Title. Text",
        "Title\n=====\nText": "Title Text",
        "- apple": "apple",
        "* apple\n* pear\n": "apple. pear",
        "- apple.\n- pear!\nDone": "apple. pear! Done",
        "• apple": "apple",
        "- [x] done\n- [ ] open": "done. open",
        "1. apple\n2. pear": "1. apple 2. pear",
        "> quoted": "quoted",
        "One\n\n---\n\nTwo": "One Two",
        "One\ntwo": "One two",
    },
    "links": {
        "[text](url)": "text",
        "See [the page](https://example.com/a_(b)?c=d).": "See the page.",
        '[text](https://example.com "Title")': "text",
        "[text][1] it": "text it",
        "[1]: https://example.com\nText": "Text",
        "![a cat](cat.png)": "a cat",
        "[![alt](a.png)](https://example.com)": "alt",
        "word[text](https://example.com)": "wordtext",
        "请看[这里](https://example.com)。": "请看这里。",
        "See https://www.example.com/path?q=1#top.": "See example.com.",
        "See <https://docs.example.co.uk/a>": "See docs.example.co.uk",
        "(see https://en.wikipedia.org/wiki/A_(b)).": "(see en.wikipedia.org).",
        "Go to www.example.com/x, now": "Go to example.com, now",
        "At http://127.0.0.1:7071/api now": "At a link now",
        "At http://localhost:3000": "At a link",
        "At http://[::1": "At a link",
        "请看https://example.com。好": "请看example.com。好",
        "ftp://files.example.com/x": "files.example.com",
        "It is so[^1]. Yes [doc2]【3†source】": "It is so. Yes",
    },
    "code": {
        "Use `print` here": "Use print here",
        "Use ``a ` b``": "Use a b",
        "`snake_case`": "snake_case",
        "```python\nx = 1\n```": "",
        "Run:\n```\nx\n```\nDone": "Run: Done",
        "Run: ```never closed": "Run:",
        "| a | b |\n|---|---|\n| 1 | 2 |\nSo": "So",
        "a ` b": "a b",
    },
    "pictures": {
        "Great! 🎉": "Great!",
        "Great 🎉!": "Great!",
        "Hi 👋 there": "Hi there",
        "a🎉b": "a b",
        "👩‍💻👍🏽 ❤️": "",
        "🇩🇪 Germany": "Germany",
        "1️⃣ First": "1 First",
        "✅ Done ⭐": "Done",
        "**🎉 Party**": "Party",
    },
    "html": {
        "<b>one</b> <i>two</i>": "one two",
        "one<br>two<br/>three": "one two three",
        "H<sub>2</sub>O": "H2O",
        '<p class="x">one</p><p>two</p>': "one two",
        '<a href="https://example.com">here</a>': "here",
        "one <!-- two --> three": "one three",
        "AT&amp;T &lt;b&gt;x&lt;/b&gt; &nbsp; y": "AT&T x y",
    },
    "characters": {
        "a\x00b\x07c": "abc",
        "a\u200bb\ufeff": "ab",
        "a\ud800b": "ab",
        " a \t b\u00a0c\r\nd ": "a b c d",
        "…": "",
        "!": "",
        '" Then': "Then",
        ".. what": "what",
        "": "",
    },
}

ROWS = [(kind, shown, spoken) for kind, rows in MARKED_UP.items() for shown, spoken in rows.items()]


@pytest.mark.parametrize(("shown", "spoken"), [row[1:] for row in ROWS], ids=[f"{row[0]}: {row[1]!a}" for row in ROWS])
def test_markup_is_not_read_aloud(shown: str, spoken: str) -> None:
    """Only words stay of markup, addresses, code, pictures and control characters."""
    assert speakable(shown) == spoken


PLAIN = [
    "Plain text, as it is.",
    "2 * 3 * 4",
    "2*3*4",
    "2**3**4",
    "2 ** 3",
    "x = a*b + c",
    "snake_case and other_case_too",
    "A* search",
    "f(*args)",
    "f[0](x)",
    "a < b and c > d",
    "x<b and c>d",
    "a <- b -> c",
    "|x| + |y| < 5",
    "C# and F#",
    "C++",
    "#1 of 3",
    "AT&T, R&D",
    "Q&A",
    "don't, it's 'fine'",
    "50% or -5 degrees",
    "$3.50 + 20 € = £7",
    ".NET and .5 litres",
    "~5 minutes",
    "a@b.com",
    "file.txt, v1.2",
    "and/or",
    "[laughs] yes",
    "[1, 2, 3]",
    "C:\\path\\file",
    "10:30 (at noon)",
    "C♯ minor",
    "25 °C, ½ cup, ™ © ®",
    "Ελληνικά, русский, 日本語。",
    "क्‍ष",
    "می‌خواهم",
    "«Oui», “yes”, „ja“",
    "e.g. this...",
    "Well… yes?!",
]


@pytest.mark.parametrize("text", PLAIN)
def test_plain_text_stays(text: str) -> None:
    """Text that only looks like markup stays."""
    assert speakable(text) == text


MARKS = st.sampled_from(
    [*"*_`~#[]()<>|-+!.:/\\&; \n1aB\"'", "**", "__", "```", "](", "http://a.bc", "www.x.yz", "- ", "# ", "🎉", "&amp;"]
)
ANY = st.lists(MARKS | st.characters(), max_size=60).map("".join)


@given(ANY)
@settings(derandomize=True, deadline=None)
def test_speaking_is_idempotent(text: str) -> None:
    """Speakable text is unchanged by `speakable`."""
    spoken = speakable(text)
    assert speakable(spoken) == spoken


@given(ANY)
@settings(derandomize=True, deadline=None)
def test_what_is_spoken_is_clean(text: str) -> None:
    """One line, no control characters or half characters, no pairs of marks around words, and words if anything."""
    spoken = speakable(text)
    assert spoken == " ".join(spoken.split())
    assert not [c for c in spoken if unicodedata.category(c) in ("Cc", "Cs", "Co") and c < "\U000f0000"]
    assert not re.search(r"(?<![\w*)\\])\*\*\w[^*]*\w\*\*(?!\w)|`|(?<!\S)\[\w+\]\(\w+\)|https?://\w", spoken)
    assert not spoken or any(map(str.isalnum, spoken))


@given(st.from_regex(r"[A-Za-z0-9,.'é好 ]{0,80}", fullmatch=True))
@settings(derandomize=True, deadline=None)
def test_words_are_never_changed(text: str) -> None:
    """Letters, digits and ordinary punctuation are unchanged after the first word has begun."""
    text = " ".join(f"So {text}".split())
    assert speakable(text) == text


@pytest.mark.parametrize(
    "mark", ["*a ", "**a ", "`a ``", "[", "[a](", "<b ", "| ", "# ", "- ", "\\*", "! ", "&amp;", "🎉 "]
)
def test_hostile_text_is_read_to_its_end(mark: str) -> None:
    """Unclosed markup takes little time in the longest text that we accept."""
    assert isinstance(speakable(mark * (4000 // len(mark)) + "x"), str)


NESTED = ["\\", "\\*", "[", "[[a](b)", "*", "**a", "_a", "~~", "<<b>b>", "&amp;amp;", "`", "![", "> ", "- ", "# ", "🎉"]


@pytest.mark.parametrize("mark", NESTED)
def test_the_work_grows_with_the_text(mark: str) -> None:
    """Markup within markup is taken off in a bounded number of rounds."""
    assert max(growth(lambda size: lambda: speakable(mark * size + "a"), 250)) <= MOST_GROWTH


@pytest.mark.parametrize("depth", [9, 40, 400])
@pytest.mark.parametrize(("opening", "closing"), [("[", "](http://a.bc)"), ("<<b>", ">"), ("\\", "")])
def test_markup_of_any_depth_leaves_its_words(opening: str, closing: str, depth: int) -> None:
    """However deep it is nested, the word in the middle is spoken."""
    spoken = speakable(f"Say {opening * depth}hello{closing * depth} now.")
    assert "hello" in spoken
    assert speakable(spoken) == spoken
