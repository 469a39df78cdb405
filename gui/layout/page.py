"""Layout of a role: its master picture, the ROIs on it, the scale, and the marks that tell where a part lies."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlencode

from nicegui import ui

from gui.gui import Gui
from gui.layout.desk import Desk, heard
from gui.layout.fields import numbers, things
from gui.layout.picture import Trial, new_master, picture_buttons, show_master
from gui.layout.roi_editor import CSS as EDITOR_CSS
from gui.layout.saving import both_bar, delete, saving
from gui.layout.scale import measured, scale_field
from gui.layout.tools import tool_strip
from gui.service import layouts as calls
from gui.service.client import ServiceError
from gui.shell import Page, empty, page
from service.contract.layouts import Layout, LayoutSummary

CSS = """
.bench { display: grid; grid-template-columns: 102px minmax(0, 1fr) 350px; gap: 12px; width: 100%;
         height: max(440px, calc(100vh - 236px)); }
.bench > * { min-height: 0; }
.tools { display: grid; grid-template-columns: 1fr 1fr; align-content: start; gap: 4px; padding: 4px;
         overflow-y: auto; }
.tools .used { --q-primary: #0b5394; background: #0b5394 !important; }
.tools .used .q-icon { color: #fff !important; }
.side { overflow-y: auto; display: flex; flex-direction: column; gap: 12px; flex-wrap: nowrap; padding: 12px; }
.side > * { flex: none; }
.side .q-field__control { padding: 0 8px; }
.side .q-field__suffix { padding-left: 2px; font-size: 14px; }
.side input::-webkit-inner-spin-button { display: none; }
.side input { appearance: textfield; }
.thing .q-btn__content { justify-content: flex-start; }
.unsaved { color: var(--ng); font-weight: 600; }
.body--dark .unsaved { color: #ff9d94; }
.both { background: #e9f7d9; color: #1d3300; border-color: #6fa12f; padding: 8px 16px; }
"""


def show(gui: Gui) -> None:
    asked = ui.context.client.request.query_params.get("role", "")
    with page(gui, "layout") as here:
        ui.add_css(CSS + EDITOR_CSS)
        opening = _Opening(here, asked, ui.column().classes("w-full gap-3"))
        ui.timer(0, opening.load, once=True)
        here.every_tick(opening.again)


class _Opening:
    """Asks which roles there are; again by itself when the service was away."""

    def __init__(self, here: Page, asked: str, body: ui.column) -> None:
        self._here, self._asked, self._body = here, asked, body
        self._failed = False

    async def load(self) -> None:
        self._failed = False
        client = self._here.gui.client
        try:
            known = await calls.layouts(client)
            role_id = self._asked or _first(known, self._here.gui.preferences.now.role_id)
            layout = await calls.layout(client, role_id) if role_id else None
        except ServiceError as error:
            self._failed = True
            self._body.clear()
            with self._body:
                empty("cloud_off", self._here.words.problem(error.code, error.detail))
            return
        self._body.clear()
        with self._body:
            _draw(self._here, known, role_id, layout) if role_id else _no_role(self._here)

    async def again(self) -> None:
        if self._failed and self._here.gui.link.state.usable:
            await self.load()


def address(role_id: str) -> str:
    return "/layout?" + urlencode({"role": role_id})


def _first(known: Sequence[LayoutSummary], preferred: str) -> str:
    names = [summary.role_id for summary in known if summary.damaged is None]
    return preferred if preferred in names else next(iter(names), "")


def _no_role(here: Page) -> None:
    with ui.column().classes("card w-full items-center gap-3 q-pa-xl"):
        ui.icon("crop_free", size="56px").classes("muted")
        ui.label(here.words("layout.no_roles")).classes("text-h6 text-center")
        ui.label(here.words("layout.no_roles_explain")).classes("muted text-center")
        ui.button(here.words("layout.new_role"), icon="add", on_click=lambda: _new_role(here)).props(
            "data-testid=new-role"
        )


def _draw(here: Page, known: Sequence[LayoutSummary], role_id: str, layout: Layout | None) -> None:
    desk = Desk(here, role_id, layout)
    with desk.root:
        trials: list[Trial] = []
        with ui.row().classes("w-full items-center gap-3"):
            _choose_role(desk, [summary.role_id for summary in known])
            picture_buttons(
                desk, desk.words("layout.master"), "master", lambda name, data: new_master(desk, name, data)
            )
            picture_buttons(desk, desk.words("layout.try"), "try", lambda name, data: trials[0].run(name, data))
            remove = ui.button(icon="delete_forever", on_click=lambda: delete(desk, lambda: _go("/layout")))
            remove.props(f'flat color=negative data-testid=delete-role aria-label="{desk.words("layout.delete_role")}"')
            remove.tooltip(desk.words("layout.delete_role"))
            desk.shows(lambda: _enable(remove, desk.layout is not None))
            ui.space()
            saving(desk)
        both_bar(desk)
        hint = ui.column().classes("w-full")
        with hint:
            empty("add_a_photo", desk.words("layout.no_master"))
        bench = ui.element("div").classes("bench")
        with bench:
            _bench(desk, trials)
    desk.shows(lambda: _with_master(desk, hint, bench))
    show_master(desk)
    desk.refresh()


def _bench(desk: Desk, trials: list[Trial]) -> None:
    strip = ui.element("div")
    with ui.element("div").style("min-width: 0"):
        desk.editor = heard(desk, lambda: desk.words("layout.new_region"), lambda message: measured(desk, message))
        desk.editor.props("data-testid=editor")
    with strip:
        strip.style("display: contents")
        tool_strip(desk)
    with ui.element("div").classes("side card"):
        trials.append(Trial(desk))
        scale_field(desk)
        numbers(desk)
        things(desk)


def _with_master(desk: Desk, hint: ui.element, bench: ui.element) -> None:
    drawn = desk.layout is not None and desk.layout.master is not None
    hint.set_visibility(not drawn)
    bench.set_visibility(drawn)


def _enable(button: ui.button, possible: bool) -> None:
    button.set_enabled(possible)


def _choose_role(desk: Desk, known: list[str]) -> None:
    roles = known if desk.role_id in known else [*known, desk.role_id]
    select = ui.select(roles, value=desk.role_id, label=desk.words("layout.role")).props(
        "outlined dense data-testid=role"
    )
    select.style("min-width: 170px").on_value_change(lambda event: _go(address(event.value)))
    ui.button(icon="add", on_click=lambda: _new_role(desk.here)).props(
        f'flat data-testid=new-role aria-label="{desk.words("layout.new_role")}"'
    ).tooltip(desk.words("layout.new_role"))


def _go(path: str) -> None:
    """The browser asks by itself when something is not saved."""
    ui.navigate.to(path)


async def _new_role(here: Page) -> None:
    words = here.words
    with ui.dialog() as dialog, ui.card().classes("gap-4").style("min-width: 380px"):
        ui.label(words("layout.new_role")).classes("text-h6")
        name = ui.input(words("layout.role_name")).props("outlined autofocus maxlength=80 data-testid=role-name")
        name.classes("w-full").on("keydown.enter", lambda: dialog.submit(name.value))
        with ui.row().classes("w-full justify-end"):
            ui.button(words("shell.cancel"), on_click=lambda: dialog.submit("")).props("flat")
            ui.button(words("layout.new_role_do"), on_click=lambda: dialog.submit(name.value)).props(
                "data-testid=role-do"
            )
    dialog.open()
    role_id = str(await dialog or "").strip()
    dialog.delete()
    if role_id:
        ui.navigate.to(address(role_id))
