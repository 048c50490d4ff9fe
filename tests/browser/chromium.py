"""A headless Chromium over its debugging pipe: pages as a person's browser makes them, without a driver.

Commands and events are those of the Chrome DevTools protocol, as JSON that ends with a zero byte.
"""

from __future__ import annotations

import base64
import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_SECONDS = 20.0
# The browser reads its commands at descriptor 3, and answers at 4, whatever numbers the pipes have here.
_START = """
import os, sys
for held, number in zip((103, 104), sys.argv[1:3]):
    os.dup2(int(number), held)
os.dup2(103, 3)
os.dup2(104, 4)
os.execvp(sys.argv[3], sys.argv[3:])
"""
_LOADED = "Page.loadEventFired"


@dataclass
class Seen:
    """What came of a page: complaints of its console, and the addresses that it asked for."""

    complaints: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)


class Chromium:
    """One page of a running browser."""

    def __init__(self, to_browser: int, from_browser: int) -> None:
        self._to, self._from = to_browser, from_browser
        self._held = b""
        self._number = 0
        self._session: str | None = None
        self.seen = Seen()
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def open(self, address: str, *, width: int = 1300, height: int = 900, dark: bool = False) -> Seen:
        """Go to an address with a screen of this size, wait until it is loaded, and tell what came of it."""
        self.seen = Seen()
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])
        self.call("Page.navigate", url=address)
        self._wait_for(_LOADED)
        return self.seen

    def value(self, expression: str) -> Any:
        """What a JavaScript expression gives on the page."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        if "exceptionDetails" in answer:
            raise AssertionError(f"{expression}: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    def screenshot(self, path: Path, *, whole: bool = False) -> None:
        """The screen, or the whole page, as PNG."""
        answer = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        path.write_bytes(base64.b64decode(answer["data"]))

    def press(self, key: str) -> None:
        """A key of the keyboard, such as Tab."""
        codes = {"Tab": 9, "Enter": 13}
        for kind in ("keyDown", "keyUp"):
            text = {"text": "\r"} if key == "Enter" and kind == "keyDown" else {}
            self.call(
                "Input.dispatchKeyEvent",
                type=kind,
                key=key,
                code=key,
                windowsVirtualKeyCode=codes[key],
                **text,
            )

    def wait_until(self, expression: str) -> None:
        """Wait until a JavaScript expression holds, on whatever page is there by then."""
        until = time.monotonic() + _SECONDS
        while time.monotonic() < until:
            with suppress(AssertionError):  # between two pages there is nothing to ask
                if self.value(f"document.readyState === 'complete' && {expression}"):
                    return
            time.sleep(0.05)
        raise AssertionError(f"{expression} did not hold within {_SECONDS} s")

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """The result of one command."""
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": parameters}
        if self._session is not None:
            message["sessionId"] = self._session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        for answer in self._messages():
            if answer.get("id") == self._number:
                if "error" in answer:
                    raise AssertionError(f"{method}: {answer['error']}")
                return answer["result"]  # type: ignore[no-any-return]
        raise AssertionError(f"{method}: no answer within {_SECONDS} s")

    def _wait_for(self, event: str) -> None:
        if not any(answer.get("method") == event for answer in self._messages()):
            raise AssertionError(f"{event} did not come within {_SECONDS} s")

    def _messages(self) -> Iterator[dict[str, Any]]:
        until = time.monotonic() + _SECONDS
        while time.monotonic() < until:
            while b"\0" in self._held:
                text, self._held = self._held.split(b"\0", 1)
                message = json.loads(text)
                self._note(message)
                yield message
            if select.select([self._from], [], [], 0.5)[0]:
                self._held += os.read(self._from, 1 << 20)

    def _note(self, message: dict[str, Any]) -> None:
        method, parameters = message.get("method"), message.get("params", {})
        if method == "Network.requestWillBeSent":
            self.seen.requests.append(parameters["request"]["url"])
        elif method == "Log.entryAdded" and parameters["entry"]["level"] in ("warning", "error"):
            self.seen.complaints.append(parameters["entry"]["text"])
        elif method == "Runtime.exceptionThrown":
            self.seen.complaints.append(str(parameters["exceptionDetails"]))
        elif method == "Runtime.consoleAPICalled" and parameters["type"] in ("warning", "error"):
            self.seen.complaints.append(str(parameters["args"]))


@contextmanager
def chromium(program: str, folder: Path) -> Iterator[Chromium]:
    """A browser whose profile is in ``folder``, ended with the block."""
    there_read, there_write = os.pipe()
    back_read, back_write = os.pipe()
    options = ("--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run")
    options += ("--remote-debugging-pipe", f"--user-data-dir={folder}")
    process = subprocess.Popen(
        [sys.executable, "-c", _START, str(there_read), str(back_write), program, *options, "about:blank"],
        pass_fds=(there_read, back_write),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(there_read)
    os.close(back_write)
    try:
        yield Chromium(there_write, back_read)
    finally:
        process.terminate()
        process.wait(10)
        os.close(there_write)
        os.close(back_read)
