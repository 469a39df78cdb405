"""Opens a folder in the Explorer, or in whichever file manager the desktop has."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


def open_folder(folder: Path) -> None:
    """Raises OSError when nothing can show it."""
    if sys.platform == "win32":
        os.startfile(folder)
        return
    nothing = subprocess.DEVNULL
    done = subprocess.run(["xdg-open", str(folder)], stdin=nothing, stdout=nothing, stderr=nothing, check=False)
    if done.returncode != 0:
        raise OSError(f"xdg-open cannot show {folder}")
