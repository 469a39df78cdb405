"""Everything alive in one inspector process, made once in `__main__` and handed to the pages."""

from __future__ import annotations

from dataclasses import dataclass

from gui.client import Client
from gui.line import Line
from gui.link import LinkWatch
from gui.pictures import Pictures
from gui.preferences import PreferencesFile
from gui.settings import GuiSettings
from gui.teaching_jobs import Teaching
from gui.words import Words
from service.settings import Settings


@dataclass(frozen=True)
class Gui:
    """`settings` are the service's own on this PC: where logs lie, what to connect to before anybody has said."""

    settings: Settings
    gui_settings: GuiSettings
    preferences: PreferencesFile
    client: Client
    link: LinkWatch
    words: Words
    pictures: Pictures
    teaching: Teaching
    line: Line

    async def open(self) -> None:
        self.link.open()
        self.line.open()

    async def close(self) -> None:
        await self.line.close()
        await self.teaching.close()
        await self.link.close()
        await self.client.close()
