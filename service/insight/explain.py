"""Explains an NG region: its worst patch, and the good patches that come nearest to it, each in its picture."""

from __future__ import annotations

import numpy as np

from service.backend import Device, Kept
from service.contract.insight import ExplainAnswer, ExplainRequest, Neighbour, Spot
from service.contract.inspections import RegionAnswer
from service.engine.protocol import MemoryBank
from service.errors import InvalidField
from service.insight.nearest_good import Cell, box_of, cells_of, distances, of_different_owners
from service.inspection.examine import Prepared, prepare
from service.inspection.pictures import recall
from service.loaded import description
from service.loaded.description import TaughtPicture
from service.loaded.models import LoadedModel
from service.store.records.inspections import Record
from service.teaching.scores import remembered_ok_scores
from service.vision.network_view import NetworkView


def explain(device: Device, kept: Kept, asked: ExplainRequest) -> ExplainAnswer:
    """By the version that judged it.

    Raises NotFound (no such inspection; its picture or version is gone), InvalidField (no such region),
    ForeignBackbone, SampleDamaged, what the device does.
    """
    record = kept.records.get(asked.inspection_id)
    region = _region(record, asked.region)
    seen = recall(kept, record)
    used = device.models.version(record.role_id, record.roi_id, record.model_version)
    bank = description.bank(kept.models.load(record.role_id, record.roi_id, record.model_version))
    prepared = prepare(used, kept.decode(seen.image, record.inspection_id), seen.shape)
    view, patches = prepared.view, embedded(device, bank, prepared)
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
        neighbours=[_neighbour(device, kept, record, used, bank, row, float(away[row])) for row in nearest],
    )


def embedded(device: Device, bank: MemoryBank, prepared: Prepared) -> np.ndarray:
    """Patches float32 (gh, gw, d) of an ROI picture, as they are compared with the bank. Between two inspections."""
    engine, asked = device.loader.engine(), prepared.comparison
    raw = device.worker.run(lambda: engine.vectors(engine.embed(asked.recipe, [asked.picture])))[0]
    compared: np.ndarray = raw @ bank.projection + bank.offset
    return compared.reshape(*prepared.view.grid, -1)


def _region(record: Record, index: int) -> RegionAnswer:
    if index >= len(record.regions):
        raise InvalidField(
            f"region: inspection {record.inspection_id} has {len(record.regions)} regions; 0 is the first."
        )
    return RegionAnswer(**record.regions[index])


def _worst(patches: np.ndarray, bank: MemoryBank, among: np.ndarray) -> Cell:
    """Row and column of the patch farthest from the bank; `among`: bool (gh, gw), the patches to choose from."""
    cells = np.argwhere(among)
    row, column = cells[distances(patches[among], bank.vectors).min(1).argmax()]
    return int(row), int(column)


def _neighbour(
    device: Device, kept: Kept, record: Record, used: LoadedModel, bank: MemoryBank, row: int, distance: float
) -> Neighbour:
    owner = int(bank.owners[row])
    taught = used.description.pictures[owner]
    scores = remembered_ok_scores(kept, record.role_id, record.roi_id, used)
    here = taught.name in kept.samples.filenames(record.role_id, record.roi_id, "ok")
    spot = _place(device, kept, record, used, bank, row, taught) if here else Spot(x=0, y=0, w=0, h=0)
    return Neighbour(
        **spot.model_dump(),
        distance=distance,
        filename=taught.name or None,
        in_dataset=here,
        held_out_score=scores[owner] if scores else None,
    )


def _place(
    device: Device, kept: Kept, record: Record, used: LoadedModel, bank: MemoryBank, row: int, taught: TaughtPicture
) -> Spot:
    """Where a vector of the bank comes from: a bank knows its pictures, not the places in them."""
    data = kept.samples.picture(record.role_id, record.roi_id, "ok", taught.name)
    prepared = prepare(used, kept.decode(data, taught.name), taught.shape)
    view, patches = prepared.view, embedded(device, bank, prepared)
    cells = np.argwhere(view.patches)
    away = distances(patches[view.patches], bank.vectors[row][None])[:, 0]
    at_row, at_column = cells[away.argmin()]
    return _spot((int(at_row), int(at_column)), view)


def _spot(cell: Cell, view: NetworkView) -> Spot:
    x, y, w, h = box_of(cell, view)
    return Spot(x=x, y=y, w=w, h=h)
