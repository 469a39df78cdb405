"""Models kept on the device, each loaded once and read again only when its pointer changes."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cachetools import LRUCache

from service.engine.patchcore import OnDevice
from service.engine.protocol import Engine, PlacedBank
from service.errors import ForeignBackbone, MemoryNotFitted, ModelDamaged, Problem
from service.loaded import description as model
from service.loaded.description import Description, ModelVersion
from service.metrics import Metrics
from service.store.models import Models

log = logging.getLogger(__name__)
Key = tuple[str, str]


@dataclass(frozen=True)
class LoadedModel(ModelVersion):
    """`problem` says why an older version serves; None when the current one does."""

    placed: PlacedBank
    coreset_size: int
    problem: str | None


@dataclass(frozen=True)
class _Entry:
    stamp: tuple[int, int, int]
    model: LoadedModel


class ModelCache:
    """At most `capacity` models; the one unused longest goes first."""

    def __init__(
        self, models: Models, engine: Callable[[], Engine], on_device: OnDevice, metrics: Metrics, capacity: int
    ) -> None:
        self._models, self._engine, self._on_device, self._metrics = models, engine, on_device, metrics
        self._entries: LRUCache[Key, _Entry] = LRUCache(capacity)
        self._loading: dict[Key, threading.Lock] = {}
        self._broken: dict[Key, str] = {}
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, role_id: str, roi_id: str) -> LoadedModel:
        """The model that serves. A warm one costs one `stat`.

        Raises MemoryNotFitted; ModelDamaged or ForeignBackbone when no earlier version can serve instead.
        """
        key, stamp = (role_id, roi_id), self._models.stamp(role_id, roi_id)
        if stamp is None:
            raise MemoryNotFitted(
                f"memory not fitted for {role_id}/{roi_id}: send good pictures to POST /fit_ok first."
            )
        entry = self._fresh(key, stamp)
        if entry is None:
            with self._lock:
                loading = self._loading.setdefault(key, threading.Lock())
            with loading:  # one load per model, however many ask
                entry = self._fresh(key, stamp) or self._remember(
                    key, _Entry(stamp, self._load_serving(role_id, roi_id))
                )
        return entry.model

    def version(self, role_id: str, roi_id: str, version: int | None) -> LoadedModel:
        """A certain version, loaded for this call unless it is the one that serves; None: the one that serves."""
        if version is None:
            return self.get(role_id, roi_id)
        if self._models.stamp(role_id, roi_id) is not None:
            serving = self.get(role_id, roi_id)
            if serving.version == version:
                return serving
        return self._load(role_id, roi_id, version, None)

    def described(self, role_id: str, roi_id: str, version: int | None) -> ModelVersion:
        """As `version`, in milliseconds also for one that does not serve: its memory bank is not read."""
        if version is None:
            return self.get(role_id, roi_id)
        found = self._models.version(role_id, roi_id, version)
        assert found.description is not None  # a damaged one is not returned
        return ModelVersion(version, _description(found.description, role_id, roi_id, version), found.calibration)

    def problems(self) -> list[str]:
        """Why older versions serve, or none, for /health."""
        with self._lock:
            serving = [entry.model.problem for entry in self._entries.values() if entry.model.problem]
            return serving + list(self._broken.values())

    def warnings(self) -> list[str]:
        """What is worth a look and changes no verdict, for /health."""
        with self._lock:
            old = [(key, entry.model.version) for key, entry in self._entries.items() if entry.model.old_calibration]
        return [
            f"Version {version} of {role_id}/{roi_id} was calibrated the old way, which promises too much: teach anew."
            for (role_id, roi_id), version in old
        ]

    def _fresh(self, key: Key, stamp: tuple[int, int, int]) -> _Entry | None:
        with self._lock:
            entry = self._entries.get(key)
            if entry is None or entry.stamp != stamp:
                return None
            return entry

    def _remember(self, key: Key, entry: _Entry) -> _Entry:
        with self._lock:
            self._broken.pop(key, None)
            dropped = [(key, self._entries.pop(key))] if key in self._entries else []
            while len(self._entries) >= self._entries.maxsize:
                dropped.append(self._entries.popitem())  # the one unused longest
            self._entries[key] = entry
        for old_key, old in dropped:
            self._metrics.model_unloaded(*old_key, old.model.version, old.model.description.recipe.backbone)
        loaded = entry.model
        self._metrics.model_loaded(*key, loaded.version, loaded.description.recipe.backbone, loaded.coreset_size)
        return entry

    def _load_serving(self, role_id: str, roi_id: str) -> LoadedModel:
        """The current version or, when it cannot be trusted, the latest that served before it."""
        try:
            current = self._models.current(role_id, roi_id)
            assert current is not None  # a stamp was there
            return self._load(role_id, roi_id, current, None)
        except (ModelDamaged, ForeignBackbone) as error:
            log.error("model unusable", extra={"role_id": role_id, "roi_id": roi_id, "detail": error.detail})
            for former in self._models.fallbacks(role_id, roi_id):
                try:
                    return self._load(role_id, roi_id, former, f"{error.detail} Version {former} serves meanwhile.")
                except Problem as other:
                    log.error("earlier model unusable", extra={"model_version": former, "detail": other.detail})
            with self._lock:
                self._broken[role_id, roi_id] = error.detail
            raise

    def _load(self, role_id: str, roi_id: str, version: int, problem: str | None) -> LoadedModel:
        stored = self._models.load(role_id, roi_id, version)
        description = _description(stored.description, role_id, roi_id, version)
        try:
            bank = model.bank(stored)
        except KeyError as error:
            raise _lacking(error, role_id, roi_id, version) from error
        engine = self._engine()
        self._refuse_foreign(engine, description, version, role_id, roi_id)
        placed = self._on_device(lambda: engine.place(bank))
        return LoadedModel(version, description, stored.calibration, placed, len(bank.vectors), problem)

    def _refuse_foreign(
        self, engine: Engine, description: Description, version: int, role_id: str, roi_id: str
    ) -> None:
        made_with = description.recipe
        here = engine.recipe(made_with.backbone, made_with.input_size)
        if here != made_with:
            raise ForeignBackbone(
                f"Version {version} of {role_id}/{roi_id} was made with other weights of {made_with.backbone} "
                f"(SHA-256 {made_with.weights_sha256[:12]}..., here {here.weights_sha256[:12]}...): "
                "put those weights into BACKEND_WEIGHTS_DIR, or fit again."
            )


def _description(stored: dict[str, Any], role_id: str, roi_id: str, version: int) -> Description:
    try:
        return Description.from_json(stored)
    except (KeyError, TypeError, ValueError, Problem) as error:
        raise _lacking(error, role_id, roi_id, version) from error


def _lacking(error: Exception, role_id: str, roi_id: str, version: int) -> ModelDamaged:
    return ModelDamaged(f"Version {version} of {role_id}/{roi_id} lacks {error}: fit again.")
