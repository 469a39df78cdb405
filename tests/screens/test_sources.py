"""Sources without a browser: what gives pictures, what goes away and comes back, and what is no picture at all."""

from __future__ import annotations

import base64
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from gui.inspect.scanner import GAP_S, Key, Wedge
from gui.pictures.display import displayed, heat_over, picture_size
from gui.sources import camera as cameras
from gui.sources import folder as folders
from gui.sources.base import Picture, Source, SourceError
from gui.sources.camera import CameraSource
from gui.sources.files import MAX_WAITING, FilesSource
from gui.sources.folder import FolderSource
from gui.sources.making import KINDS, make_source, without_password
from gui.sources.reading import is_complete
from gui.sources.simulated import SimulatedSource
from service.contract.frames import InspectAnswer
from tests.kit.parts import disc, encoded, wait_until

GREY = np.full((48, 64, 3), 90, np.uint8)


def names(source: Source, count: int) -> list[str]:
    """Of the next `count` pictures that arrive, each judged at once."""
    taken: list[str] = []

    def take() -> bool:
        picture = source.arrived()
        if picture is not None:
            source.done(picture)
            taken.append(picture.name)
        return len(taken) == count

    wait_until(take, 30)
    return taken


@pytest.fixture
def watched(tmp_path: Path) -> Path:
    (tmp_path / "in").mkdir()
    return tmp_path / "in"


def watching(watched: Path) -> FolderSource:
    return FolderSource(watched, watched.parent / "memory")


def put(folder: Path, name: str, data: bytes | None = None, *, at_s: float = 0.0) -> None:
    (folder / name).write_bytes(disc(1) if data is None else data)
    if at_s:
        os.utime(folder / name, (at_s, at_s))


def test_a_folder_gives_each_new_picture_once_by_time(watched: Path) -> None:
    put(watched, "old.png")
    source = watching(watched)
    assert source.arrived() is None  # what lay there first is old
    put(watched, "z.png", at_s=1000)
    put(watched, "a.png", at_s=2000)
    put(watched, "notes.txt", b"no picture")
    assert names(source, 2) == ["z.png", "a.png"]
    assert source.arrived() is None
    put(watched, "a.png", disc(2), at_s=3000)  # the camera's software uses its names again
    assert names(source, 1) == ["a.png"]


def test_a_folder_remembers_over_a_restart_and_catches_up(watched: Path) -> None:
    source = watching(watched)
    assert source.arrived() is None
    put(watched, "one.png")
    assert names(source, 1) == ["one.png"]
    put(watched, "two.png")
    assert names(watching(watched), 1) == ["two.png"]
    assert watching(watched).arrived() is None


def test_a_picture_that_was_not_judged_is_given_again(watched: Path) -> None:
    source = watching(watched)
    source.arrived()
    put(watched, "one.png")
    assert [source.arrived().name, source.arrived().name] == ["one.png", "one.png"]  # type: ignore[union-attr]


