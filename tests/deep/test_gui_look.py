"""How every screen looks in a real browser: contrast AA in light and dark, nothing cut off from 1280x800 to 4K."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Browser, Page

from tests.kit.browser import Inspector, by, connected, cut_off, open_page
from tests.kit.line_parts import ROLE, client_of, pictures, prefer, spoiled, teach_line

pytestmark = pytest.mark.system
SIZES = ((3840, 2160), (1920, 1080), (1280, 800))  # the last one is that of the next visit
TEACH = f"/teach?role={ROLE}&roi=ring"
PAGES = [
    "/", "/sources", f"/layout?role={ROLE}", TEACH, f"{TEACH}&step=calibrate", f"{TEACH}&step=versions",
    "/history?view=parts", "/history?view=regions", "/history?view=overview", "/history/INSPECTION",
    "/why?inspection=INSPECTION&region=0", "/connection",
    *(f"/system?tab={tab}" for tab in ("health", "backups", "freeze", "golden", "logs", "audit", "keys", "settings")),
]  # fmt: skip

# WCAG 2.2, 1.4.3 and 1.4.11: 4.5:1, for large text and signs 3:1; what cannot be used now is exempt. Backgrounds are
# laid over each other as the browser does; text over a picture is not looked at.
_TOO_FAINT = """() => {
  const parse = (text) => {
    const found = text.match(/[\\d.]+/g).map(Number);
    return [found[0], found[1], found[2], found.length > 3 ? found[3] : 1];
  };
  const over = (top, below) => [0, 1, 2].map((i) => top[i] * top[3] + below[i] * (1 - top[3])).concat(1);
  const light = (c) => {
    const [r, g, b] = c.slice(0, 3).map((v) => v / 255)
      .map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (e) => {
    const layers = [];
    for (let up = e; up; up = up.parentElement) {
      const style = getComputedStyle(up);
      if (style.backgroundImage !== 'none') return null;
      layers.push(parse(style.backgroundColor));
    }
    return layers.reverse().reduce((below, top) => over(top, below), [255, 255, 255, 1]);
  };
  const found = new Set();
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const e = texts.currentNode.parentElement, said = texts.currentNode.textContent.trim();
    const box = e && e.getBoundingClientRect(), style = e && getComputedStyle(e);
    if (!said || !box.width || style.visibility === 'hidden' || e.closest('svg, canvas, script, style')) continue;
    if (e.closest('[disabled], .disabled, [aria-disabled=true]')) continue;
    let opacity = 1;
    for (let up = e; up; up = up.parentElement) opacity *= Number(getComputedStyle(up).opacity);
    const back = behind(e);
    if (!back || opacity < 0.05) continue;
    const colour = parse(style.color);
    const front = over([colour[0], colour[1], colour[2], colour[3] * opacity], back);
    const [a, b] = [light(front), light(back)].sort((x, y) => y - x);
    const size = parseFloat(style.fontSize), large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    const ratio = (a + 0.05) / (b + 0.05), sign = e.closest('.q-icon') || !/[\\p{L}\\p{N}]/u.test(said);
    if (ratio < (large || sign ? 3 : 4.5)) {
      found.add(`${said.slice(0, 40)} ${ratio.toFixed(2)}: ${style.color} on ${back.slice(0, 3).map(Math.round)}`);
    };
  }
  return [...found];
}"""


@pytest.fixture(scope="module")
def used(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Inspector]:
    """A line that is taught and has found a part NG."""
    made = Inspector(tmp_path_factory.mktemp("look"))
    try:
        made.start_service()
        teach_line(made)
        with client_of(made) as client:
            judged = client.post("/inspect", data={"role_id": ROLE}, files={"image": ("part.png", spoiled())}).json()
            assert judged["verdict"] == "NG"
            client.post("/inspect", data={"role_id": ROLE}, files={"image": ("part.png", b"none")})
        prefer(made, source={"kind": "simulated", "path": str(pictures(made.folder / "camera"))})
        made.start_gui()
        yield made
    finally:
        made.stop_gui()
        made.stop_service()


def visit(page: Page, used: Inspector, path: str) -> None:
    listed = httpx.get(f"{used.service_url}/inspections", params={"verdict": "NG"}, trust_env=False).json()
    page.goto(used.url + path.replace("INSPECTION", listed["inspections"][0]["inspection_id"]))
    connected(page)
    page.wait_for_timeout(700)  # what it asks the service for is there


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_on_every_screen_each_text_stands_out_and_nothing_is_cut_off(
    used: Inspector, browser: Browser, theme: str
) -> None:
    page = open_page(browser, used.url)
    if (theme == "dark") != page.evaluate("document.body.classList.contains('body--dark')"):
        by(page, "dark").click()
        page.wait_for_function("(dark) => document.body.classList.contains('body--dark') === dark", arg=theme == "dark")
    faint, cut = {}, {}
    for path in PAGES:
        visit(page, used, path)
        assert page.evaluate("document.body.classList.contains('body--dark')") == (theme == "dark"), path
        if found := page.evaluate(_TOO_FAINT):
            faint[path] = found
        for width, height in SIZES:
            page.set_viewport_size({"width": width, "height": height})
            page.wait_for_timeout(250)  # it is laid out anew
            if found := cut_off(page):
                cut[f"{path} {width}x{height}"] = found
    assert (faint, cut) == ({}, {})
    page.goto("about:blank")
