"""The drawing of a layout under a real pointer: places are given in pixels of the master picture."""

from __future__ import annotations

from typing import Any

import httpx
from playwright.sync_api import Page

from tests.kit.browser import Inspector, by
from tests.kit.parts import png, wait_until
from tests.kit.scene import plate

Place = tuple[float, float]


def store_master(inspector: Inspector, role_id: str) -> None:
    """A layout with a picture of a machined plate, 640x480, and nothing drawn yet."""
    answer = httpx.put(
        f"{inspector.service_url}/layouts/{role_id}/master?revision=0",
        files={"image": ("plate.png", png(plate()))},
        trust_env=False,
    )
    assert answer.status_code == 200, answer.text


def stored(inspector: Inspector, role_id: str) -> dict[str, Any]:
    answer: dict[str, Any] = httpx.get(f"{inspector.service_url}/layouts/{role_id}", trust_env=False).json()
    return answer


class Drawing:
    def __init__(self, page: Page) -> None:
        self.page = page
        page.wait_for_function("() => document.querySelector('.roi-editor image')?.getBoundingClientRect().width > 50")

    def on_screen(self, place: Place) -> Place:
        x, y = self.page.evaluate(
            """([x, y]) => { const m = document.querySelector('.roi-editor image').getScreenCTM();
                             return [m.a * x + m.e, m.d * y + m.f]; }""",
            list(place),
        )
        return x, y

    def drag(self, start: Place, end: Place, *, moves: int = 8) -> None:
        self.drag_on_screen(self.on_screen(start), self.on_screen(end), moves=moves)

    def drag_on_screen(self, start: Place, end: Place, *, moves: int = 8) -> None:
        self.page.wait_for_function("() => !document.querySelector('.q-dialog')")  # one that fades away takes the press
        mouse = self.page.mouse
        mouse.move(*start)
        mouse.down()
        mouse.move(*end, steps=moves)
        mouse.up()

    def draw(self, tool: str, start: Place, end: Place) -> None:
        self.use(tool)
        self.drag(start, end)

    def use(self, tool: str) -> None:
        button = by(self.page, f"tool-{tool}")
        button.click()
        if tool in ("select", "rect", "circle", "annulus", "mark", "measure"):
            self.page.wait_for_selector(f"[data-testid=tool-{tool}].used")

    def handle(self, name: str) -> Place:
        box = self.page.locator(f"[data-handle='{name}'] circle").first.bounding_box()
        assert box is not None
        return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2

    def pull(self, handle: str, to: Place) -> None:
        self.drag_on_screen(self.handle(handle), self.on_screen(to))

    def choose(self, name: str, key: str) -> None:
        """By its entry in the list. Until the answer is there, handles are those of the item chosen before."""
        by(self.page, name).click()
        self.page.wait_for_selector(f"[data-key='{key}'].chosen")

    def key(self, keys: str) -> None:
        by(self.page, "editor").press(keys)

    def item(self, key: str = "roi:0") -> dict[str, Any] | None:
        """What the element was told to draw by Python: the truth after a change."""
        found: dict[str, Any] | None = self.page.evaluate(
            """(key) => { const editor = getElement(document.querySelector('.roi-editor').id.slice(1));
                          return editor.items.find((item) => item.key === key) || null; }""",
            key,
        )
        return found

    def shows(self, key: str, **numbers: float) -> None:
        """Wait until that item has those numbers, to a pixel."""

        def so() -> bool:
            item = self.item(key)
            return item is not None and all(abs(item[name] - value) <= 1.0 for name, value in numbers.items())

        try:
            wait_until(so)
        except AssertionError:
            raise AssertionError(f"{key} is {self.item(key)}, not {numbers}") from None

    def gone(self, key: str) -> None:
        wait_until(lambda: self.item(key) is None)
