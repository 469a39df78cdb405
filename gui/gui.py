"""The parts of one inspector process, made once in `__main__` and handed to the pages."""

from __future__ import annotations

from dataclasses import dataclass

from gui.kit.words import Words
from gui.line.line import Line
from gui.pictures.served import Pictures
from gui.preferences import PreferencesFile
from gui.service.client import Client
from gui.service.jobs import Teaching
from gui.service.link import LinkWatch
from gui.settings import GuiSettings
from service.settings import Settings


@dataclass(frozen=True)
class Gui:
    """`settings` are the service's on this PC: the folder of the logs, and the address to connect to at first."""

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
