"""The whole way of a new line in real Chromium and the real service: from the first start to a service that is gone.

One long test: each chapter needs what the one before has left.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

from service.demo.discs import ring_shape
from service.demo.view import MM_PER_PX
from tests.kit.browser import Inspector, by, connected, leave, open_page
from tests.kit.drawing import Drawing
from tests.kit.line_parts import cracked, good

pytestmark = pytest.mark.system
SIZE, SAMPLES = 512, 20
ROLE = "Disc 7"
KEY = "a-key-of-the-plant"
_BOX = "e => { const b = e.getBBox(); return [b.x, b.y, b.width, b.height] }"


@pytest.fixture
def plant(tmp_path: Path) -> Iterator[Inspector]:
    """An empty PC with the real engine, and a folder that the simulated camera replays."""
    made = Inspector(tmp_path, {"BACKEND_INPUT_SIZE": "256"})
    try:
        show(made, [good(seed, SIZE) for seed in range(1, 1 + SAMPLES)])
        made.start_service("service")
        made.start_gui()
        yield made
    finally:
        made.stop_gui()
        made.stop_service()


def show(made: Inspector, pictures: list[bytes]) -> None:
    """What comes before the camera from now on."""
    camera = made.folder / "camera"
    camera.mkdir(parents=True, exist_ok=True)
    for old in camera.iterdir():
        old.unlink()
    for number, picture in enumerate(pictures):
        (camera / f"part{number:03}.png").write_bytes(picture)


def test_from_the_first_start_to_a_service_that_is_gone(plant: Inspector, browser: Browser) -> None:
    page = open_page(browser, plant.url)
    _choose_the_camera(page, plant)
    _draw_a_turned_ring(page, plant)
    _take_twenty_good_samples(page)
    _teach(page)
    _calibrate_and_adopt(page)
    show(plant, [good(1, SIZE)])  # taught: no chance of a false reject
    _inspect_a_good_part(page, plant)
    defect, mask = cracked(77, SIZE)
    show(plant, [defect])
    _find_the_defect(page, mask)
    _see_it_in_the_history(page, plant)
    assert page.errors == []  # type: ignore[attr-defined]
    _restart_the_service_in_the_middle(page, plant)
    _use_a_wrong_key_then_the_right_one(page, plant)
    _lose_the_service(page, plant)
    leave(page)


def _choose_the_camera(page: Page, plant: Inspector) -> None:
    expect(by(page, "status")).to_contain_text("Ready")
    by(page, "go-sources").click()
    page.wait_for_url("**/sources")
    connected(page)
    by(page, "kind").click()
    page.get_by_role("option", name="Simulated camera").click()
    by(page, "path").fill(str(plant.folder / "camera"))
    by(page, "use").click()
    expect(page.get_by_text("Source saved.")).to_be_visible()


def _draw_a_turned_ring(page: Page, plant: Inspector) -> None:
    page.goto(f"{plant.url}/layout")
    connected(page)
    by(page, "new-role").click()
    by(page, "role-name").fill(ROLE)
    by(page, "role-do").click()
    page.wait_for_url(re.compile("role=Disc"))
    connected(page)
    by(page, "master").click()
    by(page, "master-source").click()
    drawing, ring = Drawing(page), ring_shape(SIZE)
    middle, radius = float(ring["cx"]), float(ring["r"])
    drawing.draw("annulus", (middle, middle), (middle + radius, middle))
    for name, value in (
        ("r", radius),
        ("r_inner", float(ring["r_inner"])),
        ("cx", middle),
        ("cy", middle),
        ("angle", 30),
    ):
        by(page, f"number-{name}").fill(f"{value:g}")
        by(page, f"number-{name}").press("Enter")
        drawing.shows("roi:0", **{name: value})
    by(page, "name").fill("ring")
    by(page, "name").press("Enter")
    by(page, "scale").fill(f"{MM_PER_PX:g}")
    by(page, "scale").press("Enter")
    by(page, "save").click()
    expect(by(page, "saved")).to_have_text(re.compile("revision 2$"))


def _take_twenty_good_samples(page: Page) -> None:
    by(page, "go-teach").click()
    page.wait_for_url("**/teach*")
    connected(page)
    by(page, "add-camera").click()
    for taken in range(1, 1 + SAMPLES):
        by(page, "take").click()
        expect(by(page, "kept")).to_contain_text(re.compile(rf"\b{taken}\b"))
    by(page, "done").click()
    expect(by(page, "label-ok")).to_have_text(f"OK · {SAMPLES}")
    expect(by(page, "sample")).to_have_count(SAMPLES)


def _teach(page: Page) -> None:
    by(page, "step-teach").click()
    expect(by(page, "to-learn")).to_contain_text(f"{SAMPLES} good pictures")
    by(page, "teach").click()
    expect(by(page, "to-calibration")).to_be_visible()


def _calibrate_and_adopt(page: Page) -> None:
    by(page, "to-calibration").click()
    expect(by(page, "evidence")).to_contain_text("NG")  # without NG samples, misses are not proven
    by(page, "adopt").click()
    by(page, "confirm").click()
    expect(page.locator("body")).to_contain_text("judges with threshold")


def _inspect_a_good_part(page: Page, plant: Inspector) -> None:
    page.goto(plant.url)
    connected(page)
    expect(by(page, "word")).to_have_text("Ready")
    by(page, "inspect").click()
    expect(by(page, "word")).to_have_text("OK")


def _find_the_defect(page: Page, mask: np.ndarray) -> None:
    page.keyboard.type("DISC-0815")
    page.keyboard.press("Enter")
    page.keyboard.press("Space")
    expect(by(page, "word")).to_have_text("NG")
    expect(by(page, "about")).to_contain_text("DISC-0815")
    expect(by(page, "region").first).to_contain_text("mm²")
    expect(by(page, "defect").first).to_be_attached()  # the picture comes after the word
    boxes = [by(page, "defect").nth(n).evaluate(_BOX) for n in range(by(page, "defect").count())]
    rows, columns = np.nonzero(mask)
    x, y = columns.mean(), rows.mean()
    assert any(left < x < left + w and top < y < top + h for left, top, w, h in boxes), (x, y, boxes)
    assert all(max(w, h) < SIZE / 4 for _, _, w, h in boxes)


def _see_it_in_the_history(page: Page, plant: Inspector) -> None:
    by(page, "go-history").click()
    page.wait_for_url("**/history*")
    connected(page)
    row = by(page, "rows").locator("[data-testid=row]").first
    expect(row).to_contain_text("DISC-0815")
    row.click()
    page.wait_for_url(re.compile(r"/history/\d"))
    connected(page)
    expect(by(page, "verdict")).to_contain_text("NG")
    by(page, "rows").locator("[data-testid=row]").first.click()
    expect(by(page, "score")).to_be_visible()
    expect(by(page, "picture").locator("image").first).to_be_attached()
    page.goto(plant.url)
    connected(page)


def _restart_the_service_in_the_middle(page: Page, plant: Inspector) -> None:
    plant.stop_service(kill=True)
    expect(by(page, "word")).to_have_text("ERROR")
    by(page, "inspect").click()
    expect(by(page, "word")).to_have_text("ERROR")
    plant.start_service("service")
    expect(by(page, "word")).to_have_text("Ready")  # nobody touched anything
    show(plant, [good(2, SIZE)])
    by(page, "inspect").click()
    expect(by(page, "word")).to_have_text("OK")


def _use_a_wrong_key_then_the_right_one(page: Page, plant: Inspector) -> None:
    plant.stop_service()
    plant.environment["BACKEND_API_KEY"] = f"line:{KEY}"
    plant.start_service("service")
    expect(by(page, "word")).to_have_text("ERROR")
    expect(by(page, "status")).to_contain_text("key")
    page.goto(f"{plant.url}/connection")
    connected(page)
    by(page, "key").fill("wrong")
    by(page, "save").click()
    expect(by(page, "result")).to_contain_text("refuses the key")
    by(page, "key").fill(KEY)
    by(page, "save").click()
    expect(by(page, "result")).to_contain_text("Saved")
    page.goto(plant.url)
    connected(page)
    expect(by(page, "word")).to_have_text("Ready")
    by(page, "inspect").click()
    expect(by(page, "word")).to_have_text("OK")


def _lose_the_service(page: Page, plant: Inspector) -> None:
    plant.stop_service(kill=True)
    expect(by(page, "word")).to_have_text("ERROR")
    expect(by(page, "problem")).to_contain_text("service does not answer")
    expect(by(page, "status")).to_contain_text("No service")
