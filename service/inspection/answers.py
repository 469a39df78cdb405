"""How a judged part is told, recorded and drawn: the same for a single picture and for an ROI of a frame."""

from __future__ import annotations

from service.contract.inspections import Params, RegionAnswer
from service.inspection.examine import Examined
from service.loaded.description import ModelVersion
from service.vision.anomaly_map import Region, heatmap
from service.vision.images import encode_png
from service.vision.network_view import NetworkView


def regions(examined: Examined) -> list[RegionAnswer]:
    """Where the map reaches the threshold, largest first; none without a verdict."""
    return [_region(region) for region in examined.judged.regions] if examined.judged else []


def params(model: ModelVersion, view: NetworkView) -> Params:
    """What judged, and the shape it judged: enough to look again."""
    about = model.description
    return Params(
        extractor=about.recipe.backbone,
        input_size=about.recipe.input_size,
        coreset_rate=about.coreset_rate_applied,
        score_percentile=model.score_percentile,
        area_mm2_thr=model.area_mm2,
        mm_per_px=about.mm_per_px,
        shape=view.shape.model_dump() if view.shape else None,
        provisional=model.provisional,
    )


def heatmap_png(model: ModelVersion, examined: Examined) -> bytes:
    about, measured = model.description, examined.measured
    level = examined.threshold or about.uncalibrated_scale
    return encode_png(heatmap(measured.map, level, examined.view.place, calm=about.calm_level))


def _region(region: Region) -> RegionAnswer:
    x, y, w, h = region.bbox
    return RegionAnswer(**vars(region), x=x, y=y, w=w, h=h)
