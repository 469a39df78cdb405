"""kill -9 at any instant: the store opens, the old model answers, nothing half done remains."""

from __future__ import annotations

import hashlib
import json
import random
import shutil
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from fastapi.testclient import TestClient

from service.store.files import read_sealed, sweep, write_sealed
from tests.conftest import settings_for
from tests.kit import crash_worker
from tests.kit.parts import ROI, calibrate, fit, infer, serving, state, upload

if TYPE_CHECKING:
    from multiprocessing.context import ForkServerContext
    from multiprocessing.process import BaseProcess

pytestmark = [
    pytest.mark.system,
    pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL and forkserver are POSIX; Windows runs the CI job"),
]
MAX_STEPS = 200
ROUNDS, SEED = 25, 20261123


@pytest.fixture(scope="module")
def before(taught_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A taught data root that also has samples."""
    data_root = tmp_path_factory.mktemp("before") / "data"
    shutil.copytree(taught_root, data_root)
    with serving(settings_for(data_root)) as client:
        assert upload(client, 2).status_code == 200
    return data_root


def killed_at_every_step(
    processes: ForkServerContext, before: Path, kind: str, folder: Path, steps: Iterable[int] = range(1, MAX_STEPS)
) -> Iterator[Path]:
    """Data roots as a service leaves them that was killed before its 1st, 2nd, ... step on files; the last one got to
    its end. The next one works while this one is looked at."""

    def start(step: int) -> tuple[Path, BaseProcess]:
        data_root = folder / f"{kind}-{step}"
        shutil.copytree(before, data_root)
        process = processes.Process(target=crash_worker.work_and_die, args=(data_root, kind, step))
        process.start()
        return data_root, process

    left = iter(steps)
    data_root, process = start(next(left))
    for step in left:
        process.join(60)
        ended = process.exitcode == 0
        assert process.exitcode in (0, -9), (data_root.name, process.exitcode)
        following = None if ended else start(step)
        yield data_root
        shutil.rmtree(data_root)
        if following is None:
            return
        data_root, process = following
    pytest.fail(f"{kind} takes more steps than were tried")


def assert_whole(data_root: Path, client: TestClient) -> None:
    leftovers = [path for path in data_root.rglob("*") if path.name.startswith(".tmp-")]
    assert leftovers == []
    said = state(client)
    assert said["problem"] is None
    assert said["serving_version"] == said["model_version"]
    assert [model["damaged"] for model in client.get("/models").json()["models"]] == [None] * len(said["versions"])
    folder = data_root / "datasets" / "disc" / "ring" / "ok"
    assert {path.stem for path in folder.glob("*.png")} == {path.stem for path in folder.glob("*.json")}
    for path in folder.glob("*.json"):
        picture = path.with_suffix(".png").read_bytes()
        assert json.loads(path.read_bytes())["sha256"] == hashlib.sha256(picture).hexdigest()
    assert client.get("/inspections", params={"limit": 1000}).status_code == 200


@pytest.mark.fast
@pytest.mark.parametrize("kind", ["file", "folder"])
def test_killed_at_every_line_of_the_writer_there_is_the_old_or_the_new_never_a_mixture(
    processes: ForkServerContext, tmp_path: Path, kind: str
) -> None:
    found = []
    for line in range(1, MAX_STEPS):
        folder = tmp_path / f"{kind}-{line}"
        write_sealed(folder / "file", {"old": True})
        process = processes.Process(target=crash_worker.write_and_die, args=(kind, folder / kind, line))
        process.start()
        process.join(30)
        assert process.exitcode in (0, -9)
        sweep(folder)
        rest = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))
        whole = {"file": [["file"]], "folder": [["file"], ["file", "folder", "folder/a", "folder/b"]]}[kind]
        assert rest in whole, line
        found.append(len(rest) > 1 or "new" in read_sealed(folder / "file"))
        if process.exitcode == 0:
            break
    assert found == sorted(found)
    assert set(found) == {False, True}
    assert len(found) > 10


def test_killed_at_every_step_of_a_fit_the_old_model_or_the_whole_new_one_serves(
    processes: ForkServerContext, before: Path, tmp_path: Path
) -> None:
    with serving(settings_for(before)) as client:
        known = infer(client).json()["score"]
    served = []
    for data_root in killed_at_every_step(processes, before, "fit", tmp_path):
        with serving(settings_for(data_root)) as client:
            assert_whole(data_root, client)
            answer = infer(client, allow_uncalibrated="true").json()
            served.append(answer["model_version"])
            if served[-1] == 1:
                assert (answer["score"], answer["verdict"]) == (known, "OK")
                assert client.post("/models/rollback", json=ROI).status_code == 409  # nothing else ever served
            else:
                assert (answer["model_version"], answer["verdict"]) == (2, None)
                assert client.post("/models/rollback", json=ROI).json()["model_version"] == 1
                assert infer(client).json()["score"] == known
    assert served == sorted(served)
    assert set(served) == {1, 2}
    assert len(served) > 10


def test_killed_at_every_step_of_a_calibration_the_old_threshold_or_the_new_one_holds(
    processes: ForkServerContext, before: Path, tmp_path: Path
) -> None:
    areas = []
    for data_root in killed_at_every_step(processes, before, "calibrate", tmp_path):
        with serving(settings_for(data_root)) as client:
            assert_whole(data_root, client)
            answer = infer(client).json()
            assert answer["verdict"] == "OK"
            areas.append(answer["params"]["area_mm2_thr"])
    assert areas == sorted(areas)
    assert set(areas) == {1.0, 2.0}
    assert len(areas) > 5


def test_killed_at_every_step_of_an_upload_no_half_sample_remains(
    processes: ForkServerContext, before: Path, tmp_path: Path
) -> None:
    counts = []
    for data_root in killed_at_every_step(processes, before, "upload", tmp_path):
        with serving(settings_for(data_root)) as client:
            assert_whole(data_root, client)
            counts.append(state(client)["dataset"]["ok"])
            if len(counts) % 5 == 0:
                assert upload(client, 1).json()["count"] == counts[-1] + 1
    assert counts == sorted(counts)
    assert (counts[0], counts[-1]) == (2, 5)
    assert len(counts) > 5


@pytest.mark.fast
def test_killed_at_every_step_of_a_move_a_sample_has_one_label_and_its_picture(
    processes: ForkServerContext, before: Path, tmp_path: Path
) -> None:
    found = []
    for data_root in killed_at_every_step(processes, before, "move", tmp_path):
        with serving(settings_for(data_root)) as client:
            assert_whole(data_root, client)
            said = {label: list_samples(client, label) for label in ("ok", "ng")}
            found.append((len(said["ok"]), len(said["ng"])))
            assert [sample["label"] for sample in said["ok"] + said["ng"]] == ["ok"] * found[-1][0] + ["ng"] * found[
                -1
            ][1]
            pictures = list((data_root / "datasets").rglob("*.png"))
            assert len(pictures) == len(said["ok"] + said["ng"])
    assert found == sorted(found, reverse=True)
    assert set(found) == {(2, 0), (1, 1)}
    assert len(found) > 5


def list_samples(client: TestClient, label: str) -> list[dict[str, object]]:
    found: list[dict[str, object]] = client.get("/datasets/samples", params={**ROI, "label": label}).json()["samples"]
    return found


@pytest.mark.fast
def test_killed_at_every_step_of_an_inspection_pictures_are_whole_or_absent(
    processes: ForkServerContext, before: Path, tmp_path: Path
) -> None:
    counts = []
    for data_root in killed_at_every_step(processes, before, "infer", tmp_path):
        with serving(settings_for(data_root)) as client:
            assert_whole(data_root, client)
            found = client.get("/inspections").json()
            counts.append(found["total"])
            for item in found["inspections"]:
                picture = client.get(f"/inspections/{item['inspection_id']}/image")
                if picture.status_code == 200:
                    record = client.get(f"/inspections/{item['inspection_id']}").json()
                    assert hashlib.sha256(picture.content).hexdigest() == record["image_sha256"]
    assert counts == sorted(counts)
    assert len(set(counts)) == 2
    assert len(counts) > 5


def test_killed_at_random_again_and_again_the_service_always_comes_back(
    processes: ForkServerContext, before: Path, tmp_path: Path
) -> None:
    data_root, chance = tmp_path / "data", random.Random(SEED)
    shutil.copytree(before, data_root)
    versions, samples = 1, 2
    for number in range(ROUNDS):
        process = processes.Process(target=crash_worker.work_until_killed, args=(data_root, number))
        process.start()
        time.sleep(chance.uniform(0.05, 0.7))
        process.kill()
        process.join(10)
        assert process.exitcode == -9
        with serving(settings_for(data_root)) as client:
            assert_whole(data_root, client)
            assert infer(client, allow_uncalibrated="true").status_code == 200
            said = state(client)
            assert len(said["versions"]) >= versions
            assert said["dataset"]["ok"] >= samples
            versions, samples = len(said["versions"]), said["dataset"]["ok"]
            jobs = client.app.state.backend.kept.database  # type: ignore[attr-defined]
            with jobs.connect() as connection:
                running = connection.exec_driver_sql("SELECT count(*) FROM jobs WHERE state = 'running'").scalar_one()
            assert running == 0
    assert versions > 1
    assert samples > 2
    with serving(settings_for(data_root)) as client:
        assert fit(client, 3).status_code == 200
        assert calibrate(client).status_code == 200
        assert infer(client).json()["verdict"] == "OK"
