"""`python -m service`: settings -> store -> engine -> backend -> app, made here and nowhere else."""

from __future__ import annotations

import argparse
import logging
import multiprocessing
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from functools import partial
from pathlib import Path

from filelock import Timeout
from starlette.types import ASGIApp

from service.api.app import create_app
from service.api.outage import create_outage_app
from service.backend import Backend, Device, Kept, People, Upkeep
from service.engine.protocol import Engine
from service.errors import NotReady, Problem
from service.jobs import Jobs
from service.keys import KeyRing
from service.loaded.layouts import LayoutCache, load_layout
from service.loaded.scores import Remembered
from service.metrics import Metrics
from service.operations.backup import backups_of
from service.process import lifeline
from service.process.logs import set_up_logs
from service.process.port import PortTaken
from service.process.server import RESTART, Serving
from service.process.sleeping_threads import let_threads_sleep
from service.process.starting import Early
from service.settings import SETTINGS_FILE, Settings, SettingsError, read_settings
from service.store.audit.log import Audit
from service.store.backups.restore import (
    SERVICE_LOCK,
    finish_restore,
    refuse_half_restored,
    restore_waits,
    sweep_restore,
)
from service.store.files import leader_lock, sweep_orphans
from service.store.layouts import Layouts
from service.store.models import Models
from service.store.pictures.archive import Archive
from service.store.pictures.retention import Retention, Rules
from service.store.records.database import open_database
from service.store.records.frames import Frames
from service.store.records.inspections import Records
from service.store.records.summaries import Summaries
from service.store.samples import Samples
from service.store.state.freeze import Freezing
from service.store.state.log_files import LogFiles
from service.store.state.restart import take_restart
from service.store.state.settings_file import SettingsFile

# How often a data root that could not be opened is tried again.
RETRY_S = 5
# Scores of stored samples that are not computed twice: of some hundred samples by some hundred versions.
KNOWN_SCORES = 50_000

log = logging.getLogger(__name__)
BuildEngine = Callable[[Settings], Engine]


def _nobody_listens() -> None:
    raise NotReady("Restart the service: nothing here does it by itself.")


def main(
    arguments: Sequence[str] | None = None, *, build: BuildEngine | None = None, early: Early | None = None
) -> int:
    """`build` makes another engine than the real one; `early` answers on the port already."""
    parser = argparse.ArgumentParser(prog="python -m service", description="The inspection service.")
    parser.add_argument("--supervised", type=int, metavar="PID", help="stop when standard input ends, or process PID")
    try:
        serve(read_settings, supervisor_pid=parser.parse_args(arguments).supervised, build=build, early=early)
    except (SettingsError, PortTaken) as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def serve(
    read: Callable[[], Settings], *, supervisor_pid: int | None = None, build: BuildEngine | None = None,
    early: Early | None = None,
) -> None:  # fmt: skip
    """Serve until asked to stop. Restarts, with the settings read again, when a restored state waits.

    Raises PortTaken, SettingsError.
    """
    serving, supervised = Serving(early), supervisor_pid is not None
    if supervised:
        lifeline.die_with_parent(supervisor_pid)
        lifeline.on_end_of_input(serving.stop)
    again = True
    while again:
        settings = read()
        if settings.workers > 1:
            again = _serve_several(settings, serving)
            continue
        serving.take_port(settings)  # before anything is opened: another service may use the data root
        app = make_app(settings, build or build_engine, to_stderr=not supervised, restart=serving.restart)
        with _looking_for(settings.data_root, serving, app):
            again = serving.run(app, settings)
    serving.close()


