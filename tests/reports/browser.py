"""The browser of the tests: the system's Chromium, which Playwright drives, and what a page does in it."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--hide-scrollbars")
DRAWN = "html[data-figures]"
PATIENCE_MS = 120_000
"""Milliseconds: a page draws in a second or two, but not on a machine that does many other things."""


def executable() -> str | None:
    """Return the path of a Chromium, or None."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """Run the system's Chromium, which is there."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable(), args=FLAGS)
        yield browser
        browser.close()


class Opened:
    """A page opened from disk without a network, and what a report must not cause: messages and requests."""

    def __init__(
        self, browser: Browser, path: Path, width: int = 1200, scheme: str = "light", **more: Any
    ) -> None:
        self.complaints: list[str] = []
        self.requests: list[str] = []
        size: Any = {"width": width, "height": 900}
        context = browser.new_context(viewport=size, color_scheme=scheme, offline=True, **more)
        context.set_default_timeout(PATIENCE_MS)
        self.page: Page = context.new_page()
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("dialog", lambda dialog: self.complaints.append(dialog.message))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.goto(path.resolve().as_uri())
        if more.get("java_script_enabled", True):
            self.page.wait_for_selector(DRAWN, state="attached")

    def run(self, script: str) -> Any:
        """Return the value of a JavaScript expression."""
        return self.page.evaluate(script)

    @property
    def outside(self) -> list[str]:
        """The address of every request but the page's own file and its data: and blob: ones."""
        return [url for url in self.requests if not url.startswith(("data:", "blob:"))][1:]
