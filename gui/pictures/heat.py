"""The heat map of the service as a layer over the picture: clear below the threshold, yellow to red above it."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

AT_THRESHOLD = 128


def heat_layer(heatmap_png: bytes) -> bytes:
    """RGBA PNG of a grey PNG in which 128 is the threshold. Raises OSError for data that is no picture."""
    with Image.open(io.BytesIO(heatmap_png)) as picture:
        grey = np.asarray(picture.convert("L")).astype(np.float32)
    above = np.clip((grey - AT_THRESHOLD) / (255 - AT_THRESHOLD), 0, 1)
    layer = np.zeros((*grey.shape, 4), np.uint8)
    layer[..., 0] = 255
    layer[..., 1] = (220 * (1 - above)).astype(np.uint8)
    # never opaque: the part below has to be seen
    layer[..., 3] = np.where(grey >= AT_THRESHOLD, 110 + 100 * above, 0).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(layer).save(file, "PNG", compress_level=1)
    return file.getvalue()
