"""Samples of an ROI: `datasets/<role>/<roi>/{ok,ng}/<id>.png` and, written after it, `<id>.json`.

The JSON makes the sample: a picture without one was never answered for, and is swept.
"""

from __future__ import annotations

import json
import os
import re
import uuid
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from service.errors import Conflict, NotFound, SampleDamaged, ScaleMismatch
from service.store.files import full_disk_named, roi_lock, sha256, sweep, sync_folder, write_file
from service.store.names import folder_name

Label = Literal["ok", "ng"]
LABELS: tuple[Label, ...] = ("ok", "ng")
Verdict = Literal["OK", "NG"]
_FILENAME = re.compile(r"\d{8}T\d{12}-[0-9a-f]{8}\.png")


@dataclass(frozen=True)
class Sample:
    """`mm_per_px` and `shape` (contract form) as the sample was uploaded; `sha256` is of the PNG.

    `golden`: the verdict ("OK" or "NG") that every model must give it, None for a sample nobody marked.
    """

    filename: str
    role_id: str
    roi_id: str
    label: Label
    mm_per_px: float
    shape: dict[str, Any] | None
    width: int
    height: int
    sha256: str
    created: str
    source_name: str = ""
    meta: dict[str, Any] = field(default_factory=dict)
    golden: Verdict | None = None


def part_id_of(sample: Sample) -> str:
    """Of the part that it shows, "" when its metadata do not say."""
    return str(sample.meta.get("part_id") or "")


@dataclass(frozen=True)
class NewSample:
    png: bytes
    mm_per_px: float
    width: int
    height: int
    shape: dict[str, Any] | None = None
    source_name: str = ""
    meta: dict[str, Any] = field(default_factory=dict)


class Samples:
    def __init__(self, data_root: Path) -> None:
        self._root = data_root / "datasets"
        self._locks = data_root / "locks" / "datasets"

    def add(self, role_id: str, roi_id: str, label: Label, samples: Sequence[NewSample]) -> list[Sample]:
        """Store all samples or, when one has another scale than the ROI's, none. Raises ScaleMismatch, DiskFull."""
        folder = self._folder(role_id, roi_id, label)
        with self._lock(role_id, roi_id):
            self._refuse_mixed_scales(role_id, roi_id, samples)
            added: list[Sample] = []
            try:
                for sample in samples:
                    added.append(_write_sample(folder, role_id, roi_id, label, sample))
            except BaseException:
                for sample_ in added:
                    _remove(folder, sample_.filename)
                raise
            return added

    def filenames(self, role_id: str, roi_id: str, label: Label) -> list[str]:
        """Oldest first."""
        folder = self._folder(role_id, roi_id, label)
        if not folder.is_dir():
            return []
        names = (f"{path.stem}.png" for path in folder.glob("*.json"))
        return sorted(name for name in names if _FILENAME.fullmatch(name))

    def samples(self, role_id: str, roi_id: str, label: Label) -> Iterator[Sample]:
        for filename in self.filenames(role_id, roi_id, label):
            yield self.sample(role_id, roi_id, label, filename)

    def sample(self, role_id: str, roi_id: str, label: Label, filename: str) -> Sample:
        """Raises NotFound, SampleDamaged."""
        path = self._existing(role_id, roi_id, label, filename)
        return _read_about(path.with_suffix(".json"), role_id, roi_id, label, filename)

    def picture(self, role_id: str, roi_id: str, label: Label, filename: str) -> bytes:
        """PNG bytes. Raises NotFound, SampleDamaged."""
        path = self._existing(role_id, roi_id, label, filename)
        try:
            return path.read_bytes()
        except OSError as error:
            raise _damaged(role_id, roi_id, label, filename, error) from error

    def delete(self, role_id: str, roi_id: str, label: Label, filename: str) -> None:
        with self._lock(role_id, roi_id):
            path = self._existing(role_id, roi_id, label, filename)
            _remove(path.parent, path.name)

    def relabel(self, role_id: str, roi_id: str, label: Label, filename: str, to: Label) -> None:
        """Give a sample the other label, under its name, with all that is known of it.

        It is where its JSON is, which moves in one step after its picture is there: whatever is interrupted, it has
        one of both labels. Raises NotFound, SampleDamaged, Conflict (there is one of that name), DiskFull.
        """
        target = self._folder(role_id, roi_id, to) / filename
        with self._lock(role_id, roi_id):
            sample = self.sample(role_id, roi_id, label, filename)
            if target.with_suffix(".json").exists():
                raise Conflict(f"{role_id}/{roi_id} has an {to} sample {filename} already: delete one of both.")
            source = self._existing(role_id, roi_id, label, filename)
            try:
                write_file(target, self.picture(role_id, roi_id, label, filename))
                _write_about(source.parent, replace(sample, label=to))  # until it moves, its folder says what it is
                with full_disk_named(target):
                    os.replace(source.with_suffix(".json"), target.with_suffix(".json"))
            except BaseException:
                target.unlink(missing_ok=True)
                raise
            sync_folder(target.parent)
            with suppress(OSError):  # somebody reads it, on Windows: swept at the next start
                source.unlink()
            sync_folder(source.parent)

    def clear(self, role_id: str, roi_id: str, label: Label) -> int:
        """Number of samples removed."""
        with self._lock(role_id, roi_id):
            filenames = self.filenames(role_id, roi_id, label)
            for filename in filenames:
                _remove(self._folder(role_id, roi_id, label), filename)
        return len(filenames)

    def mark_golden(
        self, role_id: str, roi_id: str, label: Label, filename: str, golden: Verdict | None
    ) -> Verdict | None:
        """Set the verdict expected of a golden sample, None to unset it; returns the one expected before.

        Raises NotFound, SampleDamaged, DiskFull.
        """
        with self._lock(role_id, roi_id):
            sample = self.sample(role_id, roi_id, label, filename)
            _write_about(self._folder(role_id, roi_id, label), replace(sample, golden=golden))
        return sample.golden

    def golden(self) -> Iterator[Sample]:
        """Every sample marked as golden, of all ROIs. Raises SampleDamaged: one that cannot be read may be one."""
        for path in sorted(self._root.glob("*/*/*/*.json")):
            if path.parent.name not in LABELS:
                continue
            sample = _read_about(path, path.parents[2].name, path.parents[1].name, path.parent.name, f"{path.stem}.png")
            if sample.golden:
                yield sample

    def mm_per_px(self, role_id: str, roi_id: str) -> float | None:
        """The scale of the ROI's samples; None when it has none. All samples of an ROI share it."""
        for label in LABELS:
            for filename in self.filenames(role_id, roi_id, label)[:1]:
                return self.sample(role_id, roi_id, label, filename).mm_per_px
        return None

    def sweep(self) -> None:
        """Remove what killed uploads left behind."""
        for folder in self._root.glob("*/*") if self._root.is_dir() else ():
            with roi_lock(self._locks, folder.parent.name, folder.name, "Clean-up"):
                for label in LABELS:
                    sweep(folder / label)
                    for picture in (folder / label).glob("*.png"):
                        if not picture.with_suffix(".json").exists():
                            picture.unlink()

    def _refuse_mixed_scales(self, role_id: str, roi_id: str, samples: Sequence[NewSample]) -> None:
        known = self.mm_per_px(role_id, roi_id)
        for sample in samples:
            known = known if known is not None else sample.mm_per_px
            refuse_other_scale(known, sample.mm_per_px, "the samples of this ROI have")

    def _existing(self, role_id: str, roi_id: str, label: Label, filename: str) -> Path:
        path = self._folder(role_id, roi_id, label) / filename
        if not _FILENAME.fullmatch(filename) or not path.with_suffix(".json").exists():
            raise NotFound(f"No {label} sample {filename!r} in {role_id}/{roi_id}; GET /datasets/list shows them.")
        return path

    def _folder(self, role_id: str, roi_id: str, label: Label) -> Path:
        return self._root / folder_name(role_id) / folder_name(roi_id) / label

    def _lock(self, role_id: str, roi_id: str) -> AbstractContextManager[None]:
        return roi_lock(self._locks, folder_name(role_id), folder_name(roi_id), "Dataset change")


