"""Language tags (BCP 47, RFC 5646)."""

from tests.hygiene.structure.draw import Draw

LANGUAGES = ("en", "de", "zh", "sr", "yue", "wuu")
SCRIPTS = ("Latn", "Hans", "Cyrl")
REGIONS = ("US", "DE", "419", "HK", "AQ")
EXTENSIONS = ("u-fw-mon-mu-celsius", "u-nu-latn", "x-private", "t-de-latn", "a-bbb", "u", "x")


def language_tag(draw: Draw) -> str:
    """A tag with script, region, variants and extensions; sometimes in the form of another system."""
    parts = [draw.usually(draw.choice(LANGUAGES), "i", "x", "root")]
    parts += draw.some([draw.choice(SCRIPTS), draw.choice(REGIONS), "1996", "valencia"], 0.4)
    parts += [draw.choice(EXTENSIONS) for _ in range(draw.usually(draw.choice((0, 0, 1, 2)), draw.count(300)))]
    tag = draw.usually("-", "_").join(parts)
    tag = draw.choice((tag, tag, tag, tag.lower(), tag.upper()))
    return (
        tag
        if draw.likely(1 - 0.3 * draw.wrongness)
        else draw.choice((tag + "-", "-" + tag, tag + ".UTF-8", draw.text(), tag + "\n"))
    )
