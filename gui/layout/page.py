"""Layout of a role: its master picture, the ROIs on it, the scale, and the marks by which a part is found."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from urllib.parse import urlencode

from nicegui import ui

from gui.gui import Gui
from gui.kit.widgets import answer, button, card_dialog, empty, select
from gui.layout.desk import Desk, heard
from gui.layout.fields import numbers, things
from gui.layout.picture import Trial, new_master, picture_buttons
from gui.layout.saving import both_bar, delete, saving
from gui.layout.scale import measured, scale_field
from gui.layout.tools import tool_strip
from gui.service import layouts as calls
from gui.shell import Draw, Opening, Page, page
from service.contract.layouts import Layout, LayoutSummary


def show(gui: Gui) -> None:
    asked = ui.context.client.request.query_params.get("role", "")
    with page(gui, "layout") as here:
        Opening(here, ui.column().classes("w-full gap-3"), partial(_ask, here, asked)).begin()


async def _ask(here: Page, asked: str) -> Draw:
    known = await calls.layouts(here.client)
    role_id = asked or _first(known, here.gui.preferences.now.role_id)
    if not role_id:
        return partial(
            empty, "crop_free", here.words("layout.no_roles"), here.words("layout.new_role"), partial(_new_role, here),
            explain=here.words("layout.no_roles_explain"), testid="new-role",
        )  # fmt: skip
    return partial(_draw, here, known, role_id, await calls.layout(here.client, role_id))


def address(role_id: str) -> str:
    return "/layout?" + urlencode({"role": role_id})


def _first(known: Sequence[LayoutSummary], preferred: str) -> str:
    names = [summary.role_id for summary in known if summary.damaged is None]
    return preferred if preferred in names else next(iter(names), "")


def _draw(here: Page, known: Sequence[LayoutSummary], role_id: str, layout: Layout | None) -> None:
    desk = Desk(here, role_id, layout)
    trials: list[Trial] = []
    with ui.row().classes("w-full items-center gap-3"):
        _choose_role(desk, [summary.role_id for summary in known])
        picture_buttons(desk, desk.words("layout.master"), "master", lambda name, data: new_master(desk, name, data))
        picture_buttons(desk, desk.words("layout.try"), "try", lambda name, data: trials[0].run(name, data))
        look = f'flat color=negative aria-label="{desk.words("layout.delete_role")}"'
        # the browser asks by itself before it leaves a page with unsaved edits
        gone = partial(ui.navigate.to, "/layout")
        remove = button("", partial(delete, desk, gone), "delete-role", look, "delete_forever")
        remove.tooltip(desk.words("layout.delete_role"))
        ui.space()
        saving(desk)
    both_bar(desk)
    hint, bench = ui.column().classes("w-full"), ui.element("div").classes("bench")
    with hint:
        empty("add_a_photo", desk.words("layout.no_master"))
    with bench:
        _bench(desk, trials)

    def show() -> None:
        remove.set_enabled(desk.layout is not None)
        drawn = desk.layout is not None and desk.layout.master is not None
        hint.set_visibility(not drawn)
        bench.set_visibility(drawn)

    desk.shows(show)
    desk.show_master()
    desk.refresh()


def _bench(desk: Desk, trials: list[Trial]) -> None:
    strip = ui.element("div").style("display: contents")
    with ui.element("div").style("min-width: 0"):
        desk.editor = heard(desk, lambda: desk.words("layout.new_region"), lambda message: measured(desk, message))
        desk.editor.props("data-testid=editor")
    with strip:  # after the editor, whose tool it shows
        tool_strip(desk)
    with ui.element("div").classes("side card"):
        trials.append(Trial(desk))
        scale_field(desk)
        numbers(desk)
        things(desk)


def _choose_role(desk: Desk, known: list[str]) -> None:
    roles = known if desk.role_id in known else [*known, desk.role_id]
    role = select(desk.words("layout.role"), roles, desk.role_id, "role", 170)
    role.on_value_change(lambda event: ui.navigate.to(address(event.value)))
    look = f'flat aria-label="{desk.words("layout.new_role")}"'
    button("", partial(_new_role, desk.here), "new-role", look, "add").tooltip(desk.words("layout.new_role"))


async def _new_role(here: Page) -> None:
    words = here.words
    with here.root, card_dialog("min-width: 380px", persistent=False) as dialog:
        ui.label(words("layout.new_role")).classes("text-h6")
        name = ui.input(words("layout.role_name")).props("outlined autofocus maxlength=80 data-testid=role-name")
        name.classes("w-full").on("keydown.enter", lambda: dialog.submit(name.value))
        with ui.row().classes("w-full justify-end"):
            button(words("shell.cancel"), lambda: dialog.submit(""), look="flat")
            button(words("layout.new_role_do"), lambda: dialog.submit(name.value), "role-do")
    role_id = str(await answer(dialog) or "").strip()
    if role_id:
        ui.navigate.to(address(role_id))
