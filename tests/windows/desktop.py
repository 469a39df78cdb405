"""What a person sees and clicks on that Windows' display: icon, menu, boxes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from machine import Machine, wait_until
from PIL import Image, ImageColor

from tray.icon.drawing import FILL
from tray.icon.menu import Colour, Entry, View, menu

ICON = (13, 39)
_ICON_BOX = (5, 31, 21, 47)
# Of a menu under Wine, px: border and first gap, an entry, a separator.
_EDGE, _ENTRY, _SEPARATOR = 3, 17, 9
_LIST = """for id in $(xdotool search --onlyvisible --class .); do
program=$(xprop -id $id WM_CLASS | cut -d'"' -f2)
place=$(xdotool getwindowgeometry --shell $id | tr '\\n' ' ')
echo "$program|$place|$(xdotool getwindowname $id)"
done 2>/dev/null"""


@dataclass(frozen=True)
class Shown:
    """A window that is to be seen, in pixels of the display."""

    program: str
    title: str
    x: int
    y: int
    width: int
    height: int


class Desktop:
    def __init__(self, machine: Machine) -> None:
        self._machine = machine

    def windows(self) -> list[Shown]:
        """Those of programs, without the task bar and what is too small to be seen."""
        found = []
        for line in self._machine.inside("bash", "-c", _LIST).splitlines():
            program, geometry, title = line.split("|", 2)
            numbers = {name: int(value) for name, value in re.findall(r"(\w+)=(-?\d+)", geometry)}
            if program and program != "explorer.exe" and numbers.get("HEIGHT", 0) > 2:
                found.append(Shown(program, title, numbers["X"], numbers["Y"], numbers["WIDTH"], numbers["HEIGHT"]))
        return found

    def picture(self) -> Image.Image:
        file = self._machine.folder / "display.png"
        self._machine.inside("import", "-window", "root", str(file))
        with Image.open(file) as picture:
            return picture.convert("RGB")

    def icon(self) -> Colour | None:
        """None when there is no icon."""
        data = self.picture().crop(_ICON_BOX).tobytes()
        pixels = [tuple(data[index : index + 3]) for index in range(0, len(data), 3)]
        for colour, fill in FILL.items():
            wanted = ImageColor.getrgb(fill)
            if sum(all(abs(a - b) <= 3 for a, b in zip(pixel, wanted, strict=True)) for pixel in pixels) >= 20:
                return colour
        return None

    def wait_for_icon(self, colour: Colour, timeout_s: float) -> float:
        return wait_until(lambda: self.icon() is colour, timeout_s)

    def open_menu(self) -> Shown:
        """A click beside an opened one only closes it."""
        wait_until(lambda: self._menus() or self._xdotool("mousemove", *ICON, "click", 3, "sleep", 0.5), 20)
        return self._menus()[0]

    def choose(self, action: str) -> None:
        """Click the entry that does it."""
        opened, (x, y) = self.open_menu(), place_of(action)
        self._xdotool("mousemove", opened.x + x, opened.y + y, "sleep", 0.2, "click", 1, "sleep", 0.5)

    def question(self, action: str) -> Shown:
        """The box that asks before it is done; what cannot be done just now is tried again."""
        wait_until(lambda: self.boxes() or self.choose(action), 30)
        return self.boxes()[0]

    def _menus(self) -> list[Shown]:
        return [shown for shown in self.windows() if shown.height > 200]

    def boxes(self) -> list[Shown]:
        return [shown for shown in self.windows() if shown.title]

    def press(self, shown: Shown, *keys: str) -> None:
        """Without a window manager the keys go where the pointer is."""
        self._xdotool("mousemove", shown.x + shown.width // 2, shown.y + 20, "key", *keys)
        wait_until(lambda: shown not in self.boxes(), 20)

    def save(self, path: Path, box: tuple[int, int, int, int], scale: int = 2) -> None:
        part = self.picture().crop(box)
        part.resize((part.width * scale, part.height * scale), Image.Resampling.NEAREST).save(path, optimize=True)

    def _xdotool(self, *words: object) -> None:
        self._machine.inside("xdotool", *map(str, words))


def place_of(action: str) -> tuple[int, int]:
    """Of the entry's middle in the menu, px; the menu has the same entries in every state."""
    y = _EDGE
    for entry in menu(View()):
        height = _SEPARATOR if entry == Entry() else _ENTRY
        if entry.action == action or (action == "unfreeze" and entry.action == "freeze"):
            return 60, y + height // 2
        y += height
    raise AssertionError(f"the menu has no entry that does {action}")