def refuse_other_scale(known: float, given: float, whose: str, of: str = "") -> None:
    """Raises ScaleMismatch unless both scales (mm per pixel) agree to a millionth.

    `whose`: who has the known one, with a verb; `of`: what has the given one, nothing for the picture that is sent.
    """
    if abs(known - given) > 1e-6 * known:
        raise ScaleMismatch(
            f"mm_per_px{of and f' of {of}'} is {given:g}, but {whose} {known:g}: send pictures of that scale, "
            "or teach this camera set-up as another ROI."
        )


def _read_about(path: Path, role_id: str, roi_id: str, label: Label, filename: str) -> Sample:
    """The folder says which label it has, in the middle of a move too."""
    try:
        return replace(Sample(**json.loads(path.read_bytes())), label=label)
    except (ValueError, TypeError, OSError) as error:
        raise _damaged(role_id, roi_id, label, filename, error) from error


def _write_about(folder: Path, sample: Sample) -> None:
    about = json.dumps(asdict(sample), ensure_ascii=False).encode()
    write_file((folder / sample.filename).with_suffix(".json"), about)


def _damaged(role_id: str, roi_id: str, label: str, filename: str, error: Exception) -> SampleDamaged:
    return SampleDamaged(
        f"The {label} sample {filename} of {role_id}/{roi_id} cannot be read ({error}): "
        "delete it (DELETE /datasets/file) and add it again."
    )


def _write_sample(folder: Path, role_id: str, roi_id: str, label: Label, new: NewSample) -> Sample:
    now = datetime.now(UTC)
    filename = f"{now:%Y%m%dT%H%M%S%f}-{uuid.uuid4().hex[:8]}.png"
    given = {name: value for name, value in vars(new).items() if name != "png"}
    sample = Sample(filename, role_id, roi_id, label, **given, sha256=sha256(new.png), created=now.isoformat())
    try:
        write_file(folder / filename, new.png)
        _write_about(folder, sample)
    except BaseException:
        _remove(folder, filename)
        raise
    return sample


def _remove(folder: Path, filename: str) -> None:
    """The JSON first: from then on the sample does not exist."""
    (folder / filename).with_suffix(".json").unlink(missing_ok=True)
    (folder / filename).unlink(missing_ok=True)
