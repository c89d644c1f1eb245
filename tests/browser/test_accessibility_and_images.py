"""The look of the page, and its accessibility by axe; also the pictures of the documentation."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from playwright.sync_api import expect

ROOT = Path(__file__).parents[2]
AXE = ROOT / "node_modules/axe-core/axe.min.js"
IMAGES = ROOT / "docs/images"
PNG = b"\x89PNG\r\n\x1a\n"
MOST_BYTES = 250_000


def paths(world):
    """Every page, by a name."""
    items = world.items
    return {
        "map": "/",
        "failures": "/failures",
        "group": f"/groups/{items['down'].group_id}",
        "item": f"/items/{items['secret'].item_id}",
        "items": "/items",
        "event": "/items?event=none",
        "operations": "/operations",
        "trace": f"/trace?id={items['secret'].event_id}",
        "help": "/help",
        "problem": "/nothing",
        "credentials": f"/items/{items['content'].item_id}/edit",
        "edit": f"/items/{items['content'].item_id}/edit",
    }


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_has_a_serious_barrier(morning, visit, scheme):
    world, served_page = morning
    world.allow_edits("asset.ready")
    # axe runs as no part of the page, which its policy would not let it do.
    visitor = visit(served_page, color_scheme=scheme, bypass_csp=True)
    found = {}
    for name, path in paths(world).items():
        visitor.go(path)
        if name == "edit":
            visitor.page.get_by_role("button", name="Show and edit").click()
            expect(visitor.page.get_by_role("heading", name="Edit and retry")).to_be_visible()
        visitor.page.evaluate(AXE.read_text(encoding="utf-8"))
        diagnostics = visitor.page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
        serious = [one for one in diagnostics if one["impact"] in {"serious", "critical"}]
        if serious:
            found[name] = [(one["id"], [node["target"] for node in one["nodes"]][:5]) for one in serious]
    assert found == {}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_would_find_a_barrier(morning, visit, scheme):
    _, served_page = morning
    visitor = visit(served_page, color_scheme=scheme, bypass_csp=True)
    visitor.page.evaluate("document.querySelector('h1').outerHTML = '<p id=dim><img src=x>dim</p>'")
    visitor.page.evaluate("document.getElementById('dim').style = 'color: #777; background: #666'")
    visitor.page.evaluate(AXE.read_text(encoding="utf-8"))
    found = {one["id"] for one in visitor.page.evaluate("axe.run(document)")["violations"]}
    assert {"color-contrast", "image-alt"} <= found


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["map", "failures", "group", "item"])
def test_the_docs_have_a_picture_of_it(morning, visit, tmp_path, scheme, name):
    """With MEDIA_EVENTS_IMAGES=1 (`make images`) it writes the pictures in docs/; fonts differ between machines."""
    world, served_page = morning
    visitor = visit(served_page, color_scheme=scheme, reduced_motion="reduce")
    visitor.go(paths(world)[name])
    file = (IMAGES if os.environ.get("MEDIA_EVENTS_IMAGES") else tmp_path) / f"review-{name}-{scheme}.png"
    file.parent.mkdir(exist_ok=True)
    visitor.page.screenshot(path=file)
    assert file.read_bytes().startswith(PNG)
    assert 10_000 < file.stat().st_size < MOST_BYTES
    assert (IMAGES / file.name).read_bytes().startswith(PNG)


@pytest.mark.parametrize("width", [1920, 1280, 768, 390, 360])
def test_no_page_has_to_be_scrolled_sideways(morning, visit, width):
    world, served_page = morning
    visitor = visit(served_page)
    visitor.page.set_viewport_size({"width": width, "height": 800})
    for name, path in paths(world).items():
        visitor.go(path)
        overflow = visitor.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert overflow <= 0, name


def test_the_focused_element_is_visible(morning, visit):
    _, served_page = morning
    visitor = visit(served_page)
    for _ in range(12):
        visitor.press("Tab")
        seen = visitor.page.evaluate(
            "(() => { const e = document.activeElement;"
            " return ['', '::after'].some((part) => parseFloat(getComputedStyle(e, part).outlineWidth) >= 2"
            " && getComputedStyle(e, part).outlineStyle !== 'none'); })()"
        )
        assert seen, visitor.focused()
