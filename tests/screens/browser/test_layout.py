"""Layout in a real browser: drawn with mouse, touch and keys, saved, and edited by two people at a time."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.kit.browser import Inspector, by, connected, cut_off, inspector, leave, open_page, speak
from tests.kit.drawing import Drawing, store_master, stored
from tests.kit.parts import png, wait_until
from tests.kit.scene import plate

pytestmark = pytest.mark.system
_COUNT_MESSAGES = """() => {
  const send = socket.emit;
  window.sent = [];
  socket.emit = function (name, ...rest) { window.sent.push(name); return send.call(this, name, ...rest); };
}"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Inspector]:
    with inspector(tmp_path_factory.mktemp("layout")) as made:
        yield made


def opened(browser: Browser, made: Inspector, role_id: str, *, touch: bool = False) -> tuple[Page, Drawing]:
    page = open_page(browser, f"{made.url}/layout?role={role_id}", touch=touch)
    return page, Drawing(page)


def save(page: Page, revision: int) -> None:
    by(page, "save").click()
    expect(by(page, "saved")).to_have_text(re.compile(f"revision {revision}$"))


def change_by_numbers(page: Page, drawing: Drawing) -> None:
    """Angle, name, scale and a size in mm, typed into the fields."""
    drawing.choose("roi-0", "roi:0")
    by(page, "number-angle").fill("-30.5")
    by(page, "number-angle").press("Enter")
    drawing.shows("roi:0", angle=-30.5)
    by(page, "name").fill("ring")
    by(page, "name").press("Enter")
    by(page, "save").click()
    expect(page.get_by_text("The scale is missing")).to_be_visible()
    by(page, "scale").fill("0.25")
    by(page, "scale").press("Enter")
    expect(by(page, "number-cx-mm")).to_have_value(re.compile("^7[45]"))
    by(page, "number-r-mm").fill("30")
    by(page, "number-r-mm").press("Tab")
    drawing.shows("roi:0", r=120)


def test_shapes_are_drawn_changed_saved_and_there_again(browser: Browser, made: Inspector) -> None:
    store_master(made, "disc")
    page, drawing = opened(browser, made, "disc")
    drawing.draw("annulus", (320, 240), (420, 240))
    drawing.shows("roi:0", cx=320, cy=240, r=100, r_inner=60)
    drawing.draw("rect", (40, 30), (140, 90))
    drawing.shows("roi:1", x=40.5, y=30.5, w=100, h=60)
    drawing.draw("circle", (560, 100), (590, 140))
    drawing.shows("roi:2", cx=560, cy=100, r=50)

    drawing.choose("roi-0", "roi:0")
    drawing.pull("turn", (420, 240))  # to three o'clock: a quarter clockwise
    drawing.shows("roi:0", angle=90)
    drawing.pull("r_inner", (320, 200))
    drawing.shows("roi:0", r_inner=40)
    drawing.pull("move", (300, 260))
    drawing.shows("roi:0", cx=300, cy=260)
    drawing.drag((60, 60), (80, 80))  # the rectangle by its body, without choosing it first
    drawing.shows("roi:1", x=60.5, y=50.5)
    drawing.pull("1,1", (180, 130))
    drawing.shows("roi:1", x=60.5, y=50.5, w=120, h=80)

    for _ in range(3):
        drawing.key("ArrowRight")
    drawing.key("Shift+ArrowDown")
    drawing.shows("roi:1", x=63.5, y=60.5)
    for keys in ("Control+z", "Control+z"):
        drawing.key(keys)
    drawing.shows("roi:1", x=62.5, y=50.5)
    drawing.key("Control+y")
    drawing.shows("roi:1", x=63.5, y=50.5)
    drawing.key("Control+c")
    drawing.key("Control+v")
    drawing.shows("roi:3", x=83.5, y=70.5, w=120)
    drawing.key("Delete")
    drawing.gone("roi:3")

    change_by_numbers(page, drawing)
    save(page, 2)

    kept = stored(made, "disc")
    assert [roi["roi_id"] for roi in kept["rois"]] == ["ring", "region-2", "region-3"]
    assert kept["rois"][0]["angle_deg"] == -30.5
    page.reload()
    connected(page)
    again = Drawing(page)
    again.shows("roi:0", angle=-30.5, r=120)
    again.shows("roi:1", x=63.5, y=50.5, w=120, h=80)
    assert page.errors == []  # type: ignore[attr-defined]
    leave(page)


