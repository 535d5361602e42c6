"""A headless Chromium spoken to over its DevTools pipe, with the standard library only.

It keeps what a report must not cause: messages on the console, errors, requests, dialogs.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-default-apps",
    "--disable-extensions",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--remote-debugging-pipe",
)
PATIENCE = 60.0


def executable() -> str | None:
    """Return the path of a Chromium, or None."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


class Page:
    """One tab, and what happened in it: `events` holds every DevTools event since it was opened."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        target = browser.send("Target.createTarget", {"url": "about:blank"})["targetId"]
        attached = browser.send("Target.attachToTarget", {"targetId": target, "flatten": True})
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.send(f"{domain}.enable")

    def send(self, method: str, params: dict[str, Any] | None = None) -> dict[str, Any]:
        """Send a DevTools command to the tab and return its result."""
        return self._browser.send(method, params, self._session)

    @property
    def events(self) -> list[dict[str, Any]]:
        """Every event of this tab so far."""
        return [event for event in self._browser.events if event.get("sessionId") == self._session]

    def offline(self) -> None:
        """Cut the network."""
        conditions = {"offline": True, "latency": 0, "downloadThroughput": 0, "uploadThroughput": 0}
        self.send("Network.emulateNetworkConditions", conditions)

    def emulate(
        self, *, width: int = 1200, height: int = 900, scheme: str = "light", media: str = ""
    ) -> None:
        """Set the window's width and height, the colour scheme, and the medium (`print`)."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.send("Emulation.setDeviceMetricsOverride", size)
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.send("Emulation.setEmulatedMedia", {"media": media, "features": features})

    def open(self, path: Path) -> None:
        """Open a file and wait until the report says that its figures are drawn (or failed)."""
        self.send("Page.navigate", {"url": path.resolve().as_uri()})
        self.wait("document.documentElement?.dataset.figures")

    def wait(self, condition: str) -> None:
        """Wait until a JavaScript condition holds; raise TimeoutError after a minute."""
        limit = time.monotonic() + PATIENCE
        while not self.run(f"Boolean({condition})"):
            if time.monotonic() > limit:
                raise TimeoutError(f"never true in the page: {condition}")
            time.sleep(0.1)

    def run(self, script: str) -> Any:
        """Return the value of a JavaScript expression; raise RuntimeError where it throws."""
        params = {"expression": script, "returnByValue": True, "awaitPromise": True}
        answer = self.send("Runtime.evaluate", params)
        if "exceptionDetails" in answer:
            raise RuntimeError(json.dumps(answer["exceptionDetails"]))
        return answer["result"].get("value")

    def screenshot(self, path: Path, *, whole: bool = True) -> None:
        """Write a picture of the whole page (or of the window alone) as PNG."""
        answer = self.send("Page.captureScreenshot", {"captureBeyondViewport": whole})
        path.write_bytes(base64.b64decode(answer["data"]))

    def pdf(self) -> bytes:
        """Return the page printed on A4."""
        size = {"paperWidth": 8.27, "paperHeight": 11.69, "preferCSSPageSize": True, "printBackground": False}
        return base64.b64decode(self.send("Page.printToPDF", size)["data"])

    def complaints(self) -> list[str]:
        """Return every error, console message and dialog since the tab was opened."""
        kinds = {
            "Runtime.exceptionThrown",
            "Runtime.consoleAPICalled",
            "Log.entryAdded",
            "Page.javascriptDialogOpening",
        }
        return [json.dumps(event) for event in self.events if event["method"] in kinds]

    def requests(self) -> list[str]:
        """Return the address of every request but the page's own file and its data: and blob: ones."""
        urls = [
            event["params"]["request"]["url"]
            for event in self.events
            if event["method"] == "Network.requestWillBeSent"
        ]
        return [url for url in urls if not url.startswith(("data:", "blob:"))][1:]


class Browser:
    """A running Chromium; `send` speaks to it, `events` keeps what it tells."""

    def __init__(self, process: subprocess.Popen[bytes], commands: int, answers: int) -> None:
        self._process = process
        self._commands = commands
        self._answers = answers
        self._buffer = b""
        self._number = 0
        self.events: list[dict[str, Any]] = []

    def page(self) -> Page:
        """Open a tab."""
        return Page(self)

    def send(self, method: str, params: dict[str, Any] | None = None, session: str = "") -> dict[str, Any]:
        """Send a command, keep the events that arrive before its answer, and return its result."""
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": params or {}}
        message |= {"sessionId": session} if session else {}
        os.write(self._commands, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._receive()
            if answer.get("id") == self._number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return dict(answer["result"])
            if "method" in answer:
                self.events.append(answer)

    def _receive(self) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            more = os.read(self._answers, 1 << 20)
            if not more:
                raise RuntimeError(f"Chromium is gone (exit code {self._process.poll()})")
            self._buffer += more
        message, _, self._buffer = self._buffer.partition(b"\0")
        return dict(json.loads(message))


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """Run a Chromium with a fresh profile; it reads commands on descriptor 3 and answers on 4."""
    path = executable()
    if path is None:
        raise FileNotFoundError("no Chromium on this machine")
    to_child, commands = os.pipe()
    answers, from_child = os.pipe()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        script = f'exec "$@" 3<&{to_child} 4>&{from_child}'
        line = ["bash", "-c", script, "chromium", path, *FLAGS, f"--user-data-dir={profile}"]
        process = subprocess.Popen(
            line, pass_fds=(to_child, from_child), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        os.close(to_child)
        os.close(from_child)
        try:
            yield Browser(process, commands, answers)
        finally:
            os.close(commands)
            os.close(answers)
            process.terminate()
            process.wait(timeout=PATIENCE)
