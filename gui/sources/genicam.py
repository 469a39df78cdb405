"""Industrial cameras by GenICam (GigE Vision, USB3 Vision). Optional: needs `harvesters` and the maker's CTI file."""

from __future__ import annotations

import importlib
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from gui.sources.base import Exposure, Picture, Source, SourceError
from gui.sources.camera import AGAIN_S, as_picture

FETCH_S = 3.0


class GenicamSource(Source):
    """`triggered`: a signal at the camera's own input takes each picture, and each picture is a part."""

    def __init__(self, cti: Path, serial: str = "", *, triggered: bool = False) -> None:
        self._cti, self._serial, self._triggered = cti, serial, triggered
        self._harvester: Any = None
        self._camera: Any = None
        self._tried_s = -AGAIN_S
        self._problem: SourceError | None = None
        self._frame: np.ndarray | None = None

    def grab(self) -> Picture:
        try:
            return as_picture(self._fetch(FETCH_S))
        except TimeoutError:
            raise SourceError("no_trigger", f"The camera's input gave no trigger for {FETCH_S:g} s.") from None

    def arrived(self) -> Picture | None:
        if not self._triggered:
            return None
        try:
            # short: the line asks again, and has other things to do meanwhile
            return as_picture(self._fetch(0.05))
        except TimeoutError:
            return None

    def check(self) -> None:
        self._open()

    def preview(self) -> np.ndarray | None:
        """The last part while a signal takes the pictures, otherwise a picture of now."""
        return self._frame if self._triggered else self._fetch(FETCH_S)

    def close(self) -> None:
        for part, end in ((self._camera, "destroy"), (self._harvester, "reset")):
            if part is not None:
                getattr(part, end)()
        self._camera = self._harvester = None

    def exposure(self) -> Exposure | None:
        node = self._node("ExposureTime")
        return Exposure(node.value, node.min, node.max, 1, "µs") if node is not None else None

    def set_exposure(self, value: float) -> None:
        node = self._node("ExposureTime")
        if node is not None:
            node.value = min(max(value, node.min), node.max)

    def _node(self, name: str) -> Any:
        return getattr(self._camera.remote_device.node_map, name, None) if self._camera is not None else None

    def _open(self) -> Any:
        if self._camera is not None:
            return self._camera
        # not again at each question while the camera is away
        if time.monotonic() - self._tried_s < AGAIN_S and self._problem is not None:
            raise self._problem
        self._tried_s = time.monotonic()
        try:
            self._camera = self._opened()
        except SourceError as error:
            self._problem = error
            raise
        except (RuntimeError, ValueError, IndexError, OSError) as error:
            self._problem = SourceError("camera_gone", f"The GenICam camera cannot be opened: {error}")
            raise self._problem from None
        return self._camera

    def _opened(self) -> Any:
        try:
            core = importlib.import_module("harvesters.core")
        except ImportError as error:
            raise SourceError("genicam_missing", f"The package harvesters is not installed: {error}") from None
        if not self._cti.is_file():
            raise SourceError("cti_missing", f"{self._cti} is not there.")
        self._harvester = core.Harvester()
        self._harvester.add_file(str(self._cti))
        self._harvester.update()
        camera = self._harvester.create({"serial_number": self._serial} if self._serial else 0)
        node = getattr(camera.remote_device.node_map, "TriggerMode", None)
        if node is not None:
            node.value = "On" if self._triggered else "Off"
        camera.start()
        return camera

    def _fetch(self, timeout_s: float) -> np.ndarray:
        """BGR or grey. Raises SourceError, TimeoutError when the input has not triggered."""
        camera = self._open()
        buffer = camera.try_fetch(timeout=timeout_s)
        if buffer is None:
            if self._triggered:
                raise TimeoutError
            self.close()
            raise SourceError("camera_gone", f"The GenICam camera gave no picture for {timeout_s:g} s.")
        with buffer:
            self._frame = _pixels(buffer.payload.components[0])
        return self._frame


def _pixels(component: Any) -> np.ndarray:
    data = np.asarray(component.data).reshape(component.height, component.width, -1)
    if data.dtype != np.uint8:
        # of 12 or 16 bits the upper 8
        data = (data >> 4).astype(np.uint8) if "12" in component.data_format else (data >> 8).astype(np.uint8)
    if component.data_format.startswith("RGB"):
        return cv2.cvtColor(data, cv2.COLOR_RGB2BGR)
    # GenICam names a Bayer pattern by its first row, OpenCV by its second one
    if component.data_format.startswith("Bayer"):
        code = {"BayerRG": cv2.COLOR_BayerBG2BGR, "BayerBG": cv2.COLOR_BayerRG2BGR, "BayerGR": cv2.COLOR_BayerGB2BGR}
        return cv2.cvtColor(data, code.get(component.data_format[:7], cv2.COLOR_BayerGR2BGR))
    return data.copy()
