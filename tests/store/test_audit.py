"""The audit log: who did what; whatever an intruder changes in it is found, whatever a crash does to it is mended."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from filelock import FileLock

from service.errors import Conflict, DiskFull
from service.store.audit import log as audit
from service.store.audit.chain import START, Entry, Head, Verified, last, log_path, newest, parse, read_head, verify
from service.store.audit.log import Audit
from service.store.files import sha256, write_sealed
from tests.kit import audit_worker
from tests.kit.small_disk import fill
from tests.store.test_disk_full import small_disk

__all__ = ["small_disk"]  # the fixture
ROUNDS, SEED = 20, 20261125
if TYPE_CHECKING:
    from multiprocessing.context import ForkServerContext

posix = pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL and forkserver are POSIX")
Lines = list[bytes]


def append(data_root: Path, action: str = "fit", new: object = None) -> None:
    Audit(data_root, lambda: datetime(2026, 11, 25, tzinfo=UTC)).append(
        action, by="quality", station="pc-7", request_id="r-1", target={"roi_id": "línea 2"}, old=None, new=new
    )


def checked(data_root: Path) -> Verified:
    return verify(log_path(data_root))


def entries(data_root: Path) -> list[Entry]:
    """Oldest first; lines that are no entries are left out."""
    return [entry for line in read_lines(data_root) if (entry := parse(line.rstrip(b"\n")))]


def read_lines(data_root: Path) -> Lines:
    return log_path(data_root).read_bytes().splitlines(keepends=True)


@pytest.fixture
def written(tmp_path: Path) -> Path:
    """A data root whose log holds ten entries."""
    for number in range(10):
        append(tmp_path, "fit" if number % 3 else "activate", new=number)
    assert checked(tmp_path).problem is None
    return tmp_path


def test_an_entry_says_who_what_when_from_where_and_follows_from_the_one_before(tmp_path: Path) -> None:
    append(tmp_path, new={"version": 7, "file": "a\udc80"})
    append(tmp_path, "activate")
    first, second = entries(tmp_path)
    assert first == Entry(
        1, "2026-11-25T00:00:00+00:00", "fit", "quality", "pc-7", "r-1", {"roi_id": "línea 2"}, None,
        {"version": 7, "file": "a\udc80"}, "0" * 64,
    )  # fmt: skip
    lines = read_lines(tmp_path)
    assert second.prev == sha256(lines[0].rstrip(b"\n"))
    assert list(json.loads(lines[0])) == list(Entry.__dataclass_fields__)
    assert "línea 2".encode() in lines[0]
    head = Head(2, sha256(lines[1].rstrip(b"\n")))
    assert read_head(log_path(tmp_path)) == head
    assert checked(tmp_path) == Verified(2, None, 0, 0, False, head)


def test_a_value_that_is_no_json_is_refused_and_nothing_written(written: Path) -> None:
    before = read_lines(written)
    with pytest.raises(TypeError):
        append(written, new=Path("x"))
    with pytest.raises(ValueError, match="not JSON compliant"):
        append(written, new=float("nan"))
    assert read_lines(written) == before


def test_no_log_yet_is_whole(tmp_path: Path) -> None:
    assert checked(tmp_path) == Verified(0, None, 0, 0, False, START)
    assert (list(newest(tmp_path)), last(tmp_path, "fit")) == ([], None)


def test_the_newest_entry_of_an_action_is_found_from_the_end(written: Path) -> None:
    append(written, "restore", new="x" * 200_000)  # longer than a block
    append(written, "freeze")
    found = last(written, "activate")
    assert found is not None
    assert (found.seq, found.new) == (10, 9)
    assert last(written, "unfreeze") is None
    assert list(newest(written)) == entries(written)[::-1]
    assert [entry.seq for entry in entries(written)] == list(range(1, 13))


def changed(line: bytes) -> bytes:
    return line.replace(b"quality", b"quantty")


def renumbered(lines: Lines) -> Lines:
    """The forger's second step: line 5 goes, and the numbers of those after it are made to fit."""
    rest = [json.loads(line) for line in lines[5:]]
    return lines[:4] + [json.dumps({**entry, "seq": entry["seq"] - 1}).encode() + b"\n" for entry in rest]


