"""A real browser before a live server; what it looked like is kept when a test fails."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Request, sync_playwright

CHROMIUM = Path("/usr/bin/chromium")
FAILURES = Path(__file__).parent / "failures"
WIDTHS = {"phone": (390, 844), "desk": (1360, 860)}


@dataclass
class Visitor:
    """A page of the browser, with the address of the site and everything the browser complained about."""

    page: Page
    address: str
    complaints: list[str] = field(default_factory=list)

    def open(self, path: str) -> None:
        response = self.page.goto(f"{self.address}{path}")
        assert response is not None
        assert response.ok, f"{path} answered {response.status}"

    def sign_in(self, name: str, password: str) -> None:
        self.open("/admin/login/")
        self.page.fill("#id_username", name)
        self.page.fill("#id_password", password)
        self.page.press("#id_password", "Enter")
        self.page.wait_for_url(re.compile("/admin/$"))

    def note_failed_request(self, failed: Request) -> None:
        # ERR_ABORTED is the browser's own doing: it moved on, or has the icon of the page already.
        if failed.failure != "net::ERR_ABORTED":
            self.complaints.append(f"{failed.url}: {failed.failure}")

    def is_too_wide(self) -> bool:
        return bool(self.page.evaluate("document.documentElement.scrollWidth > window.innerWidth"))


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if not CHROMIUM.exists():
        pytest.skip("needs Debian's chromium (apt-get install chromium)")
    # Playwright's loop lives in the main thread, where Django then suspects an async view behind every query.
    before = os.environ.get("DJANGO_ALLOW_ASYNC_UNSAFE")
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    try:
        with sync_playwright() as playwright:
            chromium = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
            yield chromium
            chromium.close()
    finally:
        if before is None:
            del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]
        else:
            os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = before


@pytest.fixture(params=sorted(WIDTHS))
def visitor(request: pytest.FixtureRequest, browser: Browser, live_server: Any) -> Iterator[Visitor]:
    """One visitor per test and width."""
    width, height = WIDTHS[request.param]
    context = browser.new_context(viewport={"width": width, "height": height})
    page = context.new_page()
    page.set_default_timeout(20_000)
    visitor = Visitor(page, live_server.url)
    page.on("console", lambda message: visitor.complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: visitor.complaints.append(str(error)))
    page.on("requestfailed", visitor.note_failed_request)
    yield visitor
    if getattr(request.node, "has_failed", False):
        FAILURES.mkdir(exist_ok=True)
        name = re.sub(r"[^\w-]+", "_", request.node.name)
        page.screenshot(path=FAILURES / f"{name}.png", full_page=True)
        (FAILURES / f"{name}.html").write_text(page.content())
    context.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
    """Lets the fixture above know how its test went."""
    report = yield
    if report.when == "call" and report.failed:
        item.has_failed = True  # type: ignore[attr-defined]
    return report


@pytest.fixture
def check(visitor: Visitor) -> Callable[[str], None]:
    """Opens a page and asserts that it fits the screen and that nothing was complained about."""

    def check_page(path: str) -> None:
        visitor.open(path)
        visitor.page.wait_for_load_state("networkidle")
        assert not visitor.is_too_wide(), f"{path} is wider than the screen"
        assert visitor.complaints == []

    return check_page
