"""The line: one source, one part after another, one verdict on the screen, and never an old one as if it were new."""

from __future__ import annotations

import asyncio
import base64
import logging
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from nicegui import Event

from gui.line.latest import Latest
from gui.line.part import Part, Past, State
from gui.periods import shift_start
from gui.pictures.display import displayed, heat_over
from gui.pictures.served import Pictures
from gui.preferences import PreferencesFile
from gui.service.client import Client, ServiceError, ServiceGone, picture_file, settled
from gui.service.link import LinkState, LinkWatch
from gui.sources.base import Picture, Source, SourceError, now_utc
from gui.sources.files import FilesSource
from gui.sources.making import make_source
from service.contract.frames import FramesSummary, InspectAnswer

log = logging.getLogger(__name__)
R = TypeVar("R")
LOOK_S = 0.2
COUNT_EVERY_S = 15.0
STRIP = 12
# A grab may wait 15 s for a camera that opens. A longer one hangs, and its thread is given up.
SOURCE_PATIENCE_S = 25.0


class Line:
    """`changed` is emitted with each new state of the screen. All methods are called on the event loop."""

    def __init__(
        self, client: Client, link: LinkWatch, preferences: PreferencesFile, pictures: Pictures, folder: Path
    ) -> None:
        self._client, self._link, self._preferences = client, link, preferences
        self._pictures, self._folder = pictures, folder
        self.changed: Event[Part] = Event()
        self.shown, self.past = Part(), deque[Past](maxlen=STRIP)
        self.counters: FramesSummary | None = None  # of the shift; None while the service is away
        self.part_id, self.source_problem = "", SourceError("", "")
        self._models: dict[tuple[str, str], int] = {}
        self._asking = asyncio.Lock()
        self._counting = Latest(self._count)
        self._counted_s = 0.0
        self._task: asyncio.Task[None] | None = None
        self._drawing: asyncio.Task[None] | None = None
        self.source, self._thread = self._made()

    def open(self) -> None:
        self._link.changed.subscribe(self._on_link)
        self._task = asyncio.create_task(self._run(), name="line")

    async def close(self) -> None:
        await settled(self._task, self._drawing)
        self._give_up(self.source, self._thread)

    async def use(self, said: dict[str, Any]) -> None:
        """Use another source from now on, and after a restart. Raises OSError, DiskFull."""
        self._preferences.change(source=said)
        before = self.source, self._thread
        self.source, self._thread = self._made()
        self._give_up(*before)
        self.source_problem = SourceError("", "")
        self.clear()

    def clear(self) -> None:
        """Empty the screen, because the part that lies there now is another one."""
        self._show(Part(number=self.shown.number))

    async def grab(self) -> Picture:
        """Take a picture now. Raises SourceError."""
        return await self.of_source(self.source.grab)

    async def of_source(self, work: Callable[..., R], *values: Any) -> R:
        """Do the work in the source's own thread, because a driver may block. Raises SourceError."""
        doing = asyncio.get_running_loop().run_in_executor(self._thread, work, *values)
        # not wait_for: until Python 3.12 it loses a cancellation that comes with the result, and the line never stopped
        await asyncio.wait({doing}, timeout=SOURCE_PATIENCE_S)
        if doing.done():
            return doing.result()
        self._thread = _own_thread()  # the hanging call keeps the old one
        raise SourceError("source_hangs", f"The source did not answer for {SOURCE_PATIENCE_S:.0f} s.")

    async def trigger(self) -> None:
        """Inspect the part that lies there. Does nothing while a part is being inspected."""
        if self._asking.locked():
            return
        async with self._asking:
            part = self._begin("")
            try:
                picture = await self.grab()
            except SourceError as error:
                self._fail(part, error.code, error.detail)
                return
            await self._judge(replace(part, name=picture.name), picture)

    async def judge(self, picture: Picture) -> bool:
        """Inspect that picture when it is its turn. False: it has to be inspected again later."""
        async with self._asking:
            return await self._judge(self._begin(picture.name), picture)

    async def add_file(self, name: str, data: bytes) -> None:
        """Add a file that a person chose. Raises SourceError."""
        if not isinstance(self.source, FilesSource):
            raise SourceError("not_files", "The source is not one of files.")
        self.source.add(name, data)

    def _begin(self, name: str) -> Part:
        part_id, self.part_id = self.part_id, ""
        part = Part(State.BUSY, part_id, name, time_utc=now_utc(), number=self.shown.number + 1)
        self._show(part)
        return part

    async def _judge(self, part: Part, picture: Picture) -> bool:
        role_id = self._preferences.now.role_id
        if not role_id:
            self._fail(part, "no_role", "No role has been chosen.")
            return True
        fields = {"role_id": role_id, "part_id": part.part_id or None, "heatmap": True}
        image = picture_file("image", picture.name, picture.data)
        try:
            answer = await self._client.upload("/inspect", InspectAnswer, fields, image)
        except ServiceError as error:
            self._fail(part, error.code, error.detail)
            await self._draw(self.shown, picture)
            # busy or away: the picture keeps its turn. Any other refusal would be the same the next time
            return not isinstance(error, ServiceGone) and error.status not in (429, 503)
        judged = replace(part, state=State(answer.verdict), answer=answer, size=(answer.width, answer.height))
        self._show(judged)  # the verdict before the picture, because drawing it takes the service's cores
        self._note_models(answer)
        await self._draw(judged, picture)
        return True

    async def _draw(self, part: Part, picture: Picture) -> None:
        """Draw while the next part is inspected, but one picture at a time."""
        if self._drawing is not None:
            await asyncio.wait({self._drawing})
        self._drawing = asyncio.create_task(self._picture(part, picture), name="picture")

    async def _picture(self, part: Part, picture: Picture) -> None:
        """Put the picture under the verdict, and the part into the strip of the last parts."""
        frame_id, thumbnail = part.answer.frame_id if part.answer else "", ""
        in_thread = partial(asyncio.get_running_loop().run_in_executor, None)
        drawn = await in_thread(displayed, picture.data)
        if drawn is not None:
            heat = await in_thread(heat_over, part.answer) if part.answer else None
            part = replace(
                part,
                picture_url=self._pictures.put(drawn.jpeg, "image/jpeg"),
                heat_url=self._pictures.put(heat) if heat else "",
                size=part.size if part.answer else (drawn.width, drawn.height),
            )
            thumbnail = f"data:image/jpeg;base64,{base64.b64encode(drawn.thumbnail).decode()}"
        self.past.appendleft(Past(part.number, part.state, part.part_id, part.time_utc, frame_id, thumbnail))
        if self.shown.number == part.number and self.shown.state == part.state:
            self._show(part)
        self._counting.ask(None)

    def _fail(self, part: Part, code: str, detail: str) -> None:
        log.warning("part not judged", extra={"part": part.part_id, "code": code, "detail": detail})
        self._show(replace(part, state=State.ERROR, code=code, detail=detail))

    def _show(self, part: Part) -> None:
        self.shown = part
        self.changed.emit(part)

    def _note_models(self, answer: InspectAnswer) -> None:
        for roi in answer.rois:
            place = (answer.role_id, roi.roi_id)
            before = self._models.get(place)
            if before and before != roi.model_version:
                values = {"roi_id": roi.roi_id, "before": str(before), "now": str(roi.model_version)}
                self._link.announced.emit("shell.new_model", values)
            self._models[place] = roi.model_version

    def _on_link(self, state: LinkState) -> None:
        """A verdict stays on the screen only as long as the service that gave it is there."""
        if self._asking.locked():
            return  # the inspection that is running tells its own end
        if not state.usable:
            self._show(Part(State.ERROR, code=state.code or "loading", detail=state.detail, number=self.shown.number))
        elif self.shown.state == State.ERROR and not self.shown.name and not self.source_problem.code:
            self.clear()

    async def _run(self) -> None:
        while True:
            try:
                await self._look()
            except SourceError as error:
                self._source_says(error)
            except OSError as error:  # the disk, on which inspected files are noted
                self._source_says(SourceError("disk_full", str(error)))
            await asyncio.sleep(LOOK_S)

    async def _look(self) -> None:
        source = self.source
        await self.of_source(source.check)
        self._source_says(SourceError("", ""))
        if asyncio.get_running_loop().time() - self._counted_s > COUNT_EVERY_S:
            self._counting.ask(None)
        if self._asking.locked() or not self._link.state.usable or not self._preferences.now.role_id:
            return
        picture = await self.of_source(source.arrived)
        if picture is not None and source is self.source and await self.judge(picture):
            await self.of_source(source.done, picture)

    def _source_says(self, problem: SourceError) -> None:
        """Tell once that the source has a problem, and once that it is back."""
        before, self.source_problem = self.source_problem, problem
        if problem.code == before.code or self._asking.locked() or not self._link.state.usable:
            return
        if problem.code:
            self._show(Part(State.ERROR, code=problem.code, detail=problem.detail, number=self.shown.number))
        elif not self.shown.name:
            self.clear()

    async def _count(self, _: None) -> None:
        self._counted_s = asyncio.get_running_loop().time()
        known = self._preferences.now
        since = shift_start(datetime.now().astimezone(), known.shifts).astimezone().isoformat()
        asked = self._client.get("/frames/summary", FramesSummary, role_id=known.role_id or None, since=since)
        try:
            self.counters = await asked
        except ServiceError:
            self.counters = None

    def _made(self) -> tuple[Source, ThreadPoolExecutor]:
        return make_source(self._preferences.now.source, self._folder), _own_thread()

    @staticmethod
    def _give_up(source: Source, thread: ThreadPoolExecutor) -> None:
        thread.submit(source.close)
        thread.shutdown(wait=False)


def _own_thread() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(1, thread_name_prefix="source")
