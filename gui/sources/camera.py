"""Cameras that OpenCV opens: USB by number, RTSP by URL. Read all the time, or a grab would give an old picture."""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Callable

import cv2
import numpy as np

from gui.sources.base import Beat, Exposure, Picture, Source, SourceError, now_utc

log = logging.getLogger(__name__)
AGAIN_S = 2.0  # between two attempts to open
FIRST_S, NEXT_S = 15.0, 5.0  # patience for the first picture of a camera, and for the next one
_TIMEOUTS = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, 5000, cv2.CAP_PROP_READ_TIMEOUT_MSEC, 5000]
# Lossless, and 7 times as quick as OpenCV's default for a third more bytes.
_FAST_PNG = [
    cv2.IMWRITE_PNG_COMPRESSION, 1, cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_RLE,
    cv2.IMWRITE_PNG_FILTER, cv2.IMWRITE_PNG_FILTER_UP,
]  # fmt: skip

Open = Callable[[], cv2.VideoCapture]


def usb(index: int, width: int = 0, height: int = 0) -> cv2.VideoCapture:
    """DirectShow on Windows: it opens in under a second, where Media Foundation takes up to half a minute."""
    ways = (cv2.CAP_DSHOW, cv2.CAP_MSMF) if sys.platform == "win32" else (cv2.CAP_ANY,)
    for way in ways:
        capture = cv2.VideoCapture(index, way)
        if capture.isOpened():
            for name, value in ((cv2.CAP_PROP_FRAME_WIDTH, width), (cv2.CAP_PROP_FRAME_HEIGHT, height)):
                if value:
                    capture.set(name, value)
            return capture
    return capture


def stream(url: str) -> cv2.VideoCapture:
    return cv2.VideoCapture(url, cv2.CAP_FFMPEG, _TIMEOUTS)


class CameraSource(Source):
    """`opening` opens the camera; it is called in the camera's own thread, again and again while the camera is away."""

    def __init__(self, opening: Open, name: str, period_s: float = 0.0, exposure: float | None = None) -> None:
        self._opening, self._name, self._beat = opening, name, Beat(period_s)
        self._changed = threading.Condition()
        self._frame: np.ndarray | None = None
        self._count, self._ended = 0, threading.Event()
        self._problem: SourceError | None = None
        self._wanted_exposure = exposure
        self._exposure: Exposure | None = None
        self._thread = threading.Thread(target=self._run, name=f"camera {name}", daemon=True)
        self._thread.start()

    def grab(self) -> Picture:
        """The first frame that is complete after the call: the part stands still from the trigger on."""
        with self._changed:
            before = self._count
            patience_s = NEXT_S if before else FIRST_S
            self._changed.wait_for(lambda: self._count > before or self._problem is not None, patience_s)
            if self._problem is not None:
                raise self._problem
            frame = self._frame if self._count > before else None
        if frame is None:
            raise SourceError("camera_gone", f"{self._name} gave no picture for {patience_s:.0f} s.")
        return as_picture(frame)

    def check(self) -> None:
        with self._changed:
            if self._problem is not None:
                raise self._problem

    def preview(self) -> np.ndarray | None:
        self.check()
        return self._frame

    def close(self) -> None:
        self._ended.set()
        self._thread.join(10)  # a read of a stream that hangs ends by its own time limit

    def exposure(self) -> Exposure | None:
        return self._exposure

    def set_exposure(self, value: float) -> None:
        self._wanted_exposure = value

    def _run(self) -> None:
        while not self._ended.is_set():
            capture = self._opening()
            if capture.isOpened():
                self._exposure = _exposure(capture)
                self._read(capture)
            else:
                self._say(SourceError("camera_gone", f"{self._name} cannot be opened."))
            capture.release()
            self._ended.wait(AGAIN_S)

    def _read(self, capture: cv2.VideoCapture) -> None:
        """Read until the camera gives no picture any more."""
        while not self._ended.is_set():
            if self._wanted_exposure is not None:
                wanted, self._wanted_exposure = self._wanted_exposure, None
                _expose(capture, wanted)
                self._exposure = _exposure(capture)
            got, frame = capture.read()
            if not got or frame is None:
                self._say(SourceError("camera_gone", f"{self._name} stopped giving pictures."))
                return
            with self._changed:
                self._frame, self._problem = frame, None
                self._count += 1
                self._changed.notify_all()

    def _say(self, problem: SourceError) -> None:
        with self._changed:
            if self._problem is None and not self._ended.is_set():
                log.warning("camera", extra={"camera": self._name, "detail": problem.detail})
            self._problem, self._frame = problem, None
            self._changed.notify_all()


def as_picture(frame: np.ndarray) -> Picture:
    """BGR or grey uint8 as a PNG, lossless."""
    done, data = cv2.imencode(".png", frame, _FAST_PNG)
    if not done:
        raise SourceError("camera_gone", "The camera's picture cannot be encoded.")
    return Picture(data.tobytes(), f"{now_utc()[:23].replace(':', '-')}.png")


def _exposure(capture: cv2.VideoCapture) -> Exposure | None:
    """DirectShow counts in powers of two of a second, other drivers as they like. 0 and -1: not told."""
    value = capture.get(cv2.CAP_PROP_EXPOSURE)
    if value in (0.0, -1.0):
        return None
    return Exposure(value, -13, 0, 1, "log2 s") if value < 0 else Exposure(value, 1, max(10000.0, value), 1)


def _expose(capture: cv2.VideoCapture, value: float) -> None:
    capture.set(
        cv2.CAP_PROP_AUTO_EXPOSURE, 0.25 if sys.platform == "win32" else 1
    )  # manual exposure, in the number of each driver
    capture.set(cv2.CAP_PROP_EXPOSURE, value)
