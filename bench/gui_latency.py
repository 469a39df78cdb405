"""From the key to the word on the screen, without the service's own time: `python -m bench.gui_latency [PARTS]`.

Real Chromium, the real inspector, the simulated camera and the service on the engine's twin, all on this PC. The page
itself takes the two moments: when the key comes, and when the first frame with the new word has been drawn.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np

from bench.tables import print_table
from tests.kit.browser import Inspector, by, chromium, open_page
from tests.kit.line_parts import pictures, prefer, teach_line

SIZE_PX = 1280

_WATCH = """() => {
  window.taken = [];
  let pressed = 0;
  addEventListener('keydown', () => { pressed = performance.now(); }, true);
  let last = '';
  const look = () => {
    const word = document.querySelector('[data-testid=word]');
    const now = word ? word.dataset.number + word.textContent : '';
    if (now !== last && /(OK|NG|ERROR)$/.test(now))
      window.taken.push([performance.now() - pressed, Number(word.dataset.ms)]);
    last = now;
    requestAnimationFrame(look);
  };
  look();
}"""


def main(parts: int, module: str = "tests.kit.twin_service") -> None:
    with tempfile.TemporaryDirectory() as folder:
        made = Inspector(Path(folder) / "line")
        try:
            taken = _measured(made, parts, module)
        finally:
            made.stop_gui()
            made.stop_service()
    seen, service = taken.T
    rows = [("key to word on screen", seen), ("the service's own time", service), ("between", seen - service)]
    print_table(
        f"{parts} parts of {SIZE_PX} x {SIZE_PX} px, ms",
        ("", "p50", "p95", "max"),
        [(name, *(float(np.percentile(values, share)) for share in (50, 95, 100))) for name, values in rows],
    )


def _measured(made: Inspector, parts: int, module: str) -> np.ndarray:
    """Float64 (parts, 2): key to word, and what the service says it took, in ms."""
    made.start_service(module)
    teach_line(made, SIZE_PX)
    folder = pictures(made.folder / "camera", SIZE_PX)
    prefer(made, source={"kind": "simulated", "path": str(folder)})
    made.start_gui()
    with chromium() as browser:
        page = open_page(browser, f"{made.url}/")
        page.wait_for_timeout(2000)
        page.evaluate(_WATCH)
        for part in range(parts):
            page.keyboard.press("Enter")
            page.wait_for_function(f"window.taken.length > {part}")
            page.wait_for_timeout(300)  # the picture comes, and the next part
        print("last verdict:", by(page, "word").text_content())
        return np.array(page.evaluate("window.taken"))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 40, *sys.argv[2:3])
