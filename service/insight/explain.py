"""Why is a region NG: its worst patch, and the good patches that come nearest to it, each in its picture."""

from __future__ import annotations

import numpy as np

from service.backend import Backend
from service.contract.insight import ExplainAnswer, ExplainRequest, Neighbour, Spot
from service.contract.inspections import RegionAnswer
from service.engine.protocol import MemoryBank
from service.errors import InvalidField
from service.insight.nearest_good import Cell, box_of, cells_of, distances, of_different_owners
from service.inspection.pictures import Recalled, recall
from service.loaded import description
from service.loaded.description import TaughtPicture
from service.loaded.models import LoadedModel
from service.store.records.inspections import Record
from service.teaching.scores import remembered_ok_scores
from service.vision.images import decode
from service.vision.network_view import NetworkView, network_view


def explain(backend: Backend, asked: ExplainRequest) -> ExplainAnswer:
    """By the version that judged it.

    Raises NotFound (no such inspection; its picture or version is gone), InvalidField (no such region),
    ForeignBackbone, SampleDamaged, what the device does.
    """
    record = backend.records.get(asked.inspection_id)
    region = _region(record, asked.region)
    seen = recall(backend, record)
    used = backend.cache.version(record.role_id, record.roi_id, record.model_version)
    bank = description.bank(backend.models.load(record.role_id, record.roi_id, record.model_version))
    view, patches = _patches_of(backend, used, bank, seen)
    cell = _worst(patches, bank, cells_of(region.contour, view))
    away = distances(patches[cell][None], bank.vectors)[0]
    nearest = of_different_owners(away, bank.owners, asked.k)
    return ExplainAnswer(
        inspection_id=record.inspection_id,
        role_id=record.role_id,
        roi_id=record.roi_id,
        model_version=record.model_version,
        region=region,
        patch=_spot(cell, view),
        distance=float(away[nearest[0]]),
        neighbours=[_neighbour(backend, record, used, bank, row, float(away[row])) for row in nearest],
    )


def embedded(
    backend: Backend, used: LoadedModel, bank: MemoryBank, image_rgb: np.ndarray, view: NetworkView
) -> np.ndarray:
    """Patches float32 (gh, gw, d) of a ROI picture, as they are compared with the bank. Between two inspections."""
    engine, picture = backend.loader.engine(), view.picture(image_rgb)
    raw = backend.worker.run(lambda: engine.vectors(engine.embed(used.description.recipe, [picture])))[0]
    compared: np.ndarray = raw @ bank.projection + bank.offset
    return compared.reshape(*view.grid, -1)


def _region(record: Record, index: int) -> RegionAnswer:
    if index >= len(record.regions):
        raise InvalidField(
            f"region: inspection {record.inspection_id} has {len(record.regions)} regions; 0 is the first."
        )
    return RegionAnswer(**record.regions[index])


def _patches_of(
    backend: Backend, used: LoadedModel, bank: MemoryBank, seen: Recalled
) -> tuple[NetworkView, np.ndarray]:
    image_rgb = decode(seen.image, max_mpx=backend.settings.max_image_mpx, name=seen.record.inspection_id)
    recipe = used.description.recipe
    view = network_view(seen.shape, image_rgb.shape[0], image_rgb.shape[1], recipe.input_size, recipe.stride)
    return view, embedded(backend, used, bank, image_rgb, view)


def _worst(patches: np.ndarray, bank: MemoryBank, among: np.ndarray) -> Cell:
    """Row and column of the patch farthest from the bank among those of a bool (gh, gw)."""
    cells = np.argwhere(among)
    row, column = cells[distances(patches[among], bank.vectors).min(1).argmax()]
    return int(row), int(column)


def _neighbour(
    backend: Backend, record: Record, used: LoadedModel, bank: MemoryBank, row: int, distance: float
) -> Neighbour:
    owner = int(bank.owners[row])
    frame = used.description.pictures[owner]
    scores = remembered_ok_scores(backend, record.role_id, record.roi_id, used)
    here = frame.name in backend.datasets.filenames(record.role_id, record.roi_id, "ok")
    spot = _place(backend, record, used, bank, row, frame) if here else Spot(x=0, y=0, w=0, h=0)
    return Neighbour(
        **spot.model_dump(),
        distance=distance,
        filename=frame.name or None,
        in_dataset=here,
        held_out_score=scores[owner] if scores else None,
    )


def _place(
    backend: Backend, record: Record, used: LoadedModel, bank: MemoryBank, row: int, frame: TaughtPicture
) -> Spot:
    """Where a vector of the bank comes from: a bank knows its pictures, not the places in them."""
    data = backend.datasets.picture(record.role_id, record.roi_id, "ok", frame.name)
    image_rgb = decode(data, max_mpx=backend.settings.max_image_mpx, name=frame.name)
    view = frame.view(used.description.recipe)
    patches = embedded(backend, used, bank, image_rgb, view)
    cells = np.argwhere(view.patches)
    away = distances(patches[view.patches], bank.vectors[row][None])[:, 0]
    at_row, at_column = cells[away.argmin()]
    return _spot((int(at_row), int(at_column)), view)


def _spot(cell: Cell, view: NetworkView) -> Spot:
    x, y, w, h = box_of(cell, view)
    return Spot(x=x, y=y, w=w, h=h)
