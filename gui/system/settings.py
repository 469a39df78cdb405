"""The service's settings: saved together, refused at their field, followed by a restart where it is needed."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from nicegui import ui
from nicegui.elements.mixins.validation_element import ValidationElement

from gui.kit.widgets import button, notify
from gui.service.client import ServiceError
from gui.system.setting_forms import changes, grouped, is_on, may_change, refusals
from gui.system.tab import Tab
from service.contract.system import RestartAnswer, SettingAbout, SettingsAnswer


async def fetch(tab: Tab) -> Callable[[], None]:
    found = await tab.client.get("/settings", SettingsAnswer)
    return lambda: _Form(tab, found).draw()


class _Form:
    def __init__(self, tab: Tab, found: SettingsAnswer) -> None:
        self._tab, self._found = tab, found
        self._entered: dict[str, str | None] = {}
        self._fields: dict[str, ui.element] = {}
        self._rows: dict[str, ui.element] = {}
        self._before_s: float | None = None

    def draw(self) -> None:
        tab = self._tab
        with ui.row().classes("w-full items-center no-wrap sticky"):
            with ui.column().classes("col gap-1"):
                tab.title("settings")
            self._changed = ui.label().classes("muted").props("data-testid=changed")
            self._save = button(tab.say("save"), self._keep, "save-settings", icon="save")
        with ui.row().classes("note w-full items-center").props("data-testid=restart-needed") as note:
            ui.label(tab.say("restart_needed")).classes("col")
            button(tab.say("restart"), self._restart, "restart", icon="restart_alt")
        note.visible = self._found.restart_needed
        self._problem = ui.label().classes("note w-full").props("data-testid=settings-problem")
        self._problem.visible = False
        for group, members in grouped(self._found.settings).items():
            with ui.column().classes("card w-full gap-2"):
                ui.label(tab.say(f"group_{group}")).classes("text-h6")
                for setting in members:
                    self._row(setting)
        self._mark()
        tab.tick = self._tick

    def _row(self, setting: SettingAbout) -> None:
        tab = self._tab
        with ui.row().classes("w-full items-center no-wrap gap-4").style("padding: 4px 8px") as row:
            with ui.column().classes("col gap-0").style("min-width: 0"):
                ui.label(setting.help.get(tab.language) or setting.help.get("en", ""))
                ui.label(f"{setting.name} · {self._source(setting)}").classes("muted").style("font-size: 14px")
            with ui.column().style("width: 300px; flex: none"):
                self._fields[setting.name] = field = self._field(setting)
            field.props(f'data-testid="set-{setting.name}"')
            look = f'flat round aria-label="{tab.say("to_default")}"'
            back = button("", partial(self._back, setting), look=look, icon="undo").tooltip(tab.say("to_default"))
            # hidden, not removed: the columns of all rows stay in line
            back.style("visibility: hidden" if setting.source != "file" or not may_change(setting) else "")
        self._rows[setting.name] = row

    def _source(self, setting: SettingAbout) -> str:
        default = setting.default if setting.default not in (None, "") else "–"
        return self._tab.say(f"source_{setting.source}", default=default)

    def _field(self, setting: SettingAbout) -> ui.element:
        value, label = setting.value or "", self._tab.say("value")
        field: ui.element
        if setting.kind == "switch":
            field = ui.switch(value=is_on(value))
            field.on_value_change(lambda event: self._enter(setting, str(event.value).lower()))
        elif setting.kind == "choice" and setting.choices:
            options = list(dict.fromkeys([*setting.choices, value]))
            field = ui.select(options, value=value, on_change=lambda event: self._enter(setting, event.value))
        else:
            field = ui.input(value=value, on_change=lambda event: self._enter(setting, event.value or ""))
            field.props(_limits(setting))
            if setting.kind == "secret":
                field.props(f'type=password autocomplete=off placeholder="{"••••••••" if setting.set else ""}"')
        field.classes("w-full").props(f'outlined dense hide-bottom-space aria-label="{label} {setting.name}"')
        if not may_change(setting):
            field.props("disable")
        return field

    def _enter(self, setting: SettingAbout, value: str) -> None:
        # "true", "1" and "yes" are the same switch: no change for a person who turns it twice
        same_switch = setting.kind == "switch" and is_on(value) == is_on(setting.value)
        self._entered[setting.name] = setting.value if same_switch else value
        self._mark()

    def _back(self, setting: SettingAbout) -> None:
        field = self._fields[setting.name]
        default = setting.default or ""
        field.set_value(is_on(default) if setting.kind == "switch" else default)  # type: ignore[attr-defined]
        self._entered[setting.name] = None
        self._mark()

    def _mark(self) -> None:
        """Mark the changed rows. Saving is possible when there are some."""
        changed = changes(self._found.settings, self._entered)
        for name, row in self._rows.items():
            row.style(replace="padding: 4px 8px" + ("; border-left: 5px solid #d08700" if name in changed else ""))
        self._changed.text = self._tab.say("n_changed", n=len(changed)) if changed else ""
        self._save.set_enabled(bool(changed))

    async def _keep(self) -> None:
        asked = {"values": changes(self._found.settings, self._entered)}
        try:
            await self._tab.client.send("PUT", "/settings", SettingsAnswer, asked)
        except ServiceError as error:
            if error.status in (409, 422):
                self._refuse(refusals(error.detail, self._fields))
            else:
                self._tab.here.tell(error)
            return
        self._tab.here.note(self._tab.say("settings_saved"))
        await self._tab.reload()

    def _refuse(self, said: dict[str, str]) -> None:
        for name, field in self._fields.items():
            if isinstance(field, ValidationElement):
                field.error = said.get(name)
        shown = {name for name, field in self._fields.items() if isinstance(field, ValidationElement)}
        loose = [f"{name}: {text}".lstrip(": ") for name, text in said.items() if name not in shown]
        self._problem.text = " ".join(loose)
        self._problem.visible = bool(loose)

    async def _restart(self) -> None:
        tab, health = self._tab, self._tab.gui.link.state.health
        if not await tab.sure("sure_restart", "restart"):
            return
        if not await tab.tried(tab.client.send("POST", "/admin/restart", RestartAnswer)):
            return
        # an unknown uptime counts as endless, so that any answer is a restart
        self._before_s = health.uptime_s if health else float("inf")
        notify(tab.say("restarting"), "ongoing", spinner=True, timeout=8000)

    async def _tick(self) -> None:
        """A service whose uptime is shorter than before has restarted."""
        state = self._tab.gui.link.state
        if self._before_s is None or not state.usable or state.health is None:
            return
        if state.health.uptime_s < self._before_s:
            self._before_s = None
            self._tab.here.note(self._tab.say("restarted"))
            await self._tab.reload()


def _limits(setting: SettingAbout) -> str:
    if setting.kind not in ("number", "integer"):
        return ""
    bounds = [
        f"{name}={value:g}" for name, value in (("min", setting.minimum), ("max", setting.maximum)) if value is not None
    ]
    return " ".join(["type=number", f"step={'1' if setting.kind == 'integer' else 'any'}", *bounds])
