"""The application: its pages, the door before them, and the /health that the supervisor asks."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from nicegui import ui

from gui.door import Door
from gui.gui import Gui
from gui.history import one, page
from gui.inspect import page as inspect
from gui.layout import page as layout
from gui.line import live
from gui.pictures import downloads, served
from gui.setup import connection, sources
from gui.system import page as system
from gui.teach import page as teach
from gui.why import page as why
from service import __version__

PRODUCT = "brakedisc-gui"
RECONNECT_S = 30.0  # a browser that comes back earlier finds its page as it was
# Path of each page and the screen that draws it.
PAGES: dict[str, Callable[[Gui], Any]] = {
    "/": inspect.show,
    "/sources": sources.show,
    "/connection": connection.show,
    "/layout": layout.show,
    "/teach": teach.show,
    "/why": why.show,
    "/history": page.show,
    "/history/{name}": one.show,
    "/system": system.show,
}


def create_app(gui: Gui) -> FastAPI:
    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await gui.open()
        yield
        await gui.close()

    app = FastAPI(title="BrakeDisc Inspector", lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None)

    @app.get("/health")
    async def health() -> dict[str, object]:
        return {"product": PRODUCT, "status": "ok", "pid": os.getpid(), "version": __version__}

    app.include_router(served.routes(gui.client, gui.pictures))
    app.include_router(downloads.routes(gui.client))
    app.include_router(live.routes(gui.line))
    for path, screen in PAGES.items():
        ui.page(path)(partial(screen, gui))
    ui.run_with(
        app,
        title="BrakeDisc",
        favicon=Path(__file__).with_name("favicon.svg"),
        reconnect_timeout=RECONNECT_S,
        binding_refresh_interval=0.5,  # the default of 0.1 s is five times the work, and nothing here is that quick
        show_welcome_message=False,
    )
    # last, so that it stands before everything else
    app.add_middleware(Door, settings=gui.gui_settings)
    return app
