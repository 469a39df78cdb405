"""The operator's screen in the browser: verdicts, why, and what goes wrong on a line; no old verdict is left."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.kit.browser import Inspector, by, connected, cut_off, leave, open_page, speak
from tests.kit.line_parts import client_of, good, pictures, prefer, spoiled, teach_line
from tests.kit.parts import ROI

pytestmark = pytest.mark.system
_BOX = "e => { const b = e.getBBox(); return [b.x, b.y, b.width, b.height] }"


@pytest.fixture(scope="module")
def line(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Inspector]:
    """Taught, with the simulated camera before it."""
    made = Inspector(tmp_path_factory.mktemp("line"), {"BACKEND_MAX_IMAGE_MPX": "50"})
    try:
        made.start_service()
        teach_line(made)
        prefer(made, source={"kind": "simulated", "path": str(pictures(made.folder / "camera"))})
        made.start_gui()
        yield made
    finally:
        made.stop_gui()
        made.stop_service()


def use(page: Page, line: Inspector, kind: str, path: Path | None = None) -> None:
    """Choose that source as a person does, and go back to Inspect."""
    names = {"simulated": "Simulated camera", "folder": "Watched folder", "files": "Single files"}
    page.goto(f"{line.url}/sources")
    page.wait_for_function("() => window.socket?.connected")
    by(page, "kind").click()
    page.get_by_role("option", name=names[kind]).click()
    if path is not None:
        by(page, "path").fill(str(path))
    by(page, "use").click()
    expect(page.get_by_text("Source saved.")).to_be_visible()
    page.goto(f"{line.url}/")
    page.wait_for_function("() => window.socket?.connected")


def test_a_part_is_judged_by_key_and_the_defect_is_drawn_where_it_lies(line: Inspector, browser: Browser) -> None:
    page = open_page(browser, line.url)
    expect(by(page, "word")).to_have_text("Ready")
    by(page, "inspect").click()
    expect(by(page, "word")).to_have_text("OK")
    expect(by(page, "defect")).to_have_count(0)
    expect(by(page, "provisional")).to_contain_text("PROVISIONAL")
    expect(by(page, "provisional")).to_contain_text("too few different good parts")
    page.keyboard.type("DISC 0042")  # a scanner types, whatever has the focus
    page.keyboard.press("Enter")
    expect(by(page, "part")).to_have_value("DISC 0042")
    expect(by(page, "word")).to_have_text("OK")  # a code alone starts nothing
    page.keyboard.press("Space")
    expect(by(page, "word")).to_have_text("NG")
    expect(by(page, "about")).to_contain_text("DISC 0042")
    expect(by(page, "part")).to_have_value("")
    expect(by(page, "region").first).to_contain_text("mm²")
    expect(by(page, "heat-layer")).to_have_count(1)
    [x, y, w, h] = by(page, "defect").first.evaluate(_BOX)
    assert x < 128 + 94 < x + w
    assert y < 128 < y + h
    assert max(w, h) < 66
    expect(by(page, "past")).to_have_count(2)
    expect(by(page, "n-ng")).to_have_text("1")
    assert _height(page, "word") > 100  # read from 5 m
    for language in ("es", "en"):
        speak(page, language)
        expect(by(page, "inspect")).to_contain_text({"es": "Inspeccionar", "en": "Inspect"}[language])
        assert cut_off(page) == []
        bottom = page.evaluate("document.documentElement.scrollHeight - innerHeight")
        assert bottom <= 1, "the screen has to be scrolled"
    assert page.errors == []  # type: ignore[attr-defined]
    leave(page)


def test_a_verdict_is_provisional_until_somebody_accepts_its_threshold(line: Inspector, browser: Browser) -> None:
    page = open_page(browser, f"{line.url}/history?view=parts")
    expect(by(page, "row")).to_have_count(2)
    expect(by(page, "provisional")).to_have_count(2)
    by(page, "row").first.click()
    expect(by(page, "verdict")).to_contain_text("PROVISIONAL")
    expect(by(page, "verdict")).to_contain_text("NG")
    expect(by(page, "rows")).to_contain_text("PROVISIONAL")
    assert cut_off(page) == []
    with client_of(line) as client:
        why = {**ROI, "why": "Every part is measured by hand, too."}
        assert client.post("/models/accept", json=why).status_code == 200
    page.goto(line.url)
    connected(page)
    for word in ("OK", "NG"):
        by(page, "inspect").click()
        expect(by(page, "word")).to_have_text(word)
        expect(by(page, "provisional")).to_have_count(0)
    page.goto(f"{line.url}/history?view=parts")
    connected(page)
    expect(by(page, "row")).to_have_count(4)
    expect(by(page, "provisional")).to_have_count(2)  # what was judged before stays as it was judged
    assert page.errors == []  # type: ignore[attr-defined]
    leave(page)


def test_an_unplugged_camera_takes_the_verdict_away_and_comes_back_by_itself(line: Inspector, browser: Browser) -> None:
    camera = line.folder / "camera"
    page = open_page(browser, line.url)
    by(page, "inspect").click()
    expect(by(page, "word")).to_have_text("OK")
    away = camera.rename(camera.with_name("unplugged"))
    expect(by(page, "word")).to_have_text("ERROR")
    expect(by(page, "problem")).to_contain_text("camera does not answer")
    number = int(by(page, "word").get_attribute("data-number") or 0)
    by(page, "inspect").click()
    # the error of this part, not the one before: the camera must not be back when it is tried
    expect(by(page, "word")).to_have_attribute("data-number", str(number + 1))
    expect(by(page, "word")).to_have_text("ERROR")
    away.rename(camera)
    expect(by(page, "word")).to_have_text("Ready")
    leave(page)


def test_sources_shows_what_the_camera_sees_and_tries_its_trigger(line: Inspector, browser: Browser) -> None:
    camera = line.folder / "camera"
    page = open_page(browser, f"{line.url}/sources")
    page.wait_for_function("() => document.querySelector('[data-testid=live]').naturalWidth === 256")
    by(page, "test").click()
    expect(by(page, "result")).to_contain_text("256 × 256 pixels")
    away = camera.rename(camera.with_name("unplugged"))
    expect(by(page, "problem")).to_contain_text("camera does not answer")
    by(page, "test").click()
    expect(by(page, "result")).to_contain_text("camera does not answer")
    away.rename(camera)
    expect(by(page, "problem")).to_contain_text("gives pictures")
    for language in ("es", "en"):
        speak(page, language)
        expect(by(page, "use")).to_contain_text({"es": "Usar esta fuente", "en": "Use this source"}[language])
        assert cut_off(page) == []
    leave(page)


def test_what_is_no_picture_and_what_is_too_large_are_errors_and_the_next_part_is_judged(
    line: Inspector, browser: Browser
) -> None:
    page = open_page(browser, line.url)
    use(page, line, "files")
    huge = cv2.imencode(".png", np.zeros((10_000, 10_000), np.uint8))[1].tobytes()
    drop = page.locator("input[type=file]")
    drop.set_input_files([{"name": "torn.png", "mimeType": "image/png", "buffer": good(1)[:900]}])
    expect(by(page, "word")).to_have_text("ERROR")
    expect(by(page, "problem")).to_contain_text("damaged or incomplete")
    drop.set_input_files([{"name": "huge.png", "mimeType": "image/png", "buffer": huge}])
    expect(by(page, "problem")).to_contain_text("too large")
    drop.set_input_files([{"name": "next.png", "mimeType": "image/png", "buffer": good(1)}])
    expect(by(page, "word")).to_have_text("OK")
    expect(by(page, "about")).to_contain_text("next.png")
    leave(page)


def test_a_service_that_goes_takes_the_verdict_with_it_and_no_new_file_is_lost(
    line: Inspector, browser: Browser
) -> None:
    watched = line.folder / "watched"
    watched.mkdir()
    page = open_page(browser, line.url)
    use(page, line, "folder", watched)
    page.wait_for_timeout(1000)
    (watched / "one.png").write_bytes(good(1))
    expect(by(page, "word")).to_have_text("OK")
    line.stop_service(kill=True)
    expect(by(page, "word")).to_have_text("ERROR")
    expect(by(page, "problem")).to_contain_text("service does not answer")
    (watched / "two.png").write_bytes(spoiled())
    page.wait_for_timeout(1000)
    expect(by(page, "word")).to_have_text("ERROR")
    line.start_service()
    expect(by(page, "word")).to_have_text("NG")
    expect(by(page, "about")).to_contain_text("two.png")
    away = watched.rename(watched.with_name("away"))
    expect(by(page, "problem")).to_contain_text("folder is not there")
    away.rename(watched)
    expect(by(page, "word")).to_have_text("Ready")
    (watched / "three.png").write_bytes(good(2))
    expect(by(page, "about")).to_contain_text("three.png")
    kept = json.loads((line.data_root / "gui" / "preferences.json").read_text())
    assert kept["source"] == {"kind": "folder", "path": str(watched)}
    leave(page)


def _height(page: Page, name: str) -> float:
    """Of the letters, in pixels."""
    size: str = by(page, name).evaluate("e => getComputedStyle(e).fontSize")
    return float(size.removesuffix("px"))