def rehashed(lines: Lines) -> Lines:
    """Line 4 edited, and the hash in line 5 computed anew."""
    edited = changed(lines[3])
    following = json.loads(lines[4]) | {"prev": sha256(edited.rstrip(b"\n"))}
    return [*lines[:3], edited, json.dumps(following, ensure_ascii=False).encode() + b"\n", *lines[5:]]


def all_rehashed(lines: Lines) -> Lines:
    """Line 4 edited, and every hash after it computed anew."""
    forged, prev = lines[:3], sha256(lines[2].rstrip(b"\n"))
    for line in [changed(lines[3]), *lines[4:]]:
        forged.append(json.dumps(json.loads(line) | {"prev": prev}, ensure_ascii=False).encode() + b"\n")
        prev = sha256(forged[-1].rstrip(b"\n"))
    return forged


FORGERIES: dict[str, tuple[Callable[[Lines], Lines], str]] = {
    "a changed byte": (lambda x: [*x[:3], changed(x[3]), *x[4:]], "line 5: does not follow from the line before"),
    "a changed byte in the last line": (lambda x: [*x[:9], changed(x[9])], "line 10: entry 10 is not the one that"),
    "a changed byte in the first line": (lambda x: [changed(x[0]), *x[1:]], "line 2: does not follow"),
    "a removed line": (lambda x: x[:4] + x[5:], "line 5: entries 5 to 5 are missing before it"),
    "a removed line, numbers made to fit": (renumbered, "line 5: does not follow"),
    "the first line removed": (lambda x: x[1:], "line 1: entries 1 to 1 are missing before it"),
    "a removed tail": (lambda x: x[:7], "after line 7 entries 8 to 10 are missing"),
    "the last line removed": (lambda x: x[:9], "after line 9 entries 10 to 10 are missing"),
    "half of the last line removed": (lambda x: [*x[:9], x[9][:40]], "after line 9 entries 10 to 10 are missing"),
    "the last line end removed": (lambda x: [*x[:9], x[9][:-1]], "after line 9 entries 10 to 10 are missing"),
    "an inserted line": (lambda x: [*x[:5], x[2], *x[5:]], "line 6: entry 3 stands after entry 5"),
    "an inserted line without meaning": (lambda x: [*x[:5], b"\n", *x[5:]], "line 6 is not an audit entry"),
    "swapped lines": (lambda x: [*x[:4], x[5], x[4], *x[6:]], "line 5: entries 5 to 5 are missing before it"),
    "a line edited and hashed anew": (rehashed, "line 6: does not follow"),
    "all lines after it hashed anew": (all_rehashed, "line 10: entry 10 is not the one that was written"),
    "broken JSON": (lambda x: [*x[:2], x[2][:50] + b"\n", *x[3:]], "line 3 is not an audit entry"),
    "JSON that is no entry": (lambda x: [*x[:2], b"[]\n", *x[3:]], "line 3 is not an audit entry"),
    "a number that is none": (lambda x: [x[0].replace(b'"seq": 1', b'"seq": "1"'), *x[1:]], "line 1 is not an"),
    "an empty file": (lambda _: [], "after line 0 entries 1 to 10 are missing"),
    "zeros": (lambda _: [bytes(3000)], "after line 0 entries 1 to 10 are missing"),
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_an_auditor_finds(written: Path, forgery: str) -> None:
    forge, problem = FORGERIES[forgery]
    log_path(written).write_bytes(b"".join(forge(read_lines(written))))
    found = checked(written)
    assert found.problem is not None
    assert found.problem.startswith(problem)


@pytest.mark.parametrize("forgery", FORGERIES)
def test_an_auditor_still_finds_it_when_the_service_has_gone_on_writing(written: Path, forgery: str) -> None:
    """The next entry neither hides the forgery by a new head nor is refused: the line must go on."""
    log_path(written).write_bytes(b"".join(FORGERIES[forgery][0](read_lines(written))))
    for _ in range(3):
        append(written)
    found = checked(written)
    assert found.problem is not None
    assert last(written, "fit") == next(newest(written))
    assert found.head.seq > 10  # no number is given twice
    log_path(written).write_bytes(b"".join(read_lines(written)[:-1]))
    assert checked(written).problems == found.problems + 1  # and what is done to it later is found besides


def test_the_removed_file_is_missed(written: Path) -> None:
    log_path(written).unlink()
    assert checked(written).problem == "after line 0 entries 1 to 10 are missing"
    append(written)
    found = checked(written)
    assert str(found.problem).startswith("line 1: the log was changed before it: audit.head said {'seq': 10")
    assert (found.problems, found.entries, found.head.seq) == (1, 2, 12)


def test_a_missing_or_changed_head_is_told_and_so_is_what_it_hides(written: Path) -> None:
    head = log_path(written).with_name("audit.head")
    content = head.read_bytes()
    head.write_bytes(content.replace(b'"seq": 10', b'"seq": 9'))
    assert checked(written).problem == "audit.head was changed or damaged"
    head.write_bytes(b'{"x": 1}')
    assert checked(written).problem == "audit.head was changed or damaged"
    write_sealed(head, {"x": 1})
    assert checked(written).problem == "audit.head was changed or damaged"
    head.unlink()
    log_path(written).write_bytes(b"".join(read_lines(written)[:8]))
    assert checked(written).problem == "audit.head is missing: entries may have been removed from the end"
    append(written)
    assert str(checked(written).problem).startswith("line 9: the log was changed before it: audit.head said None")


def test_a_forger_who_computes_everything_anew_is_found_by_a_head_written_down_elsewhere(written: Path) -> None:
    noted = checked(written).head
    forged = all_rehashed(read_lines(written))
    log_path(written).write_bytes(b"".join(forged))
    write_sealed(log_path(written).with_name("audit.head"), {"seq": 10, "line_sha256": sha256(forged[-1][:-1])})
    assert checked(written).problem is None
    found = verify(log_path(written), known=[noted])
    assert found.problem == "audit.head differs from what is known elsewhere of entry 10"
    append(written)
    assert verify(log_path(written), known=[noted]).problem == (
        "line 10: entry 10 is not the one that was written: it or an entry before it was changed"
    )


def test_a_log_ahead_of_its_head_is_whole_as_a_crash_leaves_it(written: Path) -> None:
    head = log_path(written).with_name("audit.head")
    content = head.read_bytes()
    append(written)
    append(written)
    head.write_bytes(content)
    assert (checked(written).problem, checked(written).head.seq) == (None, 12)
    append(written)
    assert (checked(written).problem, checked(written).head.seq) == (None, 13)


def test_half_a_line_of_a_power_cut_is_cut_off_and_told(written: Path) -> None:
    half = read_lines(written)[0][:60] + "é".encode()[:1] + bytes(2000)
    with open(log_path(written), "ab") as file:
        file.write(half)
    found = checked(written)
    assert (found.problem, found.torn, found.entries) == (None, True, 10)
    append(written, new="after")
    after, repaired = list(newest(written))[:2]
    assert (after.new, after.seq) == ("after", 12)
    assert (repaired.action, repaired.seq, repaired.by) == ("audit_repaired", 11, "service")
    assert repaired.new["cut_off"] == half.decode("utf-8", "replace")[:1000]
    assert repaired.new["bytes"] == len(half)
    found = checked(written)
    assert (found.problem, found.torn, found.entries, found.repairs) == (None, False, 12, 1)


def test_threads_take_turns(tmp_path: Path) -> None:
    log = Audit(tmp_path)

    def write() -> None:
        for number in range(10):
            log.append("fit", by="a", station="b", target={}, old=None, new=number)

    threads = [threading.Thread(target=write) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert checked(tmp_path).problem is None
    assert checked(tmp_path).entries == 60


def test_a_writer_that_never_ends_is_a_conflict(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "_WAIT_S", 0.2)
    (tmp_path / "locks").mkdir()
    with FileLock(tmp_path / "locks" / "audit.lock"), pytest.raises(Conflict, match="try again"):
        append(tmp_path)
    append(tmp_path)
    assert checked(tmp_path).entries == 1


@posix
@pytest.mark.system
def test_two_processes_write_200_entries_each_at_once_and_none_is_lost(
    processes: ForkServerContext, tmp_path: Path
) -> None:
    writers = [processes.Process(target=audit_worker.append_many, args=(tmp_path, name, 200)) for name in "ab"]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(120)
    assert [writer.exitcode for writer in writers] == [0, 0]
    found = checked(tmp_path)
    assert (found.problem, found.entries, found.repairs) == (None, 400, 0)
    stations = [entry.station for entry in entries(tmp_path)]
    assert (stations.count("a"), stations.count("b")) == (200, 200)
    for name in "ab":
        assert [entry.old for entry in entries(tmp_path) if entry.station == name] == list(range(200))


@posix
@pytest.mark.system
def test_killed_at_random_again_and_again_the_log_verifies_and_no_answered_entry_is_lost(
    processes: ForkServerContext, tmp_path: Path
) -> None:
    chance, answered = random.Random(SEED), tmp_path / "answered"
    for mine in range(1, ROUNDS + 1):
        writer = processes.Process(target=audit_worker.append_until_killed, args=(tmp_path, answered))
        writer.start()
        time.sleep(chance.uniform(0.02, 0.3))
        writer.kill()
        writer.join(10)
        assert writer.exitcode == -9
        assert checked(tmp_path).problem is None
        append(tmp_path, "after")
        found = checked(tmp_path)
        assert (found.problem, found.torn) == (None, False)
        count = len(answered.read_bytes()) if answered.exists() else 0
        assert found.entries - found.repairs - mine >= count
    assert count > ROUNDS
    assert list((tmp_path / "logs").glob(".tmp-*")) == []


def killed_at_every_line(processes: ForkServerContext, data_root: Path) -> Iterator[int]:
    for line in range(1, 300):
        writer = processes.Process(target=audit_worker.append_and_die, args=(data_root, line))
        writer.start()
        writer.join(30)
        assert writer.exitcode in (0, -9)
        yield line
        if writer.exitcode == 0:
            return
    pytest.fail("an append took more than 300 lines")


@posix
@pytest.mark.system
@pytest.mark.parametrize("torn", [False, True])
def test_killed_at_every_line_of_an_append_the_log_is_whole(
    processes: ForkServerContext, tmp_path: Path, torn: bool
) -> None:
    for line in killed_at_every_line(processes, tmp_path):
        assert checked(tmp_path).problem is None, line
        if line % 3 == 0:  # several kills in a row, too
            append(tmp_path)
            assert checked(tmp_path).problem is None, line
            assert not checked(tmp_path).torn
        if torn and log_path(tmp_path).exists():
            with open(log_path(tmp_path), "ab") as file:
                file.write(b'{"seq": 7, "time')
    assert line > 20
    assert [entry.new for entry in entries(tmp_path)].count("killed") > 1


def test_on_a_really_full_disk_nothing_is_written_and_the_log_goes_on_when_there_is_room(small_disk: Path) -> None:
    for _ in range(10):
        append(small_disk, new="x" * 3000)
    filler, before, refused = fill(small_disk, leave_kb=20), read_lines(small_disk), 0
    for number in range(40):
        try:
            append(small_disk, new=number + 0.5 if number % 2 else "y" * 3000)
        except DiskFull:
            refused += 1
            assert checked(small_disk).torn is False
        else:
            before = read_lines(small_disk)
        assert read_lines(small_disk) == before
        assert checked(small_disk).problem is None
    assert refused > 0
    filler.unlink()
    append(small_disk, new="goes on")
    found = checked(small_disk)
    assert (found.problem, found.repairs) == (None, 0)
    assert next(newest(small_disk)).new == "goes on"


def test_it_reads_without_the_service() -> None:
    code = (
        "import sys, service.store.audit.chain\n"
        "assert not {'torch', 'fastapi', 'sqlalchemy', 'numpy'} & set(sys.modules), sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[2], timeout=60)
