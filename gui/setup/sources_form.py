"""The fields of each kind of source."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nicegui import ui
from nicegui.elements.mixins.value_element import ValueElement

from gui.kit.widgets import anew
from gui.shell import Page

_NUMBERS = ("index", "width", "height", "period_s")
FIELDS: dict[str, tuple[str, ...]] = {
    "usb": _NUMBERS,
    "rtsp": ("url", "period_s"),
    "folder": ("path",),
    "files": (),
    "simulated": ("path", "period_s"),
    "genicam": ("path", "serial", "triggered"),
}


class SourceForm:
    """`said` returns what the preferences keep."""

    def __init__(self, here: Page) -> None:
        self._words = here.words
        self.box = ui.column().classes("w-full gap-2")
        self._kind, self._fields = "", dict[str, ValueElement[Any]]()

    def draw(self, kind: str, known: Mapping[str, Any]) -> None:
        self._kind = kind
        with anew(self.box):
            ui.label(self._words(f"sources.about_{kind}")).classes("muted")
            self._fields = {name: self._field(name, known.get(name)) for name in FIELDS[kind]}

    def said(self) -> dict[str, Any]:
        values = {name: field.value for name, field in self._fields.items()}
        # Explorer of Windows copies a path with quotation marks around it
        clean = {name: value.strip(' "') if isinstance(value, str) else value for name, value in values.items()}
        return {"kind": self._kind, **{name: value for name, value in clean.items() if value not in (None, "")}}

    def _field(self, name: str, known: Any) -> ValueElement[Any]:
        if name == "triggered":
            return ui.checkbox(self._words("sources.triggered"), value=bool(known)).props("data-testid=triggered")
        if name in _NUMBERS:
            label = self._words(f"sources.{name.removesuffix('_s')}")
            number = ui.number(label, value=known or 0, min=0, precision=1 if name == "period_s" else 0)
            return number.classes("w-full").props(f"outlined data-testid={name.replace('_', '-')}")
        label = self._words(f"sources.{name}_{self._kind}" if name == "path" else f"sources.{name}")
        text = ui.input(label, value=str(known or "")).classes("w-full")
        return text.props(f'outlined autocomplete="off" data-testid={name}')
