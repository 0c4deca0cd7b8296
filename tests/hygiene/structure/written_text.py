"""Texts that models and users write: Markdown, HTML, code, formulas, tables, in any script."""

from collections.abc import Callable

from tests.hygiene.structure.draw import Draw

Part = Callable[[Draw], str]

MARKS = (
    "*",
    "**",
    "_",
    "__",
    "~~",
    "`",
    "``",
    "$",
    "$$",
    "\\(",
    "\\[",
    "<b>",
    "[",
    "(",
    "“",
    "「",
    "【",
    "|",
    "<think>",
)
TAGS = ("think", "b", "br", "details", "speak", "table", "a href='x'", "p class=x", "!--")


def written_text(draw: Draw) -> str:
    """Some paragraphs, lists, tables, code, marks in marks, or one mark repeated."""
    return draw.choice(("\n", "\n\n", " ", "")).join(
        draw.choice(PARTS)(draw) for _ in range(draw.choice((0, 1, 1, 2, 5, 30)))
    )


def _words(draw: Draw) -> str:
    return draw.choice(
        (
            "Hello there. How are you?",
            "Am 3. Mai, z. B. um 5 Mio. Euro.",
            "これは日本語です。",
            "e.g. v1.2 costs $5",
            draw.text(200),
        )
    )


def _marked(draw: Draw) -> str:
    """Marks within marks, some of them without an end."""
    text = draw.text(20)
    for _ in range(draw.count(40)):
        mark = draw.choice(MARKS)
        text = mark + text + draw.choice((mark[::-1], mark, "", ")"))
    return text


def _repeated(draw: Draw) -> str:
    """One mark, or two, many times."""
    piece = draw.choice(
        (
            *MARKS,
            "\\",
            "&amp;",
            ".",
            "…",
            "-",
            "=",
            "#",
            ">",
            "\u200d",
            "a.",
            "1.",
            "( ",
            "www.",
            "http://",
            "[a](",
            "![",
            "&#",
        )
    )
    return piece * draw.choice((2, 10, 250, 1_000)) + draw.text(5)


def _lines(draw: Draw) -> str:
    heads = (
        "- ",
        "* ",
        "1. ",
        "> ",
        "# ",
        "###### ",
        "    ",
        "\t",
        "| ",
        "[Anna]: ",
        "[1]: http://a.b/ ",
        "===",
        "---",
    )
    return "\n".join(draw.choice(heads) * draw.choice((1, 1, 2, 30)) + draw.text(30) for _ in range(draw.count(40)))


def _code(draw: Draw) -> str:
    fence = draw.choice(("```", "~~~", "````"))
    return fence + draw.choice(("python\n", "\n", "")) + draw.text(200) + draw.choice((f"\n{fence}\n", fence, ""))


def _table(draw: Draw) -> str:
    cells = draw.count(20)
    row = "|" + "|".join(draw.text(8) for _ in range(cells)) + "|"
    return "\n".join((row, "|" + "---|" * cells, *[row] * draw.count(10)))


def _markup(draw: Draw) -> str:
    tag = draw.choice(TAGS)
    return (
        f"<{tag}>" * draw.choice((1, 1, 2, 100))
        + draw.text(30)
        + draw.choice((f"</{tag.partition(' ')[0]}>", "", "-->"))
    )


def _link(draw: Draw) -> str:
    address = draw.choice(
        ("https://www.example.com/a_(b)?c=d#e", "http://[::1", "mailto:a@b", "www.", "http://" + draw.text(30))
    )
    return draw.choice(
        (f"[{draw.text(10)}]({address})", f"<{address}>", address, f"[{draw.text(5)}][1]", f"【4:0†{draw.text(5)}】")
    )


def _formula(draw: Draw) -> str:
    body = draw.choice((r"\frac{a}{b}", "{x}_{1}^{2}", "{" * draw.count(200), r"\begin{align}" + draw.text(20)))
    return draw.choice((f"${body}$", f"$${body}$$", rf"\[{body}\]", rf"\({body}", body))


PARTS: tuple[Part, ...] = (_words, _words, _words, _marked, _repeated, _lines, _code, _table, _markup, _link, _formula)