def test_a_file_that_is_still_written_waits_and_those_behind_it_too(watched: Path) -> None:
    source = watching(watched)
    source.arrived()
    whole = disc(1)
    put(watched, "slow.png", whole[: len(whole) // 2], at_s=1000)
    put(watched, "next.png", at_s=2000)
    assert source.arrived() is None
    put(watched, "slow.png", whole, at_s=1500)
    assert names(source, 2) == ["slow.png", "next.png"]


def test_a_file_that_stays_torn_is_handed_out_at_last(watched: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folders, "PATIENCE_S", 0.2)
    source = watching(watched)
    source.arrived()
    put(watched, "torn.png", disc(1)[:500])
    assert source.arrived() is None
    assert names(source, 1) == ["torn.png"]


def test_a_folder_that_vanishes_is_told_and_goes_on_when_it_is_back(watched: Path) -> None:
    source = watching(watched)
    source.arrived()
    watched.rename(watched.with_name("away"))
    for call in (source.check, source.arrived, source.grab, source.preview):
        with pytest.raises(SourceError) as told:
            call()
        assert told.value.code == "folder_gone"
    watched.with_name("away").rename(watched)
    source.check()
    put(watched, "one.png")
    assert names(source, 1) == ["one.png"]


def test_what_is_no_longer_in_the_folder_is_forgotten_in_the_end(watched: Path) -> None:
    source = watching(watched)
    source.arrived()
    for number in range(1100):
        source._memory.add(f"{number} 1 gone.png")
    source.arrived()
    [kept] = (watched.parent / "memory").iterdir()
    assert kept.read_text() == ""


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "BMP", "WEBP"])
def test_whether_a_file_is_complete_is_seen_at_its_end(kind: str) -> None:
    data = encoded(Image.fromarray(GREY), kind)
    assert is_complete(data)
    assert not is_complete(data[: len(data) * 2 // 3])
    assert not is_complete(b"")


def test_files_come_in_their_order_and_the_last_one_can_be_taken_again() -> None:
    source = FilesSource()
    with pytest.raises(SourceError, match="No file"):
        source.grab()
    source.add("one.png", b"1")
    source.add("two.png", b"2")
    assert names(source, 2) == ["one.png", "two.png"]
    assert source.grab().name == "two.png"


def test_too_many_files_are_refused() -> None:
    source = FilesSource()
    for number in range(MAX_WAITING):
        source.add(f"{number}.png", b"")
    with pytest.raises(SourceError) as told:
        source.add("more.png", b"")
    assert told.value.code == "too_many_files"


def test_the_simulated_camera_replays_its_folder_and_its_cable_can_be_pulled(watched: Path) -> None:
    source = SimulatedSource(watched)
    with pytest.raises(SourceError, match="no picture"):
        source.grab()
    put(watched, "a.png")
    put(watched, "b.png")
    assert [source.grab().name for _ in range(3)] == ["a.png", "b.png", "a.png"]
    assert source.arrived() is None
    watched.rename(watched.with_name("away"))
    with pytest.raises(SourceError) as told:
        source.grab()
    assert told.value.code == "camera_gone"
    watched.with_name("away").rename(watched)
    assert source.grab().name == "b.png"


def test_the_simulated_camera_runs_by_itself(watched: Path) -> None:
    put(watched, "a.png")
    assert names(SimulatedSource(watched, 0.02), 3) == ["a.png"] * 3


class Paced:
    """A film that is not faster than a camera. It wraps: OpenCV's classes crash when Python's inherit from them."""

    def __init__(self, path: Path) -> None:
        self._film = cv2.VideoCapture(str(path))

    def read(self) -> tuple[bool, np.ndarray]:
        time.sleep(0.05)
        return self._film.read()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._film, name)


@pytest.fixture
def film(tmp_path: Path) -> Path:
    """A film of 20 pictures: what OpenCV opens as it opens a camera, and what ends as one that is unplugged."""
    path = tmp_path / "camera.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 25, (64, 48))
    for _ in range(20):
        writer.write(GREY)
    writer.release()
    return path


@pytest.fixture
def camera(film: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[CameraSource]:
    monkeypatch.setattr(cameras, "AGAIN_S", 0.3)
    source = CameraSource(lambda: Paced(film), "test camera")  # type: ignore[arg-type, return-value]
    yield source
    source.close()


def problem(source: Source) -> str:
    try:
        source.check()
    except SourceError as error:
        return error.code
    return ""


def test_a_camera_that_is_unplugged_is_told_and_opened_again_by_itself(camera: CameraSource, film: Path) -> None:
    wait_until(lambda: problem(camera) == "camera_gone")  # the film has ended
    assert _shape(_grabbed(camera)) == (48, 64, 3)  # and began anew
    away = film.rename(film.with_name("unplugged.avi"))
    wait_until(lambda: problem(camera) == "camera_gone")
    time.sleep(0.5)
    with pytest.raises(SourceError) as told:
        camera.grab()
    assert told.value.code == "camera_gone"
    with pytest.raises(SourceError):
        camera.preview()
    away.rename(film)
    assert _shape(_grabbed(camera)) == (48, 64, 3)


def test_a_camera_that_is_not_there_does_not_hang(tmp_path: Path) -> None:
    source = CameraSource(lambda: cv2.VideoCapture(str(tmp_path / "none.avi")), "none")
    with pytest.raises(SourceError, match="cannot be opened"):
        source.grab()
    source.close()
    assert not source._thread.is_alive()


@pytest.mark.parametrize("kind", [*KINDS, "nonsense", None])
def test_every_kind_can_be_named_and_nothing_said_breaks_the_start(kind: str | None, tmp_path: Path) -> None:
    for said in ({"kind": kind}, {"kind": kind, "index": "x", "period_s": [], "path": 5, "width": "ten"}):
        source = make_source(said, tmp_path)
        problem(source)
        source.close()


def test_industrial_cameras_say_what_is_missing(tmp_path: Path) -> None:
    source = make_source({"kind": "genicam", "path": str(tmp_path / "maker.cti")}, tmp_path)
    assert problem(source) in ("genicam_missing", "cti_missing")
    with pytest.raises(SourceError):
        source.grab()


def test_a_password_in_an_address_is_not_shown() -> None:
    assert without_password("rtsp://me:p@ss@10.0.0.5/live") == "rtsp://10.0.0.5/live"
    assert without_password("rtsp://10.0.0.5/live") == "rtsp://10.0.0.5/live"


def test_what_is_no_picture_is_not_shown() -> None:
    assert displayed(b"") is None
    assert displayed(b"this is no picture") is None
    assert displayed(disc(1)[:700]) is None or picture_size(disc(1)[:700]) is not None


def test_a_large_picture_is_shown_small_and_a_huge_one_not_at_all() -> None:
    large = cv2.imencode(".jpg", np.zeros((3000, 4000, 3), np.uint8))[1].tobytes()
    shown = displayed(large)
    assert shown is not None
    assert (shown.width, shown.height) == (4000, 3000)
    assert picture_size(shown.jpeg) == (1600, 1200)
    assert picture_size(shown.thumbnail) == (160, 120)
    huge = cv2.imencode(".png", np.zeros((10_000, 10_000), np.uint8))[1].tobytes()
    assert displayed(huge) is None


def test_heat_lies_only_over_the_defects_of_ng_regions() -> None:
    hot = base64.b64encode(cv2.imencode(".png", np.full((20, 20), 255, np.uint8))[1].tobytes()).decode()
    square = [[2, 2], [8, 2], [8, 8], [2, 8]]
    region = {"bbox": [2, 2, 6, 6], "x": 2, "y": 2, "w": 6, "h": 6, "area_px": 36, "area_mm2": 1, "score": 2}
    moved = [[x + 50, y + 30] for x, y in square]
    roi = {
        "roi_id": "a", "verdict": "NG", "provisional": False, "score": 2, "threshold": 1, "model_version": 1,
        "inspection_id": "i", "shape": {"kind": "rect", "x": 0, "y": 0, "w": 20, "h": 20}, "inner_outline": None,
        "to_frame": [[1, 0, 50], [0, 1, 30]], "outline": [[50, 30], [69, 30], [69, 49], [50, 49]],
        "regions": [{**region, "contour": square, "contour_frame": moved, "centre_frame": [55, 35]}],
        "heatmap_png_base64": hot,
    }  # fmt: skip
    said = {
        "frame_id": "f", "time_utc": "2026-01-01T00:00:00+00:00", "role_id": "r", "part_id": None, "verdict": "NG",
        "layout_revision": 1, "mm_per_px": 0.1, "alignment": None, "width": 100, "height": 80,
        "rois": [roi, {**roi, "verdict": "OK"}], "timings_ms": {}, "request_id": "q", "provisional": False,
    }  # fmt: skip
    png = heat_over(InspectAnswer.model_validate(said))
    assert png is not None
    alpha = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_UNCHANGED)[..., 3]
    rows, columns = np.nonzero(alpha)
    assert (columns.min(), columns.max(), rows.min(), rows.max()) == (51, 59, 31, 39)
    said["rois"] = [{**roi, "verdict": "OK"}]
    assert heat_over(InspectAnswer.model_validate(said)) is None


def test_a_scanner_is_told_from_a_person_at_the_keys() -> None:
    wedge, now_s = Wedge(), 100.0
    assert wedge.press("Enter", now_s) is Key.START
    assert wedge.press(" ", now_s + 1) is Key.START
    for key in "AB 12":
        now_s += 0.02
        assert wedge.press(key, now_s) is Key.NOTHING
    assert wedge.press("Enter", now_s + 0.02) is Key.CODE
    assert wedge.code == "AB 12"
    assert wedge.press("x", now_s + 5) is Key.NOTHING
    assert wedge.press("Enter", now_s + 5 + 2 * GAP_S) is Key.START


def _grabbed(source: CameraSource) -> Picture:
    taken: list[Picture] = []

    def take() -> bool:
        try:
            taken.append(source.grab())
        except SourceError:
            return False
        return True

    wait_until(take)
    return taken[0]


def _shape(picture: Picture) -> tuple[int, ...]:
    image = cv2.imdecode(np.frombuffer(picture.data, np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    return image.shape
