"""From an encoded picture to its anomaly map: our engine beside eager PyTorch float32 with torch.cdist.

python -m bench.engine [--backbone NAME] [--size PX] [--bank VECTORS]
"""

from __future__ import annotations

import io
import json
from typing import Annotated

import numpy as np
import torch
import typer
from PIL import Image

from bench.tables import console, interleaved_ms, print_table
from service.contract.shapes import parse_shape
from service.demo.discs import draw_disc, ring_shape
from service.demo.view import MM_PER_PX
from service.engine.backbones import load_backbone
from service.engine.patchcore import Fitting, Good, Teaching, gather, whitened_bank
from service.engine.protocol import MemoryBank, Recipe
from service.engine.torch_engine import TorchEngine
from service.engine.weights import require_weights, weights_folders
from service.settings import Settings, read_settings
from service.stopwatch import Stopwatch
from service.vision.images import decode
from service.vision.network_view import NetworkView, network_view, roi_side
from service.vision.verdict import measure

SHAPE = parse_shape(json.dumps(ring_shape(512)))


def main(
    backbone: Annotated[str, typer.Option(help="Backbone")] = "efficientnet_lite0",
    size: Annotated[int, typer.Option(help="Input size; 0 = the backbone's own")] = 0,
    bank: Annotated[int, typer.Option(help="Vectors in the memory bank")] = 3072,
    rounds: Annotated[int, typer.Option(help="Timed rounds")] = 30,
) -> None:
    settings = read_settings(BACKEND_BACKBONE=backbone)
    engine = TorchEngine(settings)
    recipe = engine.recipe(backbone, size, roi_side(SHAPE, 512, 512))
    view = network_view(SHAPE, 512, 512, recipe.input_size, recipe.stride)
    data = [_jpeg(seed) for seed in range(8)]
    memory = _bank(engine, recipe, view, bank)
    placed = engine.place(memory)
    reference = Reference(settings, backbone, engine.device, memory)

    def ours(picture: bytes) -> tuple[np.ndarray, float]:
        prepared = view.picture(decode(picture, max_mpx=100))
        distances = engine.distances(engine.embed(recipe, [prepared]), [placed], [view.patches])[0]
        measured = measure(distances, view, MM_PER_PX)
        return measured.map, measured.score

    def theirs(picture: bytes) -> tuple[np.ndarray, float]:
        prepared = view.picture(decode(picture, max_mpx=100))
        measured = measure(reference.distances(prepared), view, MM_PER_PX)
        return measured.map, measured.score

    difference = max(abs(ours(d)[1] / theirs(d)[1] - 1) for d in data)
    times = interleaved_ms(
        {"eager PyTorch fp32 + torch.cdist": lambda: theirs(data[0]), "engine": lambda: ours(data[0])}, rounds=rounds
    )
    plain, fast = (float(np.median(values)) for values in times.values())
    print_table(
        f"One 512 px JPEG to its map: {backbone} {recipe.input_size} px, {len(memory.vectors)} x "
        f"{memory.vectors.shape[1]} vectors, {engine.device_name}",
        ("", "median ms", "best ms", "ratio"),
        [
            (name, float(np.median(values)), float(values.min()), f"{plain / float(np.median(values)):.2f}x")
            for name, values in times.items()
        ],
    )
    console.print(f"engine {plain / fast:.2f} times as fast; largest relative difference of a score {difference:.1e}")


class Reference:
    """The same network and bank the plain way: PyTorch eager, float32, contiguous; the full distance matrix."""

    def __init__(self, settings: Settings, backbone: str, device: str, memory: MemoryBank) -> None:
        folders = weights_folders(settings.weights_dir, settings.data_root)
        loaded = load_backbone(backbone, require_weights(backbone, folders).path, torch.device(device))
        self._network = loaded.network.to(memory_format=torch.contiguous_format)
        self._device = device
        self._vectors = torch.from_numpy(memory.vectors).to(device)
        self._projection = torch.from_numpy(memory.projection).to(device)
        self._offset = torch.from_numpy(memory.offset).to(device)

    @torch.inference_mode()
    def distances(self, picture: np.ndarray) -> np.ndarray:
        """(rows, columns) of uint8 RGB (h, w, 3)."""
        patches = self._network(torch.from_numpy(picture)[None].to(self._device))[0]
        queries = patches.reshape(-1, patches.shape[-1]) @ self._projection + self._offset
        found = torch.cdist(queries, self._vectors).amin(1).reshape(patches.shape[:2]).cpu().numpy()
        return np.asarray(found)


def _bank(engine: TorchEngine, recipe: Recipe, view: NetworkView, size: int) -> MemoryBank:
    """Taught as the service does, with a coreset of `size` patches."""

    def load(index: int) -> Good:
        return Good(view.picture(draw_disc(100 + index).image_rgb), view)

    fitting = Fitting(engine, recipe, 12, load, lambda work: work(), lambda *_: None, Stopwatch())
    return whitened_bank(fitting, gather(fitting, Teaching(dims=recipe.dims)), size, 0, lambda _: None)


def _jpeg(seed: int) -> bytes:
    file = io.BytesIO()
    Image.fromarray(draw_disc(seed).image_rgb).save(file, "JPEG", quality=95)
    return file.getvalue()


if __name__ == "__main__":
    typer.run(main)
