"""docs/licences.md names every package and weight file the product is made with."""

from __future__ import annotations

import hashlib
import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

from service.engine.weights_download import DOWNLOADS, KERAS_FILE

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "licences.md").read_text(encoding="utf-8")


def _load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("licences", ROOT / "packaging" / "licences.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["licences"] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


licences = _load()


def test_the_table_names_every_locked_package() -> None:
    table = PAGE.split(licences.BEGIN)[1].split(licences.END)[0].splitlines()[2:]
    assert table == licences.rows(), "run: .venv/bin/python packaging/licences.py"


def test_nothing_in_the_lock_is_overlooked() -> None:
    pinned = re.findall(r"^([A-Za-z0-9_.-]+)==", (ROOT / "requirements.lock").read_text(), re.MULTILINE)
    named = {package.name for package in licences.locked()}
    assert set(pinned) - named == {"httpx2-jsfetch"}, "only packages for other Pythons and platforms may be left out"
    assert "| torch |" in PAGE
    assert re.search(r"^\| pytest \|.*\| development \|$", PAGE, re.MULTILINE)


def test_no_package_of_the_product_is_under_a_licence_that_asks_for_our_source() -> None:
    strong = [row for row in licences.rows() if re.search(r"(?<!L)GPL", row) and row.endswith("| product |")]
    assert strong == []


def test_a_package_that_says_nothing_has_to_be_looked_at() -> None:
    with pytest.raises(KeyError, match="KNOWN"):
        licences.licence("no-such-package")


def test_every_weight_file_is_named() -> None:
    files = [KERAS_FILE, *(f"{name}-{source.sha256[:8]}.pth" for name, source in DOWNLOADS.items())]
    assert [file for file in files if f"`{file}`" not in PAGE] == []


def test_our_licence_is_the_verbatim_apache_2() -> None:
    text = (ROOT / "LICENSE").read_bytes().replace(b"\r\n", b"\n")
    assert hashlib.sha256(text).hexdigest() == "cfc7749b96f63bd31c3c42b5c471bf756814053e847c10f3eb003417bc523d30"
