"""The tray stays small: what it loads, and who knows pystray. What it may import pyproject states."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

from tests.rules.test_architecture import imports

ROOT = Path(__file__).parents[2]
HEAVY = {"torch", "torchvision", "timm", "onnxruntime", "fastapi", "starlette", "uvicorn", "sqlalchemy", "numpy", "cv2"}


def test_one_file_knows_pystray() -> None:
    found = []
    for path in (ROOT / "tray").rglob("*.py"):
        tree = ast.parse(path.read_text("utf-8"))
        texts = {str(node.value) for node in ast.walk(tree) if isinstance(node, ast.Constant)}
        if "pystray" in texts | {name.split(".")[0] for name in imports(tree)}:
            found.append(path.name)
    assert found == ["icon.py"]


def test_what_it_loads_is_light() -> None:
    """The whole process has to stay under 60 MB."""
    code = f"import sys, tray.__main__, tray.icon.app\nheavy = {HEAVY!r} & set(sys.modules)\nassert not heavy, heavy"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT, timeout=60)
