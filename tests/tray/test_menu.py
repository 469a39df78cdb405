"""Colour, tooltip and menu of the icon, as tables of the state."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from service.contract.operations import BackupSummary
from tests.kit.tray_parts import a_backup
from tray.icon.menu import (
    SEPARATOR,
    TOOLTIP_LIMIT,
    Colour,
    Entry,
    View,
    first_line,
    icon_colour,
    local_time,
    menu,
    tooltip,
)
from tray.supervise.status import State, Status
from tray.texts import LANGUAGES

HEALTH: dict[str, Any] = {
    "device": "cuda:0",
    "device_name": "NVIDIA RTX 4060",
    "gpu_mem_mb": 812.4,
    "latency_infer_ms": {"p50": 23.6, "p95": 41.0},
    "training_frozen": False,
    "frozen": None,
}
FROZEN = {**HEALTH, "training_frozen": True, "frozen": {"by": "quality", "station": "QA-2", "since_utc": "", "why": ""}}
READY = Status(State.READY, pid=7, health=HEALTH)
BACKUPS = (
    a_backup("brakedisc-20260302T020000Z-0.2.0.tar.gz", "2026-03-02T02:00:00+00:00", "0.2.0"),
    a_backup("brakedisc-20260301T020000Z-0.1.0.tar.gz", "2026-03-01T02:00:00+00:00", "0.1.0"),
)
STATES = {
    "stopped": Status(State.STOPPED),
    "starting": Status(State.STARTING, "starting", pid=7),
    "loading": Status(State.STARTING, "loading", pid=7, health={"status": "loading"}),
    "ready": READY,
    "frozen": replace(READY, health=FROZEN),
    "degraded": replace(READY, state=State.DEGRADED, code="disk_low", reason="disk low"),
    "silent": Status(State.DEGRADED, "no_answer", pid=7),
    "ill": Status(State.DOWN, "engine_failed", pid=7, health={"status": "error"}),
    "crashed": Status(State.DOWN, "crashed", crashes=1),
    "gave_up": Status(State.DOWN, "gave_up", crashes=5),
    "stopping": Status(State.STOPPING, pid=7),
}
ALWAYS = {"logs", "data", "diagnostics", "about", "quit"}
WORKING = ALWAYS | {"open", "stop", "restart", "backup", "restore"}
# What can be done in which state; all else is grey.
POSSIBLE = {
    "stopped": ALWAYS | {"start"},
    "starting": ALWAYS | {"stop", "restart"},
    "loading": ALWAYS | {"open", "stop", "restart"},
    "ready": WORKING | {"freeze"},
    "frozen": WORKING | {"unfreeze"},
    "degraded": WORKING | {"freeze"},
    "silent": ALWAYS | {"stop", "restart"},
    "ill": ALWAYS | {"open", "stop", "restart"},
    "crashed": ALWAYS | {"start", "stop"},
    "gave_up": ALWAYS | {"start"},
    "stopping": ALWAYS,
}
COLOURS = {
    "stopped": Colour.GREY,
    "starting": Colour.AMBER,
    "loading": Colour.AMBER,
    "ready": Colour.GREEN,
    "frozen": Colour.AMBER,
    "degraded": Colour.AMBER,
    "silent": Colour.AMBER,
    "ill": Colour.RED,
    "crashed": Colour.RED,
    "gave_up": Colour.RED,
    "stopping": Colour.AMBER,
}
FIRST_LINES = {
    "stopped": ("Stopped", "Detenido"),
    "starting": ("Starting…", "Arrancando…"),
    "loading": ("Starting…", "Arrancando…"),
    "ready": ("Ready to inspect", "Listo para inspeccionar"),
    "frozen": ("Ready to inspect, training frozen", "Listo para inspeccionar, entrenamiento congelado"),
    "degraded": ("Works, but: the disk is almost full", "Funciona, pero: el disco está casi lleno"),
    "silent": ("The service does not answer", "El servicio no responde"),
    "ill": ("Down: the device cannot compute", "Caído: el dispositivo no puede calcular"),
    "crashed": ("Down: crashed, is being restarted", "Caído: falló, se está reiniciando"),
    "gave_up": (
        "Down: crashed again and again, no longer restarted",
        "Caído: falla una y otra vez, ya no se reinicia",
    ),
    "stopping": ("Stopping…", "Deteniendo…"),
}


def view(status: Status, **changes: Any) -> View:
    return View(status, **{"backups": BACKUPS, **changes})


def actions(view: View) -> dict[str, Entry]:
    """The first level, by action; submenus by the action of their lines."""
    return {entry.action or entry.entries[0].action: entry for entry in menu(view) if entry.action or entry.entries}


def possible(view: View) -> set[str]:
    return {name for name, entry in actions(view).items() if entry.enabled} - {"language", "autostart"}


@pytest.mark.parametrize("name", STATES)
def test_what_cannot_be_done_now_is_grey(name: str) -> None:
    assert possible(view(STATES[name])) == POSSIBLE[name]


@pytest.mark.parametrize("name", STATES)
def test_the_colour_says_the_state(name: str) -> None:
    assert icon_colour(STATES[name]) is COLOURS[name]


@pytest.mark.parametrize("name", STATES)
def test_the_first_line_is_the_state_in_words_and_nothing_to_click(name: str) -> None:
    for language, words in zip(LANGUAGES, FIRST_LINES[name], strict=True):
        assert menu(view(STATES[name], language=language))[0] == Entry(words, enabled=False)


def test_the_menu_of_a_ready_service_line_by_line() -> None:
    assert [entry.text for entry in menu(view(READY))] == [
        "Ready to inspect", "",
        "Open inspector", "",
        "Start", "Stop", "Restart", "",
        "Training: freeze", "Back up now", "Restore…", "",
        "Open logs", "Open data folder", "Copy diagnostics", "",
        "Start with Windows", "Language", "About", "Quit",
    ]  # fmt: skip
    assert [entry.text for entry in menu(view(READY, language="es")) if entry != SEPARATOR] == [
        "Listo para inspeccionar", "Abrir el inspector", "Arrancar", "Detener", "Reiniciar",
        "Entrenamiento: congelar", "Hacer copia de seguridad ahora", "Restaurar…",
        "Abrir los registros", "Abrir la carpeta de datos", "Copiar diagnóstico",
        "Iniciar con Windows", "Idioma", "Acerca de", "Salir",
    ]  # fmt: skip


def test_a_click_on_the_icon_opens_the_inspector() -> None:
    assert [entry.action for entry in menu(view(READY)) if entry.default] == ["open"]


def test_with_screens_of_its_own_the_inspector_opens_whatever_the_service_does() -> None:
    assert "open" not in possible(view(STATES["crashed"]))
    assert "open" in possible(view(STATES["crashed"], has_gui=True))


def test_backups_are_offered_with_local_time_and_version_newest_first() -> None:
    offered = actions(view(READY))["restore"].entries
    assert [entry.argument for entry in offered] == [backup.name for backup in BACKUPS]
    assert offered[0].text == f"{local_time('2026-03-02T02:00:00+00:00')} · version 0.2.0"


@pytest.mark.parametrize(("backups", "words"), [((), "No backups yet"), (None, "One moment…")])
def test_without_backups_the_list_says_so_in_grey(backups: tuple[BackupSummary, ...] | None, words: str) -> None:
    restore = next(entry for entry in menu(view(READY, backups=backups)) if entry.text == "Restore…")
    assert restore.entries == (Entry(words, enabled=False),)


def test_of_many_backups_the_newest_fit_the_screen() -> None:
    many = tuple(BACKUPS[0].model_copy(update={"name": f"{number}"}) for number in range(50))
    offered = actions(view(READY, backups=many))["restore"].entries
    assert [entry.argument for entry in offered] == [f"{number}" for number in range(20)]


def test_while_something_is_under_way_it_is_said_and_nothing_else_is_begun() -> None:
    busy = view(READY, busy="backup")
    assert first_line(busy) == "Ready to inspect · backing up…"
    assert possible(busy) == {"open", "logs", "data", "about", "quit"}


def test_release_says_who_froze() -> None:
    assert actions(view(STATES["frozen"]))["unfreeze"].text == "Training: release (frozen by quality)"


@pytest.mark.parametrize(
    ("value", "enabled", "checked"), [(None, False, False), (True, True, True), (False, True, False)]
)
def test_start_with_windows_is_grey_where_there_is_no_windows(value: bool | None, enabled: bool, checked: bool) -> None:
    entry = actions(view(READY, autostart=value))["autostart"]
    assert (entry.enabled, entry.checked) == (enabled, checked)


def test_the_language_is_one_of_two() -> None:
    entries = actions(view(READY, language="es"))["language"].entries
    assert [(entry.text, entry.argument, entry.checked, entry.radio) for entry in entries] == [
        ("English", "en", False, True),
        ("Español", "es", True, True),
    ]


def test_a_lost_gpu_stays_visible() -> None:
    lost = replace(READY, gpu_lost_utc="2026-03-01T06:30:00+00:00")
    assert icon_colour(lost) is Colour.AMBER
    assert first_line(view(lost)) == "Ready to inspect (GPU was lost)"
    named = replace(lost, state=State.DEGRADED, code="gpu_lost")
    assert first_line(view(named)) == "Works, but: the GPU was lost; once it is checked, Restart"


def test_an_unknown_code_is_said_in_the_services_own_words() -> None:
    new = Status(State.DOWN, "lens_dirty", "The lens is dirty.")
    assert first_line(view(new, language="es")) == "Caído: The lens is dirty."
    assert first_line(view(Status(State.DOWN))) == "Down"


def test_the_tooltip_holds_state_device_memory_and_latency() -> None:
    assert tooltip(READY, "en") == "BrakeDisc: Ready to inspect\nNVIDIA RTX 4060 · GPU 812 MB · 24 ms"
    assert tooltip(READY, "es") == "BrakeDisc: Listo para inspeccionar\nNVIDIA RTX 4060 · GPU 812 MB · 24 ms"
    cpu = replace(READY, health={"device": "cpu", "gpu_mem_mb": 0.0, "latency_infer_ms": {"p50": None}})
    assert tooltip(cpu, "en") == "BrakeDisc: Ready to inspect\ncpu"
    assert tooltip(STATES["stopped"], "en") == "BrakeDisc: Stopped"


@pytest.mark.parametrize("name", ["NVIDIA RTX 6000 Ada Generation Laptop GPU with a very long name", "🛑" * 80])
def test_the_tooltip_fits_windows_limit_and_keeps_its_numbers(name: str) -> None:
    wordy = Status(State.DEGRADED, "new", "Something went wrong " * 20, health={**HEALTH, "device_name": name})
    for language in LANGUAGES:
        words = tooltip(wordy, language)
        assert len(words.encode("utf-16-le")) // 2 <= TOOLTIP_LIMIT
        assert words.endswith("… · GPU 812 MB · 24 ms")


def test_a_long_reason_does_not_make_the_menu_wider_than_the_screen() -> None:
    wordy = Status(State.DOWN, "new", "C:\\" + "folder\\" * 60)
    assert len(first_line(view(wordy))) <= 90
