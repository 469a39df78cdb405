"""Every screen of the inspector in both languages, for docs/gui.md: `python -m docs.make_pictures [FOLDER]`.

Real Chromium, inspector and service, over a line of drawn discs that has been taught, has inspected and failed.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import cv2
import httpx
import numpy as np
from playwright.sync_api import Browser, Page, expect

from service.demo.discs import DEFECTS, draw_disc, ring_shape
from service.demo.view import MM_PER_PX
from tests.kit.browser import ROOT, Inspector, by, chromium, connected, cut_off, open_page, speak
from tests.kit.line_parts import prefer
from tests.kit.parts import png, wait_until

FOLDER = ROOT / "docs" / "images" / "gui"
ROLE, SIZE, GOOD = "disc", 512, 20
ROIS = [
    {"roi_id": "ring", "shape": ring_shape(SIZE), "angle_deg": 30},
    {"roi_id": "hub", "shape": {"kind": "circle", "cx": 255.5, "cy": 255.5, "r": 120}, "angle_deg": 0},
]


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as made_in, chromium() as browser:
        made = Inspector(Path(made_in) / "line", {"BACKEND_ARCHIVE_OK_EVERY": "1"})
        try:
            made.start_service("service")
            with httpx.Client(base_url=made.service_url, timeout=300, trust_env=False) as client:
                inspection = _fill(client)
            camera = _camera(made.folder / "camera")
            prefer(made, source={"kind": "simulated", "path": str(camera)}, role_id=ROLE)
            made.start_gui()
            for language in ("en", "es"):
                _shoot_all(browser, made, folder, language, inspection)
        finally:
            made.stop_gui()
            made.stop_service()


def _fill(client: httpx.Client) -> str:
    """Layout, samples, versions, inspections; the id of an NG inspection."""
    wait_until(lambda: client.get("/health").json()["status"] == "ok", 120)
    client.put(f"/layouts/{ROLE}/master?revision=0", files={"image": ("m.png", _disc(1))}).raise_for_status()
    body = {"revision": 1, "mm_per_px": MM_PER_PX, "locked": False, "marks": [], "rois": ROIS}
    client.put(f"/layouts/{ROLE}", json=body).raise_for_status()
    for label, pictures in (
        ("ok", [_disc(seed) for seed in range(1, 1 + GOOD)]),
        ("ng", [_disc(100 + n, defect) for n, defect in enumerate(DEFECTS)]),
    ):
        images = [("images", (f"{label}{n}.png", data)) for n, data in enumerate(pictures)]
        client.post(f"/layouts/{ROLE}/samples", data={"label": label}, files=images).raise_for_status()
    for roi in ROIS:
        place = {"role_id": ROLE, "roi_id": roi["roi_id"], "mm_per_px": MM_PER_PX}
        client.post("/fit_ok", data={**place, "use_dataset": True}).raise_for_status()
        client.post("/calibrate_dataset", json={**place, "score_percentile": 100}).raise_for_status()
    first = client.get("/datasets/list", params={"role_id": ROLE, "roi_id": "ring"}).json()["classes"]["ok"]["files"][0]
    golden = {"role_id": ROLE, "roi_id": "ring", "label": "ok", "filename": first, "expected": "OK"}
    client.put("/datasets/golden", json=golden).raise_for_status()
    for number in range(24):
        picture = _disc(200 + number, "crack" if number % 8 == 5 else None)
        _inspect(client, picture if number != 12 else picture[:2000], f"D-{1000 + number}")
    client.post("/backups").raise_for_status()
    wait_until(lambda: client.get("/inspections", params={"verdict": "NG"}).json()["total"] > 0)
    found = client.get("/inspections", params={"verdict": "NG", "roi_id": "ring", "order": "score"}).json()
    return str(found["inspections"][0]["inspection_id"])


def _inspect(client: httpx.Client, picture: bytes, part_id: str) -> None:
    client.post("/inspect", data={"role_id": ROLE, "part_id": part_id}, files={"image": (f"{part_id}.png", picture)})


def _disc(seed: int, defect: str | None = None) -> bytes:
    return png(draw_disc(seed, defect=defect, area_mm2=30, size=SIZE).image_rgb)


def _camera(folder: Path) -> Path:
    folder.mkdir()
    for number in range(3):
        (folder / f"part{number}.png").write_bytes(_disc(1 + number, "crack" if number == 1 else None))
    return folder


def _shoot_all(browser: Browser, made: Inspector, folder: Path, language: str, inspection: str) -> None:
    page = open_page(browser, made.url)
    speak(page, language)
    teach = f"/teach?role={ROLE}&roi=ring"
    one: list[tuple[str, str, Callable[[Page], None]]] = [
        ("inspect", "/", _until_ng),
        ("sources", "/sources", lambda page: page.wait_for_timeout(1500)),
        ("layout", f"/layout?role={ROLE}", _choose_ring),
        ("teach", teach, lambda page: expect(by(page, "sample")).to_have_count(GOOD)),
        ("calibrate", f"{teach}&step=calibrate", lambda page: expect(by(page, "misses")).to_contain_text("%")),
        ("versions", f"{teach}&step=versions", lambda page: expect(by(page, "version-1")).to_be_visible()),
        ("why", f"/why?inspection={inspection}&region=0", lambda page: expect(by(page, "neighbour")).to_have_count(5)),
        ("history", "/history?view=parts", lambda page: expect(by(page, "row").first).to_be_visible()),
        ("overview", "/history?view=overview", lambda page: page.wait_for_timeout(1500)),
        ("inspection", f"/history/{inspection}", lambda page: expect(by(page, "picture")).to_be_visible()),
        ("connection", "/connection", lambda page: expect(by(page, "save")).to_be_visible()),
        *(
            (f"system-{tab}", f"/system?tab={tab}", lambda page: page.wait_for_timeout(1000))
            for tab in ("health", "backups", "freeze", "golden", "logs", "audit", "keys", "settings")
        ),
    ]
    for name, path, ready in one:
        page.goto(f"{made.url}{path}")
        connected(page)
        ready(page)
        page.wait_for_timeout(700)
        page.screenshot(path=folder / f"{name}-{language}.jpg", type="jpeg", quality=80)
        print(name, language, cut_off(page), flush=True)
    page.context.close()


def _until_ng(page: Page) -> None:
    for _ in range(3):
        by(page, "inspect").click()
        page.wait_for_function("() => /(OK|NG)$/.test(document.querySelector('[data-testid=word]').textContent)")
        if by(page, "word").text_content() == "NG":
            break
        page.wait_for_timeout(500)
    page.wait_for_timeout(1000)


def _choose_ring(page: Page) -> None:
    page.wait_for_function("() => document.querySelector('.roi-editor image')?.getBoundingClientRect().width > 50")
    by(page, "roi-0").click()


def sheet(folder: Path, language: str) -> np.ndarray:
    """All of one language on one picture, half size, to be looked at."""
    shots = [cv2.resize(cv2.imread(str(path)), (640, 400)) for path in sorted(folder.glob(f"*-{language}.jpg"))]
    blank = np.zeros((400, 640, 3), np.uint8)
    shots += [blank] * (-len(shots) % 3)
    return np.vstack([np.hstack(shots[row : row + 3]) for row in range(0, len(shots), 3)])


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)
