"""Save, and what happens when somebody else was quicker; delete."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Literal, cast

from nicegui import ui

from gui.kit import formats
from gui.layout.desk import Desk
from gui.service import layouts as calls
from gui.service.client import ServiceError
from gui.shell import sure
from service.contract.layouts import Layout

Answer = Literal["theirs", "both", "later"]


def saving(desk: Desk) -> None:
    """The button, and beside it whether there is anything to save."""
    state = ui.label().classes("text-body2 fits").props("data-testid=saved role=status")
    button = ui.button(desk.words("layout.save"), icon="save", on_click=lambda: save(desk)).props("data-testid=save")

    def show() -> None:
        dirty = desk.editing.dirty
        layout = desk.layout
        if dirty:
            state.text = desk.words("layout.unsaved")
        else:
            state.text = desk.words("layout.saved", revision=layout.revision) if layout else ""
        state.classes(add="unsaved" if dirty else None, remove=None if dirty else "unsaved")
        button.set_enabled(dirty)

    desk.save = lambda: save(desk)
    desk.shows(show)


async def save(desk: Desk) -> None:
    if desk.theirs is not None:
        await overwrite(desk)
    elif desk.editing.dirty and _complete(desk):
        await guarded(desk, lambda: _save(desk, desk.revision))


async def guarded(desk: Desk, work: Callable[[], Awaitable[None]]) -> None:
    """Do it; when the layout has changed under our hands, ask what shall become of both."""
    try:
        await work()
    except ServiceError as error:
        if error.code == "layout_changed":
            await _changed(desk, error)
        else:
            desk.tell(error)


async def overwrite(desk: Desk) -> None:
    """Ours in the place of theirs, which has been seen."""
    theirs = desk.theirs
    if theirs is None or not _complete(desk):
        return
    with desk.root:
        agreed = await sure(
            desk.here, desk.words("layout.overwrite_ask", who=theirs.updated_by), desk.words("layout.overwrite")
        )
    if agreed:
        await guarded(desk, lambda: _save(desk, theirs.revision))


async def delete(desk: Desk, gone: Callable[[], None]) -> None:
    with desk.root:
        agreed = await sure(desk.here, desk.words("layout.delete_ask", role=desk.role_id), desk.words("layout.delete"))
    if not agreed:
        return

    async def work() -> None:
        await calls.delete(desk.client, desk.role_id, desk.revision)
        desk.editing.now_saved(desk.editing.draft)  # nothing is left to be saved
        desk.refresh()
        gone()

    await guarded(desk, work)


async def _save(desk: Desk, revision: int) -> None:
    draft = desk.editing.draft
    layout = await calls.save(desk.client, desk.role_id, revision, draft)
    desk.layout, desk.theirs = layout, None
    desk.editing.now_saved(draft)  # what was drawn while it was stored is not
    desk.refresh()
    desk.note(desk.words("layout.saved", revision=layout.revision))


def _complete(desk: Desk) -> bool:
    if desk.editing.draft.rois and desk.editing.draft.mm_per_px is None:
        desk.warn(desk.words("layout.scale_missing"))
        return False
    return True


async def _changed(desk: Desk, error: ServiceError) -> None:
    theirs = await desk.tried(calls.layout(desk.client, desk.role_id))
    if theirs is None:  # deleted by somebody, or the service is gone: what is drawn here stays
        desk.tell(error)
        return
    answer = await _ask(desk, theirs)
    if answer == "theirs":
        desk.began_from(theirs, keep_edits=False)
        _show_master(desk, theirs)
    elif answer == "both":
        desk.theirs = theirs
        desk.refresh()


async def _ask(desk: Desk, theirs: Layout) -> Answer:
    when = formats.date_and_time(theirs.updated_utc, desk.words.language)
    with desk.root, ui.dialog().props("persistent") as dialog, ui.card().classes("gap-4").style("max-width: 620px"):
        ui.label(desk.words("layout.changed_title")).classes("text-h6")
        text = desk.words("layout.changed", who=theirs.updated_by, when=when, revision=theirs.revision)
        ui.label(text).classes("text-body1").props("data-testid=changed")
        with ui.row().classes("w-full justify-end"):
            for name, props in (("later", "flat"), ("theirs", "outline"), ("both", "")):
                button = ui.button(desk.words(f"layout.changed_{name}"), on_click=lambda name=name: dialog.submit(name))
                button.props(f"no-caps {props} data-testid=changed-{name}")
    dialog.open()
    answer = await dialog
    dialog.delete()
    return cast(Answer, answer or "later")


def both_bar(desk: Desk) -> None:
    """While both are shown: which one stays."""
    with ui.row().classes("card w-full items-center gap-3 both").props("data-testid=both role=status") as bar:
        text = ui.label().classes("text-body1 col")
        ui.button(desk.words("layout.changed_theirs"), on_click=lambda: _take_theirs(desk)).props("outline no-caps")
        ui.button(desk.words("layout.overwrite"), on_click=lambda: overwrite(desk)).props(
            "no-caps data-testid=overwrite"
        )

    def show() -> None:
        bar.set_visibility(desk.theirs is not None)
        if desk.theirs is not None:
            text.text = desk.words("layout.both", who=desk.theirs.updated_by, revision=desk.theirs.revision)

    desk.shows(show)


def _take_theirs(desk: Desk) -> None:
    if desk.theirs is not None:
        theirs = desk.theirs
        desk.began_from(theirs, keep_edits=False)
        _show_master(desk, theirs)


def _show_master(desk: Desk, layout: Layout) -> None:
    if desk.editor is not None and layout.master is not None:
        desk.editor.show_picture(calls.master_url(layout), layout.master.width, layout.master.height)
