"""What a child says is kept within limits, and no log, disk or viewer ever holds the child up."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.kit.parts import wait_until
from tray.supervise.output import Output
from tray.supervise.rotation import Limits, RotatingFile

DAY_S = 86_400


class Clock:
    def __init__(self, now: float) -> None:
        self.now = now

    def monotonic(self) -> float:
        return self.now

    def time(self) -> float:
        return self.now


def test_a_full_file_is_put_aside_and_the_oldest_go(tmp_path: Path) -> None:
    file = RotatingFile(tmp_path / "logs" / "service-output.log", Limits(max_bytes=1000, files=3))
    for number in range(100):
        file.write(b"line %04d: %s\n" % (number, b"x" * 88))  # 100 bytes
    file.close()
    assert file.path.stat().st_size == 1000
    assert [full.stat().st_size for full in file.rotated()] == [1000, 1000]
    kept = b"".join(path.read_bytes() for path in (*file.rotated(), file.path))
    assert kept.startswith(b"line 0070")
    assert kept.endswith(b"x\n")


def test_what_is_too_old_goes_with_the_next_rotation(tmp_path: Path) -> None:
    file = RotatingFile(tmp_path / "tray.log", Limits(max_bytes=10, files=10, days=90), Clock(1e9))
    old, young = tmp_path / "tray.20010101-000000-000000.log", tmp_path / "tray.20010801-000000-000000.log"
    for path, age_days in ((old, 91), (young, 89)):
        path.write_bytes(b"x")
        os.utime(path, (1e9 - age_days * DAY_S, 1e9 - age_days * DAY_S))
    (tmp_path / "service.log.1").write_bytes(b"not ours")
    file.write(b"123456789\n")
    file.write(b"next\n")
    file.close()
    assert not old.exists()
    assert young.exists()
    assert (tmp_path / "service.log.1").exists()
    assert len(file.rotated()) == 2


def test_it_goes_on_in_the_file_that_is_there_after_a_restart(tmp_path: Path) -> None:
    for word in (b"one\n", b"two\n"):
        file = RotatingFile(tmp_path / "tray.log", Limits(max_bytes=100))
        file.write(word)
        file.close()
    assert (tmp_path / "tray.log").read_bytes() == b"one\ntwo\n"


def test_a_file_that_cannot_be_renamed_does_not_grow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows, when a viewer has it open."""

    def refuse(*_: object) -> None:
        raise PermissionError(13, "The process cannot access the file because it is being used by another process")

    monkeypatch.setattr(os, "replace", refuse)
    file = RotatingFile(tmp_path / "tray.log", Limits(max_bytes=100, files=3))
    for number in range(50):
        file.write(b"line %04d\n" % number)  # 10 bytes
    file.close()
    kept = b"".join(path.read_bytes() for path in (*file.rotated(), file.path))
    assert kept == b"".join(b"line %04d\n" % number for number in range(20, 50))


def test_a_full_disk_costs_lines_and_says_how_many(tmp_path: Path) -> None:
    path = tmp_path / "service-output.log"
    path.symlink_to("/dev/full")  # every write: no space left on device
    file = RotatingFile(path)
    file.write(b"lost\n")
    file.write(b"lost as well\n")
    assert file.left_out == 18
    path.unlink()
    file.write(b"there is room again\n")
    file.close()
    assert path.read_bytes() == b"... 18 bytes left out\nthere is room again\n"


def test_a_folder_that_cannot_be_made_costs_lines_only(tmp_path: Path) -> None:
    (tmp_path / "logs").write_bytes(b"a file in its place")
    file = RotatingFile(tmp_path / "logs" / "tray.log")
    file.write(b"lost\n")
    assert file.left_out == 5


class StuckDisk:
    """Takes nothing until it is let go."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.taken = self.missed = 0
        self.calls: list[str] = []

    def write(self, data: bytes) -> None:
        self.go.wait(60)
        self.taken += len(data)
        self.calls.append("write")

    def leave_out(self, count: int) -> None:
        self.missed += count
        self.calls.append("leave_out")


def talker(code: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, bufsize=0)


def test_a_child_that_writes_200_mb_finishes_while_the_disk_takes_nothing() -> None:
    disk, ended = StuckDisk(), threading.Event()
    with talker("import os\nfor _ in range(200): os.write(1, b'x' * 999_999 + b'\\n')\nos.write(1, b'done')") as child:
        assert child.stdout
        output = Output(child.stdout, disk, ended.set)
        assert child.wait(60) == 0  # it was never held up, whatever the disk does
        assert ended.wait(60)
        assert disk.calls == []
        disk.go.set()
        output.join()
    assert disk.taken + disk.missed == 200_000_004
    assert 0 < disk.taken < 10_000_000  # no more than a few MB of memory waited
    assert disk.calls[-1] == "leave_out"
    assert output.last_lines() == ("x" * (16384 - 5), "done")


@pytest.mark.system
def test_a_child_that_writes_50_mb_a_second_leaves_five_files_within_their_size(tmp_path: Path) -> None:
    sink = RotatingFile(tmp_path / "service-output.log", Limits(max_bytes=2_000_000, files=5))
    code = (
        "import os, time\nbegun = time.monotonic()\n"
        "for number in range(150):\n"
        "    os.write(1, b'%07d ' % number + b'x' * 999_991 + b'\\n')\n"
        "    time.sleep(max(0, begun + number / 50 - time.monotonic()))\n"
    )
    with talker(code) as child:
        assert child.stdout
        output = Output(child.stdout, sink, lambda: None)
        assert child.wait(60) == 0
        output.join()
    sink.close()
    files = [*sink.rotated(), sink.path]
    assert len(files) == 5
    assert all(path.stat().st_size <= 2_000_000 for path in files)
    assert sink.path.read_bytes().endswith(b"xxx\n")
    assert output.last_lines(1)[0].endswith("xxx")


def test_last_lines_are_text_whatever_the_bytes(tmp_path: Path) -> None:
    sink = RotatingFile(tmp_path / "output.log")
    with talker(r"import os; os.write(1, b'a\xff\r\n\r\n  Traceback:  \nValueError: \xc3\xa1\n')") as child:
        assert child.stdout
        output = Output(child.stdout, sink, lambda: None)
        wait_until(lambda: output.last_lines(1) == ("ValueError: á",))
        child.wait(60)
        output.join()
    assert output.last_lines() == ("a�", "  Traceback:", "ValueError: á")
    sink.close()


def test_a_pipe_that_a_stranger_holds_open_does_not_hold_us_up(tmp_path: Path) -> None:
    sink = RotatingFile(tmp_path / "output.log")
    with talker(
        "import subprocess, sys; subprocess.Popen([sys.executable, '-c', 'import sys; sys.stdin.read()'])"
    ) as child:
        assert child.stdout
        output = Output(child.stdout, sink, lambda: None)
        child.wait(60)
        output.join()
    sink.close()
