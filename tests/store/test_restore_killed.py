"""Killed while it backs up, unpacks or swaps, there is one whole state."""

from __future__ import annotations

import random
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from service.store.backups.archive_file import check_archive
from service.store.backups.restore import (
    finish_restore,
    stage,
    stage_former,
)
from service.store.files import read_sealed
from tests.conftest import settings_for
from tests.deep.test_crash import assert_whole, killed_at_every_step
from tests.kit import crash_worker
from tests.kit.depth import rounds
from tests.kit.parts import ROI, infer, serving, state
from tests.kit.restored import content, inspections, posix, the_backup
from tests.store.test_backups import ignore

if TYPE_CHECKING:
    from multiprocessing.context import ForkServerContext


def run(processes: ForkServerContext, target: Any, *arguments: object) -> int:
    process = processes.Process(target=target, args=arguments)
    process.start()
    process.join(60)
    assert process.exitcode in (0, -9), (arguments, process.exitcode)
    return int(process.exitcode)


def steps(many: int) -> Iterator[int]:
    """All of the first thirty, then ever fewer."""
    step = 1
    while step < many:
        yield step
        step += 1 if step < 30 else step // 12


@posix
@pytest.mark.system
def test_killed_at_any_step_of_a_backup_there_is_the_whole_one_or_none(
    processes: ForkServerContext, changed_root: Path, tmp_path: Path
) -> None:
    made = []
    for data_root in killed_at_every_step(processes, changed_root, "backup", tmp_path, steps(3000)):
        for archive in (data_root / "backups").glob("*.gz"):
            check_archive(archive, lambda _: None)
        with serving(settings_for(data_root)) as client:
            assert_whole(data_root, client)
            made.append(len(client.get("/backups").json()["backups"]) - 1)
    assert made[-1] == 1
    assert set(made) == {0, 1}
    assert len(made) > 30


@posix
@pytest.mark.system
def test_killed_at_any_step_of_unpacking_the_old_state_is_whole(
    processes: ForkServerContext, changed_root: Path, then: dict[str, bytes], tmp_path: Path
) -> None:
    now, found = content(changed_root), []
    for data_root in killed_at_every_step(processes, changed_root, "restore", tmp_path, steps(3000)):
        assert content(data_root) == now
        found.append(finish_restore(data_root))
        assert content(data_root) == (then if found[-1] else now)
        with serving(settings_for(data_root)) as client:
            assert_whole(data_root, client)
            assert sorted((data_root / "restore").glob("staged")) == []
            assert state(client)["model_version"] == (1 if found[-1] else 2)
    assert found[-1] is True
    assert set(found) == {False, True}
    assert len(found) > 30


@posix
@pytest.mark.system
@pytest.mark.parametrize("back", [False, True], ids=["restore", "back to the former state"])
def test_killed_at_every_step_of_the_swap_it_goes_on_at_the_next_start(
    processes: ForkServerContext, changed_root: Path, then: dict[str, bytes], tmp_path: Path, back: bool
) -> None:
    ready, wanted, all_records = tmp_path / "ready", then, inspections(changed_root)
    shutil.copytree(changed_root, ready)
    stage(ready, the_backup(ready), 0, ignore)
    if back:
        finish_restore(ready)
        stage_former(ready)
        wanted = content(changed_root)
    for step in range(1, 500):
        data_root = tmp_path / str(step)
        shutil.copytree(ready, data_root)
        code = run(processes, crash_worker.finish_and_die, data_root, step)
        run(processes, crash_worker.finish_and_die, data_root, max(1, step // 2))  # and once more on the way
        finish_restore(data_root)
        assert content(data_root) == wanted
        assert inspections(data_root) == all_records
        if not back:
            assert content(data_root / "restore" / "former") == content(changed_root)
        with pytest.raises(FileNotFoundError):
            read_sealed(data_root / "restore" / "plan.json")
        shutil.rmtree(data_root)
        if code == 0:
            break
    assert code == 0
    assert step > 15


def test_what_a_killed_restore_was_writing_is_removed_files_and_folders(changed: Path) -> None:
    folder = changed / "restore"
    (folder / ".tmp-1-half" / "datasets").mkdir(parents=True)
    (folder / ".tmp-1-plan").write_bytes(b"{")  # the plan itself, as it is before it has its name
    with serving(settings_for(changed)):
        assert list(folder.iterdir()) == []


@pytest.mark.scaled
@posix
@pytest.mark.system
def test_killed_at_random_again_and_again_backups_and_restores_leave_one_whole_state(
    processes: ForkServerContext, changed_root: Path, then: dict[str, bytes], tmp_path: Path
) -> None:
    now, chance, data_root = content(changed_root), random.Random(20261125), tmp_path / "data"
    shutil.copytree(changed_root, data_root)
    oldest = the_backup(data_root).name
    for _ in range(rounds(3, 12)):
        process = processes.Process(target=crash_worker.operate_until_killed, args=(data_root, oldest))
        process.start()
        time.sleep(chance.uniform(0.3, 1.5))
        process.kill()
        process.join(60)  # one that waits for a slow disk dies when it has answered; until then it holds its locks
        assert process.exitcode == -9
        finish_restore(data_root)
        assert content(data_root) in (now, then)
        for archive in (data_root / "backups").glob("*.gz"):
            check_archive(archive, lambda _: None)
        with serving(settings_for(data_root)) as client:
            assert_whole(data_root, client)
            assert infer(client).json()["verdict"] == "OK"
            assert client.get("/manifest", params=ROI).status_code == 200
