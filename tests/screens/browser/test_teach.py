"""Teach in a real browser: samples in, a lesson that goes on without its tab, the threshold dragged and adopted."""

from __future__ import annotations

import json
from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.kit.browser import Inspector, by, cut_off, inspector, leave, open_page, speak
from tests.kit.parts import RING, ROI, SCALE, disc, spoiled_disc, wait_until

pytestmark = pytest.mark.system
# Slow enough to close a tab in the middle, whatever the machine: two looks at each picture and one for each fold.
SLOW_S = "0.4"
TEACH = "/teach?role=disc&roi=ring"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Inspector]:
    """Two regions, 8 good and 2 bad parts; a camera that replays good ones."""
    folder = tmp_path_factory.mktemp("teach")
    (folder / "camera").mkdir()
    for seed in (70, 71):
        (folder / "camera" / f"part{seed}.png").write_bytes(disc(seed))
    (folder / "data" / "gui").mkdir(parents=True)
    source = {"source": {"kind": "simulated", "path": str(folder / "camera")}}
    (folder / "data" / "gui" / "preferences.json").write_text(json.dumps(source))
    with inspector(folder, {"TWIN_EMBED_S": SLOW_S}) as made:
        with service(made) as client:
            _fill(client)
        yield made


def service(made: Inspector) -> httpx.Client:
    return httpx.Client(base_url=made.service_url, timeout=60, trust_env=False)


def _fill(client: httpx.Client) -> None:
    wait_until(lambda: client.get("/health").json()["status"] == "ok", 60)
    client.put("/layouts/disc/master?revision=0", files={"image": ("master.png", disc(1))}).raise_for_status()
    rois = [
        {"roi_id": "ring", "shape": json.loads(RING), "angle_deg": 0},
        {"roi_id": "hub", "shape": {"kind": "circle", "cx": 128, "cy": 128, "r": 40}, "angle_deg": 0},
    ]
    body = {"revision": 1, "mm_per_px": SCALE, "locked": False, "marks": [], "rois": rois}
    client.put("/layouts/disc", json=body).raise_for_status()
    for label, picture, count in (("ok", disc, 8), ("ng", spoiled_disc, 2)):
        images = [("images", (f"{label}{seed}.png", picture(seed))) for seed in range(count)]
        client.post("/layouts/disc/samples", data={"label": label}, files=images).raise_for_status()


def versions(made: Inspector) -> list[tuple[int, bool, bool]]:
    with service(made) as client:
        models = client.get("/models", params=ROI).json()["models"]
    return sorted((model["model_version"], model["current"], model["calibrated"]) for model in models)


def left_well(page: Page) -> None:
    assert page.errors == []  # type: ignore[attr-defined]
    leave(page)


def test_a_lesson_goes_on_when_its_tab_is_closed_and_is_found_again(made: Inspector, browser: Browser) -> None:
    page = open_page(browser, f"{made.url}{TEACH}&step=teach")
    expect(by(page, "to-learn")).to_contain_text("8 good pictures")
    assert cut_off(page) == []
    by(page, "teach").click()
    expect(by(page, "stage")).to_contain_text("good picture")
    expect(by(page, "teach")).to_be_disabled()
    left_well(page)
    assert versions(made) == []

    page = open_page(browser, f"{made.url}{TEACH}&step=teach")
    expect(by(page, "cancel-teaching")).to_be_visible()
    expect(by(page, "left")).to_contain_text(" s left")
    speak(page, "es")
    expect(by(page, "left")).to_contain_text("quedan")
    assert cut_off(page) == []
    expect(by(page, "stage")).to_contain_text("Versión 1 entrenada")
    speak(page, "en")
    expect(by(page, "to-calibration")).to_be_visible()
    assert versions(made) == [(1, False, False)]
    left_well(page)


def test_a_lesson_that_is_cancelled_leaves_everything_as_it_was(made: Inspector, browser: Browser) -> None:
    before = versions(made)
    page = open_page(browser, f"{made.url}{TEACH}&step=teach")
    by(page, "teach").click()
    expect(by(page, "stage")).to_contain_text("good picture")
    by(page, "cancel-teaching").click()
    expect(by(page, "stage")).to_have_text("Teaching was cancelled")
    expect(by(page, "problem")).to_have_text("Nothing was changed.")
    expect(by(page, "teach")).to_be_enabled()
    assert versions(made) == before
    left_well(page)


