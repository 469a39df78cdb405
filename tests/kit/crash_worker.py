"""A service process that the crash tests kill: it teaches, calibrates, uploads and inspects, on the twin.

Run through multiprocessing's forkserver, so that a round costs milliseconds; the SIGKILL is a real one.
"""

from __future__ import annotations

import itertools
import os
import signal
import sys
from pathlib import Path
from types import FrameType

from service.__main__ import make_backend
from service.backend import Backend
from service.contract.models import CalibrationRequest
from service.contract.samples import MoveRequest
from service.contract.shapes import parse_shape
from service.inspection import infer as inspecting
from service.inspection.infer import Inspection
from service.store import files
from service.store.backups.restore import finish_restore, stage
from service.teaching import calibrate as calibrating
from service.teaching import fit as teaching
from service.teaching import samples
from service.teaching.fit import Lesson
from tests.conftest import settings_for
from tests.kit.parts import RING, ROI, SCALE, disc, wait_until
from tests.kit.twin import TwinEngine

STEPS = ("open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.link", "sqlite3.connect")


def work_and_die(data_root: Path, kind: str, step: int) -> None:
    """Do one piece of work, and be killed right before its step number `step` on files of the data root."""
    backend = started(data_root)
    kill_before(data_root, step)
    (WORK | OPERATIONS)[kind](backend)
    backend.kept.archive.close()


def kill_before(data_root: Path, step: int) -> None:
    steps = itertools.count(1)

    def kill(event: str, args: tuple[object, ...]) -> None:
        if event in STEPS and str(args[0]).startswith(str(data_root)) and next(steps) == step:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(kill)


def work_until_killed(data_root: Path, first: int) -> None:
    backend = started(data_root)
    for kind in itertools.islice(itertools.cycle(WORK), first, None):
        WORK[kind](backend)


def write_and_die(kind: str, path: Path, line: int) -> None:
    """Write a file or a folder over what is there, and be killed right before line number `line` of the writer runs."""
    lines = itertools.count(1)

    def watch(frame: FrameType, event: str, _: object) -> object:
        if frame.f_code.co_filename != files.__file__:
            return None
        if event == "line" and next(lines) == line:
            os.kill(os.getpid(), signal.SIGKILL)
        return watch

    sys.settrace(watch)
    if kind == "file":
        files.write_sealed(path, {"new": list(range(1000))})
    else:
        with files.new_folder(path) as folder:
            files.write_file(folder / "a", b"a" * 1000)
            files.write_file(folder / "b", b"b" * 1000)


def started(data_root: Path) -> Backend:
    backend = make_backend(settings_for(data_root, BACKEND_ARCHIVE_OK_EVERY=1), TwinEngine)
    backend.device.loader.start()
    wait_until(lambda: backend.device.loader.state == "ready")
    return backend


def fit(backend: Backend) -> None:
    images = [(f"{seed}.png", disc(seed)) for seed in range(4)]
    lesson = Lesson(**ROI, mm_per_px=SCALE, images=images, shape=parse_shape(RING))
    backend.upkeep.jobs.start(
        "fit", lambda report: teaching.teach(backend.device, backend.kept, backend.people, lesson, report).model_dump()
    )[1].result()


def calibrate(backend: Backend) -> None:
    calibrating.calibrate_version(
        backend.device, backend.kept, backend.people, CalibrationRequest(**ROI, mm_per_px=SCALE, area_mm2_thr=2.0)
    )


def upload(backend: Backend) -> None:
    images = [(f"{seed}.png", disc(seed)) for seed in range(3)]
    samples.upload(
        backend.device,
        backend.kept,
        backend.people,
        **ROI,
        label="ok",
        images=images,
        metas=[{}, {}, {}],
        mm_per_px=SCALE,
    )


def move(backend: Backend) -> None:
    [first, *_] = backend.kept.samples.filenames(**ROI, label="ok")
    samples.relabel(backend.kept, backend.people, MoveRequest(**ROI, filename=first, label="ok", to="ng"))


def infer(backend: Backend) -> None:
    asked = Inspection(**ROI, mm_per_px=SCALE, shape=parse_shape(RING), allow_uncalibrated=True)
    inspecting.inspect(backend.device, backend.kept, asked, disc(50))


def backup(backend: Backend) -> None:
    backend.upkeep.backups.make(lambda _share, _stage: None)


def restore(backend: Backend) -> None:
    """The newest backup, as far as it goes while the service runs."""
    stage(
        backend.settings.data_root,
        backend.upkeep.backups.path(backend.upkeep.backups.all()[0].name),
        0,
        lambda _share, _stage: None,
    )


def finish_and_die(data_root: Path, step: int) -> None:
    """Swap a restored state in, and be killed right before step number `step` on files."""
    kill_before(data_root, step)
    finish_restore(data_root)


def operate_until_killed(data_root: Path, name: str) -> None:
    """Back up, restore the backup of that name, swap, and again."""
    while True:
        backend = started(data_root)
        backup(backend)
        stage(data_root, backend.upkeep.backups.path(name), 0, lambda _share, _stage: None)
        backend.close()
        finish_restore(data_root)


WORK = {"fit": fit, "calibrate": calibrate, "upload": upload, "infer": infer}
OPERATIONS = {"backup": backup, "restore": restore, "move": move}