def test_drawn_at_the_right_place_after_zoom_and_pan_and_one_message_for_each_drag(
    browser: Browser, made: Inspector
) -> None:
    store_master(made, "zoomed")
    page, drawing = opened(browser, made, "zoomed")
    page.mouse.move(*drawing.on_screen((400, 300)))
    before = drawing.on_screen((400, 300))
    page.mouse.wheel(0, -600)
    page.wait_for_function("() => document.querySelector('.roi-editor image').getScreenCTM().a > 1.9")
    assert drawing.on_screen((400, 300)) == pytest.approx(before, abs=1)  # what lies under the pointer stays there
    start = drawing.on_screen((400, 300))
    drawing.drag_on_screen(start, (start[0] - 60, start[1] - 30))
    assert drawing.on_screen((400, 300)) == pytest.approx((start[0] - 60, start[1] - 30), abs=1)
    drawing.draw("rect", (380, 280), (430, 320))
    drawing.shows("roi:0", x=380.5, y=280.5, w=50, h=40)

    page.evaluate(_COUNT_MESSAGES)
    drawing.drag((400, 300), (420, 310), moves=60)
    drawing.shows("roi:0", x=400.5, y=290.5)
    assert page.evaluate("() => window.sent.filter((name) => name === 'event').length") == 1
    by(page, "zoom-fit").click()
    page.wait_for_function("() => document.querySelector('.roi-editor image').getScreenCTM().a < 1.5")
    leave(page)


def test_what_cannot_be_is_not_made_and_a_locked_layout_stays(browser: Browser, made: Inspector) -> None:
    store_master(made, "strict")
    page, drawing = opened(browser, made, "strict")
    drawing.use("rect")
    page.mouse.click(*drawing.on_screen((200, 200)))
    expect(page.get_by_text("Too small")).to_be_visible()
    drawing.gone("roi:0")
    drawing.drag((540, 400), (900, 700))  # out of the picture: cut off at its edge
    drawing.shows("roi:0", x=540.5, y=400.5, w=99, h=79)
    by(page, "number-w").fill("300")
    by(page, "number-w").press("Enter")
    expect(page.get_by_text("outside of the picture")).to_be_visible()
    expect(by(page, "number-w")).to_have_value(re.compile(r"^(98|99)"))
    drawing.draw("mark", (180, 380), (240, 440))  # a flat place of the plate: only the service can see that
    by(page, "scale").fill("0.25")
    by(page, "scale").press("Enter")
    by(page, "save").click()
    expect(page.get_by_text("shows next to nothing").first).to_be_visible()
    drawing.choose("mark-0", "mark:0")
    by(page, "tool-delete").click()
    by(page, "tool-lock").click()
    drawing.drag((560, 415), (400, 300))
    drawing.shows("roi:0", x=540.5, y=400.5)
    expect(by(page, "tool-rect")).to_be_disabled()
    save(page, 2)
    by(page, "tool-lock").click()
    by(page, "confirm").click()
    expect(by(page, "tool-rect")).to_be_enabled()
    drawing.drag((560, 415), (460, 315))
    drawing.shows("roi:0", x=440.5, y=300.5)

    asked: list[str] = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss()))
    by(page, "go-connection").click()  # something is not saved: the browser asks, and stays
    wait_until(lambda: page.wait_for_timeout(50) or asked == ["beforeunload"])  # what is asked is heard in between
    assert page.url.endswith("role=strict")
    page.close()  # its answer to leaving is no


def test_a_finger_draws_moves_and_two_fingers_zoom(browser: Browser, made: Inspector) -> None:
    store_master(made, "touched")
    page, drawing = opened(browser, made, "touched", touch=True)
    touches = page.context.new_cdp_session(page)

    def fingers(kind: str, *places: tuple[float, float]) -> None:
        points = [{"x": x, "y": y, "id": n} for n, (x, y) in enumerate(places)]
        touches.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    def drag(start: tuple[float, float], end: tuple[float, float]) -> None:
        fingers("touchStart", start)
        for step in range(1, 7):
            fingers("touchMove", (start[0] + (end[0] - start[0]) * step / 6, start[1] + (end[1] - start[1]) * step / 6))
        fingers("touchEnd")

    drawing.use("circle")
    drag(drawing.on_screen((300, 200)), drawing.on_screen((380, 200)))
    drawing.shows("roi:0", cx=300, cy=200, r=80)
    touch = page.locator("[data-handle='r'] circle.touch").bounding_box()
    assert touch is not None
    assert min(touch["width"], touch["height"]) >= 44
    drag(drawing.handle("r"), drawing.on_screen((420, 200)))
    drawing.shows("roi:0", r=120)
    drag(drawing.on_screen((300, 240)), drawing.on_screen((340, 280)))
    drawing.shows("roi:0", cx=340, cy=240)
    middle = drawing.on_screen((320, 240))
    scale = "() => document.querySelector('.roi-editor image').getScreenCTM().a"
    before = page.evaluate(scale)
    fingers("touchStart", (middle[0] - 50, middle[1]), (middle[0] + 50, middle[1]))
    for apart in (70, 100, 130):
        fingers("touchMove", (middle[0] - apart, middle[1]), (middle[0] + apart, middle[1]))
    fingers("touchEnd")
    assert page.evaluate(scale) == pytest.approx(before * 2.6, rel=0.1)
    drawing.shows("roi:0", cx=340, cy=240, r=120)
    assert page.errors == []  # type: ignore[attr-defined]
    leave(page)