def test_while_training_is_frozen_buttons_are_grey_and_the_reason_is_told(made: Inspector, browser: Browser) -> None:
    page = open_page(browser, f"{made.url}{TEACH}&step=teach")
    expect(by(page, "teach")).to_be_enabled()
    with service(made) as client:
        client.post("/admin/freeze", json={"why": "Audit of the year."}).raise_for_status()
        expect(by(page, "frozen")).to_contain_text("Audit of the year.")
        expect(by(page, "teach")).to_be_disabled()
        client.post("/admin/unfreeze").raise_for_status()
    expect(by(page, "frozen")).to_be_hidden()
    expect(by(page, "teach")).to_be_enabled()
    left_well(page)


@pytest.mark.parametrize("path", ["/teach?role=never&roi=seen&step=teach", "/why", "/why?inspection=unknown&region=x"])
def test_what_is_not_there_is_said_in_a_sentence(made: Inspector, browser: Browser, path: str) -> None:
    page = open_page(browser, made.url + path)
    said = {"/teach": "At least 4 good pictures", "/why": "Choose an NG inspection"}.get(path.partition("?")[0])
    expect(page.locator("body")).to_contain_text("not recorded any more" if "unknown" in path else str(said))
    if path.startswith("/teach"):
        expect(by(page, "teach")).to_be_disabled()
    leave(page)  # a picture of an unknown inspection is a 404 in the console


def test_samples_come_from_everywhere_and_are_sorted(made: Inspector, browser: Browser) -> None:
    page = open_page(browser, made.url + TEACH)
    expect(by(page, "label-ok")).to_have_text("OK · 8")
    by(page, "add-camera").click()
    by(page, "part-number").fill("B-17")
    by(page, "take").click()
    expect(by(page, "kept")).to_contain_text("1")
    by(page, "done").click()
    by(page, "add-files").click()
    files = [("a.png", disc(60)), ("broken.png", b"no picture"), ("b.png", disc(61))]
    by(page, "part-number").fill("B-18")
    page.locator("input[type=file]").set_input_files(
        [{"name": name, "mimeType": "image/png", "buffer": data} for name, data in files]
    )
    results = by(page, "files-kept")
    expect(results).to_contain_text("b.png: kept")
    expect(results).to_contain_text("broken.png: This file is not a picture")
    by(page, "done").click()
    expect(by(page, "label-ok")).to_have_text("OK · 11")
    with service(made) as client:
        listed = client.get("/datasets/samples", params={**ROI, "label": "ok"}).json()["samples"]
    assert [sample["part_id"] for sample in listed] == [None] * 8 + ["B-17", "B-18", "B-18"]

    by(page, "sample").nth(0).click()
    by(page, "golden").click()
    by(page, "golden-ok").click()
    expect(by(page, "sample").nth(0)).to_contain_text("OK")
    by(page, "move").click()
    expect(by(page, "label-ng")).to_have_text("NG · 3")
    by(page, "sample").nth(0).focus()
    page.keyboard.press("Space")
    expect(by(page, "chosen")).to_have_text("1 selected")
    by(page, "delete").click()
    by(page, "cancel").click()
    expect(by(page, "label-ok")).to_have_text("OK · 10")
    by(page, "delete").click()
    by(page, "confirm").click()
    expect(by(page, "label-ok")).to_have_text("OK · 9")
    for language in ("es", "en"):
        speak(page, language)
        expect(by(page, "sample")).to_have_count(9)
        assert cut_off(page) == []
    with service(made) as client:
        golden = client.get("/datasets/golden", params=ROI).json()["golden"]
    assert [(sample["label"], sample["expected"]) for sample in golden] == [("ng", "OK")], "a move keeps the mark"
    by(page, "label-ng").click()
    by(page, "sample").filter(has_text="OK").click()
    by(page, "move").click()
    expect(by(page, "label-ok")).to_have_text("OK · 10")
    left_well(page)


