"""The command line with the real engine, as a person types it."""

from __future__ import annotations

import csv
import json
import os
from pathlib import Path

import pytest

from tests.kit.dataset import write_dataset
from tests.kit.processes import brakedisc, free_port

pytestmark = [pytest.mark.system, pytest.mark.torch]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve good discs to learn from; three good and two of each defect to test."""
    found = tmp_path_factory.mktemp("discs") / "set"
    write_dataset(found, n_train=12, n_good=3, n_per_defect=2, seed=1)
    return found


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return {
        **os.environ,
        "BACKEND_DATA_ROOT": str(tmp_path_factory.mktemp("root")),
        "BACKEND_PORT": str(free_port()),
        "BACKEND_BACKBONE": "efficientnet_lite0",
        "BACKEND_MIN_FREE_MB": "0",
        "COLUMNS": "120",
    }


RING = ("--shape", "annulus:0.55", "--role", "disc", "--roi", "ring")


@pytest.mark.fast
def test_taught_from_a_folder_it_finds_the_bad_part_and_exits_with_1(
    folder: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    taught = brakedisc(environment, "teach", folder / "train" / "good", *RING, "--mm-per-px", "0.25")
    assert taught.returncode == 0, taught.stderr
    assert "Version 1 of disc/ring: 12 pictures" in taught.stdout

    out = tmp_path / "out"
    seen = brakedisc(environment, "inspect", folder / "test" / "crack", *RING, "--out", out)
    assert seen.returncode == 1, seen.stdout + seen.stderr
    with open(out / "results.csv", encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 2
    assert "NG" in {row["verdict"] for row in rows}
    assert len(list(out.glob("*.overlay.png"))) == 2

    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "broken.png").write_bytes(b"not a picture")
    unread = brakedisc(environment, "inspect", tmp_path / "parts", "--role", "disc", "--roi", "ring")
    assert unread.returncode == 2
    assert "not an image we read" in " ".join(unread.stdout.split())


def test_what_was_never_taught_is_said_in_a_sentence(environment: dict[str, str], folder: Path) -> None:
    seen = brakedisc(environment, "inspect", folder / "test" / "good", "--role", "nobody", "--roi", "knows")
    assert seen.returncode == 2
    assert "brakedisc teach" in seen.stderr
    assert "Traceback" not in seen.stderr


def test_evaluate_writes_the_figures_for_machines(folder: Path, environment: dict[str, str], tmp_path: Path) -> None:
    figures = tmp_path / "figures.json"
    done = brakedisc(
        environment, "evaluate", folder, "--shape", "annulus:0.55", "--input-size", "256", "--coreset-rate", "0.05",
        "--json", figures,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    result = json.loads(figures.read_text())
    assert set(result["defects"]) == {"scratch", "pore", "crack", "stain"}
    for key in ("image_auroc", "pixel_auroc", "au_pro", "false_reject_rate", "miss_rate"):
        assert 0 <= result["all"][key] <= 1
    assert result["all"]["pixel_auroc"] > 0.7
    assert (result["backbone"], result["input_size"]) == ("efficientnet_lite0", 256)
    assert result["coreset_size"] > 0
    assert result["threshold"] > 0
    assert result["peak_rss_mb"] > 0
    assert {"embed", "neighbours", "total"} <= set(result["ms"])
    assert {"embed", "coreset"} <= set(result["fit_s"])


def test_doctor_and_weights_say_what_is_here(environment: dict[str, str]) -> None:
    for words in (("weights",), ("weights", "list")):
        listed = brakedisc(environment, *words)
        assert listed.returncode == 0, listed.stderr
        assert "efficientnet_lite0" in listed.stdout
    examined = brakedisc(environment, "doctor")
    assert examined.returncode == 0, examined.stdout
    assert "efficientnet_lite0" in examined.stdout
    taken = brakedisc({**environment, "BACKEND_DEVICE": "cuda:7"}, "doctor")
    assert taken.returncode == 1


def test_a_demo_never_deletes_a_folder_that_is_not_its_own(environment: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    refused = brakedisc(environment, "demo", "--folder", tmp_path, "--no-download")
    assert refused.returncode == 2
    assert (tmp_path / "thesis.txt").exists()
