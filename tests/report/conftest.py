"""The invented release and the Chromium of the browser's tests."""

from tests.browser.conftest import browser, release, rows

__all__ = ["browser", "release", "rows"]
