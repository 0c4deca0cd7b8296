"""Accessibility of the page: contrast, names for screen readers, small phones."""

import pytest

from tests.conftest import Product
from tests.web.conftest import DESKTOP, NO_UDP, PHONE, Open
from tests.web.talk import done, send

LEAST_CONTRAST = 4.5
"""WCAG 2.2, level AA (https://www.w3.org/TR/WCAG22/#contrast-minimum)."""

CONTRASTS = """(() => {
    const numbers = (color) => color.match(/[\\d.]+/g).map(Number);
    const luminance = ([r, g, b]) => [r, g, b]
        .map((part) => part / 255)
        .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4))
        .reduce((sum, part, index) => sum + part * [0.2126, 0.7152, 0.0722][index], 0);
    const ground = (element) => {
        for (; element; element = element.parentElement) {
            const color = numbers(getComputedStyle(element).backgroundColor);
            if (color.length === 3 || color[3] === 1) return color;
        }
        return [255, 255, 255];
    };
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const found = {};
    while (texts.nextNode()) {
        const text = texts.currentNode.textContent.trim();
        const element = texts.currentNode.parentElement;
        if (!text || !element.checkVisibility({ visibilityProperty: true }) || element.tagName === "OPTION") continue;
        const [dark, light] = [luminance(numbers(getComputedStyle(element).color)), luminance(ground(element))].sort();
        found[text] = (Math.max(dark, light) + 0.05) / (Math.min(dark, light) + 0.05);
    }
    return found;
})()"""


@pytest.mark.parametrize("dark", [False, True])
async def test_all_text_has_enough_contrast(open_page: Open, *, dark: bool) -> None:
    """All text, errors and notes included, has enough contrast in light and dark mode."""
    page = await open_page(NO_UDP, dark=dark)
    await send(page, "Good morning")
    await done(page, 1)
    await page.evaluate("document.getElementById('trouble').textContent = 'Something is wrong.'")
    await page.until("document.querySelector('.forget')")
    await page.evaluate("document.querySelector('.forget').click()")

    contrasts = await page.evaluate(CONTRASTS)

    assert {"Good morning", "Something is wrong.", "Really delete?"} <= set(contrasts)
    assert {text: ratio for text, ratio in contrasts.items() if ratio < LEAST_CONTRAST} == {}


async def test_every_control_has_a_name(open_page: Open) -> None:
    """Every focusable element has a name for screen readers."""
    page = await open_page(NO_UDP)
    await send(page, "Good morning")
    await done(page, 1)
    nodes = (await page.call("Accessibility.getFullAXTree"))["nodes"]
    controls = [
        (node["role"]["value"], node.get("name", {}).get("value", ""))
        for node in nodes
        if not node.get("ignored")
        and any(each["name"] == "focusable" and each["value"]["value"] for each in node.get("properties", []))
    ]
    assert {role for role, _ in controls} >= {"button", "textbox", "combobox"}
    assert [role for role, name in controls if not name and role != "RootWebArea"] == []


async def test_the_page_fits_a_small_phone(open_page: Open) -> None:
    """Nothing scrolls sideways, all controls are visible, and the conversations are behind a button."""
    page = await open_page(NO_UDP, size=PHONE)
    await send(page, "A-very-long-word-" * 20)
    await done(page, 1)

    # A phone's viewport grows with content that does not fit.
    assert await page.evaluate("[innerWidth, document.documentElement.scrollWidth]") == [PHONE[0], PHONE[0]]
    outside = await page.evaluate(
        """[...document.querySelectorAll("button, input, select")]
            .filter((element) => element.checkVisibility({ visibilityProperty: true }))
            .filter((element) => {
                const box = element.getBoundingClientRect();
                return box.left < 0 || box.right > innerWidth;
            })
            .map((element) => element.outerHTML)"""
    )
    assert outside == []
    assert not await page.evaluate("document.getElementById('side').checkVisibility({visibilityProperty: true})")
    await page.click("#menu")
    await page.until("document.getElementById('language').checkVisibility({visibilityProperty: true})")
    await page.key("keyDown", "Escape")
    await page.until("!document.getElementById('side').checkVisibility({visibilityProperty: true})")


async def test_new_text_scrolls_into_view(product: Product, open_page: Open) -> None:
    """The end of the conversation stays visible as turns are added."""
    page = await open_page(NO_UDP, size=(DESKTOP[0], 500))
    for number in range(4):
        await send(page, f"Matter {number}")
        await done(page, number + 1)

    await page.until(
        "(({scrollHeight, scrollTop, clientHeight}) => scrollHeight - scrollTop - clientHeight < 2)"
        "(document.getElementById('scroller'))"
    )
