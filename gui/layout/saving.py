"""Save a layout, also when another person has stored one meanwhile; delete it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial

from nicegui import ui

from gui.kit import formats
from gui.kit.widgets import answer, button, card_dialog
from gui.layout.desk import Desk
from gui.service import layouts as calls
from gui.service.client import ServiceError
from service.contract.layouts import Layout


def saving(desk: Desk) -> None:
    """The button, and beside it whether something is not saved."""
    state = ui.label().classes("text-body2 fits").props("data-testid=saved role=status")
    store = button(desk.words("layout.save"), partial(save, desk), "save", icon="save")

    def show() -> None:
        dirty, saved = desk.editing.dirty, desk.words("layout.saved", revision=desk.revision) if desk.layout else ""
        state.text = desk.words("layout.unsaved") if dirty else saved
        state.classes(add="unsaved" if dirty else None, remove=None if dirty else "unsaved")
        store.set_enabled(dirty)

    desk.save = partial(save, desk)
    desk.shows(show)


async def save(desk: Desk) -> None:
    if desk.theirs is not None:
        await overwrite(desk)
    elif desk.editing.dirty and _complete(desk):
        await guarded(desk, lambda: _save(desk, desk.revision))


async def guarded(desk: Desk, work: Callable[[], Awaitable[None]]) -> None:
    """Do the work. When another person has changed the layout meanwhile, ask what shall become of both."""
    try:
        await work()
    except ServiceError as error:
        if error.code == "layout_changed":
            await _changed(desk, error)
        else:
            desk.here.tell(error)


async def overwrite(desk: Desk) -> None:
    """Store ours in the place of theirs, which the person has seen."""
    theirs = desk.theirs
    if theirs is None or not _complete(desk):
        return
    question = desk.words("layout.overwrite_ask", who=theirs.updated_by)
    if await desk.here.sure(question, desk.words("layout.overwrite")):
        await guarded(desk, lambda: _save(desk, theirs.revision))


async def delete(desk: Desk, gone: Callable[[], None]) -> None:
    if not await desk.here.sure(desk.words("layout.delete_ask", role=desk.role_id), desk.words("layout.delete")):
        return

    async def work() -> None:
        await calls.delete(desk.client, desk.role_id, desk.revision)
        desk.editing.now_saved(desk.editing.draft)  # nothing is left to be saved: the browser must not ask
        desk.refresh()
        gone()

    await guarded(desk, work)


async def _save(desk: Desk, revision: int) -> None:
    draft = desk.editing.draft
    layout = await calls.save(desk.client, desk.role_id, draft.request(revision))
    desk.layout, desk.theirs = layout, None
    desk.editing.now_saved(draft)
    desk.refresh()
    desk.here.note(desk.words("layout.saved", revision=layout.revision))


def _complete(desk: Desk) -> bool:
    if desk.editing.draft.rois and desk.editing.draft.mm_per_px is None:
        desk.here.warn(desk.words("layout.scale_missing"))
        return False
    return True


async def _changed(desk: Desk, error: ServiceError) -> None:
    theirs = await desk.here.tried(calls.layout(desk.client, desk.role_id))
    if theirs is None:  # deleted by another person, or the service is gone: the edits stay
        desk.here.tell(error)
        return
    chosen = await _ask(desk, theirs)
    if chosen == "theirs":
        _take(desk, theirs)
    elif chosen == "both":
        desk.theirs = theirs
        desk.refresh()


async def _ask(desk: Desk, theirs: Layout) -> str:
    """ "theirs", "both" or "later"."""
    when = formats.date_and_time(theirs.updated_utc, desk.words.language)
    with desk.here.root, card_dialog("max-width: 620px") as dialog:
        ui.label(desk.words("layout.changed_title")).classes("text-h6")
        text = desk.words("layout.changed", who=theirs.updated_by, when=when, revision=theirs.revision)
        ui.label(text).classes("text-body1").props("data-testid=changed")
        with ui.row().classes("w-full justify-end"):
            for name, props in (("later", "flat"), ("theirs", "outline"), ("both", "")):
                text, do = desk.words(f"layout.changed_{name}"), partial(dialog.submit, name)
                button(text, do, f"changed-{name}", f"no-caps {props}")
    return str(await answer(dialog) or "later")


def both_bar(desk: Desk) -> None:
    """While both layouts are shown: choose the one that stays."""
    with ui.row().classes("card w-full items-center gap-3 both").props("data-testid=both role=status") as bar:
        text = ui.label().classes("text-body1 col")
        button(desk.words("layout.changed_theirs"), lambda: _take(desk, desk.theirs), look="outline no-caps")
        button(desk.words("layout.overwrite"), partial(overwrite, desk), "overwrite", "no-caps")

    def show() -> None:
        bar.set_visibility(desk.theirs is not None)
        if desk.theirs is not None:
            text.text = desk.words("layout.both", who=desk.theirs.updated_by, revision=desk.theirs.revision)

    desk.shows(show)


def _take(desk: Desk, theirs: Layout | None) -> None:
    """Drop the edits in favour of the stored layout."""
    if theirs is not None:
        desk.began_from(theirs, keep_edits=False)
        desk.show_master()
