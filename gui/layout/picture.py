"""Pictures of Layout: the master, from the source or a file, and another one on which the marks are tried."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from nicegui import events, ui

from gui.kit import formats
from gui.kit.widgets import button
from gui.layout.desk import Desk
from gui.layout.saving import guarded
from gui.service import layouts as calls
from gui.service.client import ServiceError
from service.contract.layouts import Alignment

MAX_FILE_BYTES = 200_000_000
Take = Callable[[str, bytes], Awaitable[None]]


def picture_buttons(desk: Desk, text: str, testid: str, take: Take) -> None:
    """A button with a menu: take the picture from the source of the line, or from a file."""
    chooser = file_chooser(desk, testid, take)
    with ui.button(text, icon="add_a_photo" if testid == "master" else "my_location") as opens, ui.menu():
        opens.props(f"outline no-caps data-testid={testid}")
        source = ui.menu_item(desk.words("layout.from_source"), lambda: _from_source(desk, take))
        source.props(f"data-testid={testid}-source")
        file = ui.menu_item(desk.words("layout.from_file"), lambda: chooser.run_method("pickFiles"))
        file.props(f"data-testid={testid}-file")


def file_chooser(desk: Desk, testid: str, take: Take) -> ui.upload:
    async def arrived(event: events.UploadEventArguments) -> None:
        data = await event.file.read()
        chooser.reset()
        await take(event.file.name, data)

    chooser = ui.upload(auto_upload=True, on_upload=arrived, max_file_size=MAX_FILE_BYTES)
    chooser.on("rejected", lambda: desk.here.warn(desk.words("layout.file_too_large")))
    chooser.props(f'accept="image/*,.tif,.tiff,.bmp" data-testid={testid}-upload').classes("hidden")
    return chooser


async def new_master(desk: Desk, name: str, data: bytes) -> None:
    """Store the master at once; edits that are not saved yet stay."""
    replaces = desk.layout is not None and desk.layout.master is not None
    ask, do = desk.words("layout.master_ask"), desk.words("layout.master_replace")
    if replaces and not await desk.here.sure(ask, do):
        return

    async def work() -> None:
        layout = await calls.put_master(desk.client, desk.role_id, desk.revision, name, data)
        desk.began_from(layout, keep_edits=desk.editing.dirty)
        desk.show_master()
        desk.here.note(desk.words("layout.master_saved"))

    await guarded(desk, work)


class Trial:
    """Finds the stored marks on another picture, and shows how far the part has moved and where the ROIs lie."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        with ui.column().classes("w-full gap-1 trial").props("data-testid=trial") as self._card:
            ui.label(desk.words("layout.trial")).classes("text-subtitle1 text-weight-medium")
            self._facts = ui.label().classes("text-body1 number").style("white-space: pre-line")
            self._facts.props("data-testid=trial-facts role=status")
            button(desk.words("layout.back_to_master"), self.end, "back-to-master", "no-caps", "arrow_back")
        self._card.set_visibility(False)

    async def run(self, name: str, data: bytes) -> None:
        """The service knows only the stored marks, so that the person has to save first."""
        desk = self._desk
        if desk.editing.dirty:
            desk.here.warn(desk.words("layout.save_first"))
            return
        if not desk.editing.draft.marks:
            desk.here.warn(desk.words("layout.no_marks"))
            return
        try:
            found = await calls.align(desk.client, desk.role_id, name, data)
        except ServiceError as error:
            self._say(error.detail if error.code == "not_aligned" else "")
            desk.here.tell(error)
            return
        if found is not None:
            self._show(found, data)

    def end(self) -> None:
        self._card.set_visibility(False)
        self._desk.show_master()

    def _show(self, found: Alignment, data: bytes) -> None:
        desk = self._desk
        assert desk.editor is not None
        assert desk.layout is not None
        assert desk.layout.master is not None
        self._say(_facts(desk, found))
        url, master = desk.here.gui.pictures.put(data, _media(data)), desk.layout.master
        desk.editor.show_picture(url, master.width, master.height, found.matrix)

    def _say(self, text: str) -> None:
        self._facts.text = text
        self._card.set_visibility(bool(text))


async def _from_source(desk: Desk, take: Take) -> None:
    picture = await desk.here.tried(desk.here.gui.line.grab())
    if picture:
        await take(picture.name, picture.data)


def _facts(desk: Desk, found: Alignment) -> str:
    language, scale = desk.words.language, desk.editing.draft.mm_per_px
    lines = []
    for name, value in (("dx", found.dx_px), ("dy", found.dy_px)):
        in_mm = f" · {formats.number(value * scale, language, 2)} mm" if scale else ""
        lines.append(f"{desk.words(f'layout.moved_{name}')}: {formats.number(value, language, 1)} px{in_mm}")
    lines.append(desk.words("layout.turn") + f": {formats.number(found.angle_deg, language, 2)}°")
    for number, score in enumerate(found.scores, 1):
        lines.append(desk.words("layout.mark", n=number) + f": {formats.percent(score, language, 0)}")
    return "\n".join(lines)


def _media(data: bytes) -> str:
    """Browsers look at the bytes themselves. They show no TIFF, whatever its media type."""
    return "image/jpeg" if data[:2] == b"\xff\xd8" else "image/png" if data[:4] == b"\x89PNG" else "image/bmp"
