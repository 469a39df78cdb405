"""The tray stays small and apart: what it loads, what it knows of the service, who knows pystray."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.rules.test_architecture import imports

ROOT = Path(__file__).parents[2]
TREES = {path.name: ast.parse(path.read_text("utf-8")) for path in (ROOT / "tray").rglob("*.py")}
HEAVY = {"torch", "torchvision", "timm", "onnxruntime", "fastapi", "starlette", "uvicorn", "sqlalchemy", "numpy", "cv2"}
MAY_IMPORT_SERVICE = {
    "service", "service.settings", "service.process.port", "service.errors", "service.process.logs", "service.caller",
    "service.store.files", "service.store.state.settings_file", "service.key_ring",
}  # fmt: skip


def test_of_the_screens_it_knows_the_settings_only() -> None:
    used = {name for tree in TREES.values() for name in imports(tree) if name.split(".")[0] == "gui"}
    assert {name.rpartition(".")[0] for name in used} == {"gui.settings"}


def importers(library: str) -> Iterator[str]:
    for name, tree in TREES.items():
        texts = {str(node.value) for node in ast.walk(tree) if isinstance(node, ast.Constant)}
        if any(found.split(".")[0] == library for found in imports(tree)) or library in texts:
            yield name


def test_one_file_knows_pystray() -> None:
    assert list(importers("pystray")) == ["icon.py"]


def test_of_the_service_it_knows_the_light_modules_only() -> None:
    found = {name.rpartition(".")[0] for tree in TREES.values() for name in imports(tree)}
    used = {name for name in found if name.split(".")[0] == "service"}
    assert used - MAY_IMPORT_SERVICE == set()


def test_what_it_loads_is_light() -> None:
    """The whole process has to stay under 60 MB."""
    code = f"import sys, tray.__main__, tray.icon.app\nheavy = {HEAVY!r} & set(sys.modules)\nassert not heavy, heavy"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT, timeout=60)
