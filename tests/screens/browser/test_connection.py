"""Settings -> connection: tried before it is kept; the status bar tells how the service is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.kit.browser import Inspector, by, inspector, leave, open_page, speak

pytestmark = pytest.mark.system
KEY = "s3cret-key"


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[Inspector]:
    """A service that wants a key; the screens find it in the settings of this PC."""
    with inspector(tmp_path, {"BACKEND_API_KEY": f"line:{KEY}"}) as made:
        yield made


def test_a_wrong_key_is_refused_and_not_kept(guarded: Inspector, browser: Browser) -> None:
    page = open_page(browser, f"{guarded.url}/connection")
    expect(by(page, "status")).to_contain_text("Ready")
    by(page, "key").fill("wrong")
    by(page, "save").click()
    expect(by(page, "result")).to_contain_text("refuses the key")
    assert not (guarded.data_root / "gui" / "preferences.json").exists()
    assert KEY not in page.content()
    by(page, "key").fill(KEY)
    by(page, "save").click()
    expect(by(page, "result")).to_contain_text("Saved")
    kept = json.loads((guarded.data_root / "gui" / "preferences.json").read_text())
    assert kept["api_key"] == KEY
    assert page.errors == []  # type: ignore[attr-defined]
    leave(page)


def test_a_service_that_goes_and_comes_back_is_noticed(tmp_path: Path, browser: Browser) -> None:
    with inspector(tmp_path) as made:
        page = open_page(browser, f"{made.url}/connection")
        expect(by(page, "status")).to_contain_text("Ready")
        made.stop_service(kill=True)
        expect(by(page, "status")).to_contain_text("No service")
        speak(page, "es")
        expect(by(page, "status")).to_contain_text("Sin servicio")
        made.start_service()
        expect(by(page, "status")).to_contain_text("Listo")
        leave(page)