def test_the_threshold_is_dragged_and_only_adopted_when_asked(made: Inspector, browser: Browser) -> None:
    page = open_page(browser, f"{made.url}{TEACH}&step=calibrate")
    expect(by(page, "misses")).to_contain_text("%")
    expect(by(page, "evidence")).to_contain_text("NG parts are few")
    expect(by(page, "provisional")).to_contain_text("different good parts; the promise needs 59")
    expect(by(page, "provisional")).to_contain_text("strict")
    suggested = float(by(page, "threshold").input_value())
    assert cut_off(page) == []

    line = by(page, "line").bounding_box()
    assert line is not None
    page.mouse.move(line["x"] + line["width"] * 0.7, line["y"] + 80)
    page.mouse.down()
    page.mouse.move(line["x"] + line["width"] * 0.005, line["y"] + 80, steps=6)
    page.mouse.up()
    # a line that somebody puts there has no rate, however well it divides these pictures: they are counted
    expect(by(page, "false-rejects")).to_contain_text("not measured")
    expect(by(page, "false-rejects")).to_contain_text("8 of 8 of these good pictures would be rejected")
    expect(by(page, "misses")).to_contain_text("chosen by looking at these pictures")
    expect(by(page, "misses")).to_contain_text("of these NG pictures would pass")
    assert cut_off(page) == []
    dragged = float(by(page, "threshold").input_value())
    assert dragged < suggested
    page.keyboard.press("ArrowRight")
    expect(by(page, "threshold")).not_to_have_value(str(dragged))
    assert not any(calibrated for _, _, calibrated in versions(made)), "a line that is dragged is not adopted"

    by(page, "suggested").click()
    expect(by(page, "false-rejects")).not_to_contain_text("not measured")
    expect(by(page, "threshold")).to_have_value(str(suggested).rstrip("0"))
    by(page, "adopt").click()
    expect(by(page, "changes")).to_contain_text("none")
    expect(page.locator(".q-dialog").get_by_test_id("provisional")).to_contain_text("expect false rejects")
    expect(by(page, "adopt-misses")).to_contain_text("of these NG pictures would pass")
    by(page, "cancel").click()
    assert not any(calibrated for _, _, calibrated in versions(made))
    by(page, "adopt").click()
    by(page, "confirm").click()
    expect(page.locator("body")).to_contain_text("judges with threshold")
    assert versions(made)[-1][1:] == (True, True)
    by(page, "step-versions").click()
    expect(by(page, "version-1")).to_contain_text("in service")
    left_well(page)


def test_a_threshold_of_ones_own_is_not_measured_in_spanish_either(made: Inspector, browser: Browser) -> None:
    page = open_page(browser, f"{made.url}{TEACH}&step=calibrate")
    speak(page, "es")
    expect(by(page, "misses")).to_contain_text("% de confianza")
    expect(by(page, "provisional")).to_contain_text("habrá falsos rechazos")
    assert cut_off(page) == []
    number = by(page, "threshold")
    number.focus()
    number.blur()
    page.wait_for_timeout(500)
    expect(by(page, "misses")).to_contain_text("% de confianza")  # looking at a number does not make it one's own
    number.fill("0.0001")
    number.press("Enter")
    expect(by(page, "misses")).to_contain_text("no medido")
    expect(by(page, "false-rejects")).to_contain_text("De estas 8 imágenes buenas se rechazarían 8")
    assert cut_off(page) == []
    speak(page, "en")
    left_well(page)


def test_whoever_accepts_a_provisional_threshold_answers_for_it_by_name(made: Inspector, browser: Browser) -> None:
    page = open_page(browser, f"{made.url}{TEACH}&step=versions")
    row = by(page, "version-1")
    expect(row).to_contain_text("provisional")
    for language in ("es", "en"):
        speak(page, language)
        expect(by(page, "accept-1")).to_contain_text({"es": "Aceptar con nombre…", "en": "Accept by name…"}[language])
        assert cut_off(page) == []
    with service(made) as client:
        client.post("/admin/freeze", json={"why": "Audit of the year."}).raise_for_status()
        expect(by(page, "accept-1")).to_be_disabled()
        client.post("/admin/unfreeze").raise_for_status()
    by(page, "accept-1").click()
    by(page, "confirm").click()
    expect(page.get_by_text("Enter the reason")).to_be_visible()
    by(page, "why").fill("Every part is measured by hand, too.")
    by(page, "confirm").click()
    expect(page.get_by_text("no longer provisional")).to_be_visible()
    expect(row).not_to_contain_text("provisional")
    expect(by(page, "accept-1")).to_have_count(0)
    left_well(page)
    page = open_page(browser, f"{made.url}/system?tab=audit")
    expect(by(page, "entries")).to_contain_text("Provisional threshold accepted")
    expect(by(page, "entries")).to_contain_text("Every part is measured by hand, too.")
    left_well(page)