def make_backend(
    settings: Settings, build: Callable[[], Engine], restart: Callable[[], None] = _nobody_listens
) -> Backend:
    """Every part of one process, made here and nowhere else; nothing runs before the application starts.

    `build` makes the engine, in a thread of its own. `restart` ends this process's server so that a new one takes its
    place; it returns at once.
    """
    root, reserve = settings.data_root, settings.min_free_mb * 1_000_000
    root.mkdir(parents=True, exist_ok=True)
    samples, models, layouts = Samples(root), Models(root), Layouts(root)
    backups, file = backups_of(settings), SettingsFile(root / SETTINGS_FILE)
    for store in (samples, models, layouts, backups):
        store.sweep()
    sweep_restore(root)
    sweep_orphans(root)
    database, metrics = open_database(root / "records.sqlite"), Metrics(several_processes=settings.workers > 1)
    if newest := backups.outcome().last_success_utc:
        metrics.backed_up(datetime.fromisoformat(newest).timestamp())
    rules = Rules(
        settings.keep_ok_days, settings.keep_ng_days, settings.keep_mb * 1_000_000, settings.keep_free_percent
    )
    in_use = leader_lock(root / SERVICE_LOCK)
    with suppress(Timeout):  # one of several workers holds it for all
        in_use.acquire()
    return Backend(
        settings=settings,
        device=Device(settings, build, models, metrics),
        kept=Kept(
            settings=settings,
            samples=samples,
            models=models,
            layouts=layouts,
            loaded_layouts=LayoutCache(layouts.stamp, partial(load_layout, layouts)),
            database=database,
            records=Records(database),
            frames=Frames(database),
            summaries=Summaries(database),
            archive=Archive(root, reserve, settings.archive_ok_every),
            known_scores=Remembered(KNOWN_SCORES),
            known_suspects=Remembered(KNOWN_SCORES),
        ),
        people=People(keys=KeyRing(settings, file), freezing=Freezing(root), audit=Audit(root)),
        upkeep=Upkeep(
            settings=settings,
            settings_file=file,
            jobs=Jobs(database),
            backups=backups,
            retention=Retention(root, database, rules),
            logs=LogFiles(root / "logs"),
            restart=restart,
            started=time.monotonic(),
        ),
        in_use=in_use,
    )


def make_app(settings: Settings, build: BuildEngine, *, to_stderr: bool = True, restart: Callable[[], None]) -> ASGIApp:
    """The application of one process. With a data root that cannot be opened, the one that says so: the port answers
    whatever is missing."""
    try:
        set_up_logs(
            settings.data_root / "logs", level=settings.log_level, max_mb=settings.log_max_mb,
            files=settings.log_files, days=settings.log_days, to_file=settings.workers == 1, to_stderr=to_stderr,
        )  # fmt: skip
        if settings.workers == 1:
            finish_restore(settings.data_root)
        refuse_half_restored(settings.data_root)
        return create_app(make_backend(settings, partial(build, settings), restart))
    except (OSError, Problem) as error:
        reason = (
            f"The data root {settings.data_root} cannot be opened: {str(error).rstrip('.')}. Run `brakedisc doctor`."
        )
        print(reason, file=sys.stderr)
        return create_outage_app(settings, reason)


def make_worker_app() -> ASGIApp:
    """The application of one of several worker processes, which reads the settings itself."""
    started_by = multiprocessing.parent_process()
    parent = started_by.pid if started_by and started_by.pid else os.getppid()
    lifeline.die_with_parent(parent)
    return make_app(read_settings(), build_engine, restart=lambda: os.kill(parent, RESTART))


def build_engine(settings: Settings) -> Engine:
    """The real engine. Imports torch, which takes seconds: called in a thread, once the port is open."""
    let_threads_sleep()
    from service.engine.torch_engine import TorchEngine

    return TorchEngine(settings)


def _serve_several(settings: Settings, serving: Serving) -> bool:
    """True when the workers ended for a restart: a restored state waits, or a restart was asked for."""
    try:
        finish_restore(settings.data_root)
    except (OSError, Problem) as error:  # the workers' /health says why they cannot work
        log.error("restore not finished", extra={"detail": str(error)})
    waited = restore_waits(settings.data_root)
    take_restart(settings.data_root)
    serving.run_several("service.__main__:make_worker_app", settings)
    asked = take_restart(settings.data_root) or (restore_waits(settings.data_root) and not waited)
    return asked and not serving.stopping


@contextmanager
def _looking_for(data_root: Path, serving: Serving, app: ASGIApp) -> Iterator[None]:
    """While the outage app serves: restart as soon as the data root can be opened."""
    if hasattr(app, "state") and hasattr(app.state, "backend"):
        yield
        return
    ended = threading.Event()

    def look() -> None:
        while not ended.wait(RETRY_S):
            if _opens(data_root):
                log.info("data root can be opened again")
                serving.restart()
                return

    watch = threading.Thread(target=look, name="data-root", daemon=True)
    watch.start()
    try:
        yield
    finally:
        ended.set()
        watch.join()


def _opens(data_root: Path) -> bool:
    try:
        data_root.mkdir(parents=True, exist_ok=True)
        finish_restore(data_root)
        open_database(data_root / "records.sqlite").dispose()
    except (OSError, Problem):
        return False
    return True


if __name__ == "__main__":
    sys.exit(main())