def test_two_browsers_edit_one_layout_and_the_later_one_is_told(browser: Browser, made: Inspector) -> None:
    store_master(made, "shared")
    first, hers = opened(browser, made, "shared")
    second, his = opened(browser, made, "shared")
    for page, drawing, start in ((first, hers, (100, 100)), (second, his, (300, 100))):
        drawing.draw("rect", start, (start[0] + 80, start[1] + 60))
        by(page, "scale").fill("0.25")
        by(page, "scale").press("Enter")
    save(first, 2)
    by(second, "save").click()
    expect(by(second, "changed")).to_contain_text("revision 2")
    by(second, "changed-both").click()
    expect(by(second, "both")).to_be_visible()
    expect(second.locator(".roi-editor path.theirs")).to_have_count(1)
    his.shows("roi:0", x=300.5)  # his own is not lost
    assert stored(made, "shared")["rois"][0]["shape"]["x"] == pytest.approx(100.5, abs=1)  # nor hers
    by(second, "overwrite").click()
    by(second, "confirm").click()
    expect(by(second, "saved")).to_have_text(re.compile("revision 3$"))
    assert stored(made, "shared")["rois"][0]["shape"]["x"] == pytest.approx(300.5, abs=1)

    hers.draw("circle", (500, 300), (540, 300))
    by(first, "save").click()
    by(first, "changed-theirs").click()
    hers.shows("roi:0", x=300.5)
    hers.gone("roi:1")
    expect(by(first, "saved")).to_have_text(re.compile("revision 3$"))
    leave(first)
    leave(second)


def test_a_new_part_from_file_to_alignment_and_its_end(browser: Browser, made: Inspector, tmp_path: Path) -> None:
    for name, data in (
        ("plate.png", png(plate())), ("next.png", png(plate(9, -6, 4.0))), ("broken.png", b"\x89PNG not really"),
    ):  # fmt: skip
        (tmp_path / name).write_bytes(data)
    page = open_page(browser, f"{made.url}/layout")
    by(page, "new-role").click()
    by(page, "role-name").fill("Plate 7 A")
    by(page, "role-do").click()
    page.wait_for_url(re.compile("role=Plate"))
    connected(page)
    upload = by(page, "master-upload").locator("input[type=file]")
    upload.set_input_files(tmp_path / "broken.png")
    expect(page.get_by_text(re.compile("damaged|not a picture")).first).to_be_visible()
    upload.set_input_files(tmp_path / "plate.png")
    drawing = Drawing(page)
    drawing.draw("measure", (100, 100), (300, 100))
    by(page, "length").fill("50")
    by(page, "take-over").click()
    expect(by(page, "scale")).to_have_value(re.compile(r"^0\.2[45]"))
    drawing.draw("rect", (300, 200), (400, 260))
    drawing.draw("mark", (105, 135), (190, 205))
    drawing.draw("mark", (465, 275), (535, 345))
    save(page, 2)
    by(page, "try-upload").locator("input[type=file]").set_input_files(tmp_path / "next.png")
    facts = by(page, "trial-facts")
    expect(facts).to_contain_text(re.compile(r"Turn: (3\.9|4\.0)\d°"))
    expect(facts).to_contain_text(re.compile(r"Mark 2: \d+ %"))
    expect(page.locator(".roi-editor g[transform^='matrix(0.997']")).to_have_count(1)  # the ROIs went along
    assert cut_off(page) == []
    by(page, "back-to-master").click()
    expect(page.locator(".roi-editor .handle").first).to_be_attached()
    speak(page, "es")
    Drawing(page)
    expect(by(page, "save")).to_contain_text("Guardar")
    assert cut_off(page) == []
    speak(page, "en")
    by(page, "delete-role").click()
    by(page, "confirm").click()
    wait_until(lambda: httpx.get(f"{made.service_url}/layouts/Plate%207%20A", trust_env=False).status_code == 404)
    page.wait_for_url(re.compile("/layout$"))
    leave(page)
