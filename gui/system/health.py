"""All of /health in words and with units, as it changes."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from nicegui import ui

from gui.kit import formats
from gui.kit.tables import facts
from gui.kit.widgets import redrawn
from gui.service.link import LinkState
from gui.system.tab import Tab
from service.contract.health import Health


async def fetch(tab: Tab) -> Callable[[], None]:
    await tab.gui.link.look()

    def draw() -> None:
        tab.title("health")
        body = ui.column().classes("card w-full gap-2").props("data-testid=health")
        # only changes: a table that is drawn again loses the selection of a person who copies from it
        show = redrawn(body, partial(_draw, tab))
        tab.tick = lambda: show(tab.gui.link.state)
        show(tab.gui.link.state)

    return draw


def _draw(tab: Tab, state: LinkState) -> None:
    words = tab.here.words
    ui.label(words(f"status.{state.link}")).classes("text-h6")
    health = state.health
    if health is None:
        ui.label(words.problem(state.code, state.detail))
        return
    for code in health.codes:
        ui.label(words.problem(code, health.reason or "")).classes("note")
    for warning in health.warnings:
        ui.label(warning).classes("note")
    facts((tab.say(f"fact_{name}"), value) for name, value in health_facts(tab, health))


def health_facts(tab: Tab, health: Health) -> list[tuple[str, str]]:
    language, latency, backup = tab.language, health.latency_infer_ms, health.backup
    frozen = tab.say("frozen_by", by=health.frozen.by, why=health.frozen.why) if health.frozen else tab.say("no")
    return [
        ("version", health.version),
        ("device", f"{health.device_name or health.device} ({health.device})"),
        ("model", health.model),
        ("models", formats.number(health.models_loaded, language, 0)),
        ("gpu_mem", formats.size(1e6 * health.gpu_mem_mb, language) if health.gpu_mem_mb else "–"),
        ("latency", f"{formats.milliseconds(latency.p50, language)} · {formats.milliseconds(latency.p95, language)}"),
        ("uptime", duration(tab, health.uptime_s)),
        ("disk", formats.size(1e6 * health.disk_free_mb, language)),
        ("backup", formats.date_and_time(backup.last_success_utc, language)),
        ("backup_error", backup.error or "–"),
        ("copy_error", backup.copy_error or "–"),
        ("frozen", frozen),
        ("address", tab.client.target.url),
        ("pid", str(health.pid)),
    ]


def duration(tab: Tab, seconds: float) -> str:
    minutes, seconds_left = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    return tab.say("duration", days=days, clock=f"{hours:02}:{minutes:02}:{seconds_left:02}")
