"""A newcomer with a browser, in a process of its own: `python -m tests.system.web_client LINK EVENT RECEIVER`.

Walks as docs/tutorials/first-events.md tells, from the link that `media-events review serve` prints to the delivered
event, mends the receiver on the way, and prints what the page said, as JSON. Playwright leaves a running loop in its
process, which other tests must not find.
"""

from __future__ import annotations

import json
import shutil
import sys
import urllib.request

from playwright.sync_api import Page, expect, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"]
PATIENCE_MILLISECONDS = 60_000


def walk(page: Page, link: str, event: str, mend: str) -> dict[str, str]:
    """What the page says on the way."""
    said = {}
    page.goto(link)
    expect(page.get_by_role("heading", name="for a person")).to_be_visible()
    page.get_by_role("link", name="http-503 at review-tool").click()
    said["group"] = page.get_by_role("heading", level=1).inner_text()
    said["advice"] = page.locator("section.advice").first.inner_text()
    page.get_by_role("link", name=event).click()
    expect(page.get_by_role("heading", name=event)).to_be_visible()
    said["why"] = page.locator("section.failure").inner_text()
    said["way"] = page.locator("ol.path").inner_text()
    said["body"] = page.locator("section[aria-labelledby=body]").inner_text()
    with urllib.request.urlopen(urllib.request.Request(mend, method="PUT")):  # of the demonstration
        pass

    page.get_by_role("textbox", name="Why", exact=True).fill("the review tool is back")
    page.get_by_role("button", name="Retry").click()
    # Nobody reloads: the page tells by itself.
    expect(page.locator("h1 .status")).to_have_text("Resolved")
    said["after"] = page.locator("section.act").inner_text()
    said["story"] = page.locator("ol.story").inner_text()
    said["who"] = page.locator("footer").inner_text()
    return said


def main(link: str, event: str, mend: str) -> None:
    executable = next(filter(None, map(shutil.which, NAMES)), None)
    if executable is None:
        sys.exit("this needs Chromium: on Debian and Ubuntu `apt install chromium`")
    expect.set_options(timeout=PATIENCE_MILLISECONDS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=FLAGS, chromium_sandbox=False)
        page = browser.new_page()
        page.set_default_timeout(PATIENCE_MILLISECONDS)
        said = walk(page, link, event, mend)
        browser.close()
    print(json.dumps(said))


if __name__ == "__main__":
    main(*sys.argv[1:])
