"""The service on the engine's numpy twin, as a process of its own: ready in a second, without torch.

`TWIN_EMBED_S` makes every look last so many seconds.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence

import numpy as np

from service.__main__ import main
from service.engine.protocol import Recipe
from service.settings import Settings
from tests.kit.twin import TwinEngine


class SlowTwin(TwinEngine):
    def embed(self, recipe: Recipe, pictures: Sequence[np.ndarray]) -> np.ndarray:
        time.sleep(float(os.environ.get("TWIN_EMBED_S", "0")))
        return super().embed(recipe, pictures)


def build(_: Settings) -> SlowTwin:
    return SlowTwin()


if __name__ == "__main__":
    sys.exit(main(build=build))
