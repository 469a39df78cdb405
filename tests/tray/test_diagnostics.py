"""The zip for somebody far away: everything they need, no key, no picture."""

from __future__ import annotations

import io
import json
import os
import sys
import zipfile
from pathlib import Path

import pytest

from service.settings import Settings, read_settings
from tests.kit.processes import free_port
from tests.kit.tray_twin import twin_service
from tray.diagnostics import diagnostics
from tray.diagnostics.diagnostics import write_diagnostics
from tray.diagnostics.secrets import MARK, Scrubber, secrets_of, settings_file_values
from tray.supervise.status import State, Status

KEYS = ("s3cret-of-line-2", 'quo"ted\\kéy', "old-key-in-a-comment", "cam-passw0rd", "t0ken/with+signs")
SETTINGS_TEXT = """\
BACKEND_API_KEY=line-2:s3cret-of-line-2, quo"ted\\kéy
#BACKEND_API_KEY=old-key-in-a-comment
TRAY_CAMERA_PASSWORD="cam-passw0rd"
BACKEND_PORT=8123
"""


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A plant's data root: logs that quote keys in every way, a picture, settings with keys."""
    root = tmp_path / "data"
    (root / "logs").mkdir(parents=True)
    (root / "settings.env").write_text(SETTINGS_TEXT, "utf-8")
    (root / "inspections").mkdir()
    (root / "inspections" / "part.png").write_bytes(b"PICTURE" * 100)
    monkeypatch.setenv("BRAKEDISC_TOKEN", "t0ken/with+signs")
    lines = [json.dumps({"event": f"key {key}", "ascii": True}) for key in KEYS]
    lines += [json.dumps({"event": f"key {key}"}, ensure_ascii=False) for key in KEYS]
    lines += [f"plain {key} text" for key in KEYS] + ["GET /x?token=t0ken%2Fwith%2Bsigns"]
    (root / "logs" / "service.log").write_text("\n".join(lines), "utf-8")
    (root / "logs" / "service.log.1").write_text("older\n")
    for name, value in {"BACKEND_DATA_ROOT": str(root), "BACKEND_PORT": str(free_port())}.items():
        monkeypatch.setenv(name, value)
    return read_settings()


@pytest.fixture
def quick_doctor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A doctor without torch: the real one is asked in a test of its own."""
    script = tmp_path / "doctor.py"
    script.write_text("print('GPU driver: missing', 's3cret-of-line-2'); raise SystemExit(1)")
    monkeypatch.setattr(diagnostics, "doctor_command", lambda: [sys.executable, str(script)])
    return script


def contents(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.mark.usefixtures("quick_doctor")
def test_it_holds_what_is_needed_to_find_out(settings: Settings, tmp_path: Path) -> None:
    with twin_service() as service:
        answering = settings.model_copy(update={"port": service.port})
        path = write_diagnostics(answering, Status(State.DOWN, "crashed", "It ended."), tmp_path / "desktop")
    files = contents(path)
    assert set(files) == {
        "health.json", "status.json", "settings.json", "versions.txt", "doctor.txt", "files.txt",
        "logs/service.log", "logs/service.log.1",
    }  # fmt: skip
    assert json.loads(files["health.json"])["device_name"] == "NVIDIA RTX 4060"
    assert json.loads(files["status.json"])["code"] == "crashed"
    assert json.loads(files["settings.json"])["settings.env"]["BACKEND_PORT"] == "8123"
    assert json.loads(files["settings.json"])["in_use"]["device"] == "auto"
    assert b"pillow" in files["versions.txt"].lower()
    assert b"GPU driver: missing" in files["doctor.txt"]
    assert b"exit code 1" in files["doctor.txt"]
    assert b"700  inspections/part.png" in files["files.txt"]
    assert list((tmp_path / "desktop").iterdir()) == [path]


@pytest.mark.usefixtures("quick_doctor")
def test_no_key_is_in_it_anywhere_and_no_picture(settings: Settings, tmp_path: Path) -> None:
    path = write_diagnostics(settings, Status(reason="refused t0ken/with+signs"), tmp_path)
    everything = b"\n".join([*contents(path).values(), path.read_bytes()])
    for key in KEYS:
        forms = {key, json.dumps(key)[1:-1], json.dumps(key, ensure_ascii=False)[1:-1]}
        assert not [form for form in forms if form.encode() in everything]
    assert b"%2Fwith%2B" not in everything
    assert b"PICTURE" not in everything
    assert everything.count(MARK) > 20
    assert b"plain [removed] text" in everything


@pytest.mark.usefixtures("quick_doctor")
def test_without_an_answer_and_without_logs_it_is_made_all_the_same(settings: Settings, tmp_path: Path) -> None:
    for log in (settings.data_root / "logs").iterdir():
        log.unlink()
    files = contents(write_diagnostics(settings, Status(), tmp_path))
    assert json.loads(files["health.json"]) == "no answer"


def test_a_doctor_that_hangs_or_is_missing_is_said_inside(
    settings: Settings, quick_doctor: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick_doctor.write_text("import time; print('looking', flush=True); time.sleep(60)")
    files = contents(write_diagnostics(settings, Status(), tmp_path, doctor_s=2))
    assert b"looking" in files["doctor.txt"]
    assert b"no end within 2 s" in files["doctor.txt"]
    monkeypatch.setattr(diagnostics, "doctor_command", lambda: ["/no/such/brakedisc"])
    assert b"cannot be started" in contents(write_diagnostics(settings, Status(), tmp_path / "again"))["doctor.txt"]


@pytest.mark.usefixtures("quick_doctor")
def test_a_folder_that_cannot_be_written_leaves_nothing_half(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OSError, match="file"):
        write_diagnostics(settings, Status(), tmp_path / "file")


@pytest.mark.usefixtures("quick_doctor")
def test_of_huge_logs_the_newest_are_taken(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(diagnostics, "_LOGS_LIMIT", 5000)
    logs = settings.data_root / "logs"
    for age in range(5):
        log = logs / f"big.log.{age}"
        log.write_bytes(b"x" * 2000)
        os.utime(log, (2e9 - age, 2e9 - age))
    files = contents(write_diagnostics(settings, Status(), tmp_path))
    assert [name for name in files if name.startswith("logs/")] == ["logs/big.log.0", "logs/big.log.1"]


@pytest.mark.system
def test_the_real_doctor_is_asked(settings: Settings, tmp_path: Path) -> None:
    doctor = contents(write_diagnostics(settings, Status(), tmp_path))["doctor.txt"].decode()
    assert str(settings.data_root) in doctor
    assert "exit code" in doctor


@pytest.mark.parametrize("chunk", [1, 3, 7, 64])
def test_a_key_across_two_chunks_is_found(chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tray.diagnostics.secrets._CHUNK", chunk)
    scrubber = Scrubber({"abc", "abcdef", "xyzxyz"})
    text = b"abcdef, abc; xyzxyzxyz abcde abcdefabc ab"
    assert b"".join(scrubber.chunks(io.BytesIO(text))) == (
        b"[removed], [removed]; [removed]xyz [removed]de [removed][removed] ab"
    )


def test_without_keys_nothing_is_changed() -> None:
    assert b"".join(Scrubber(()).chunks(io.BytesIO(b"a\x00b"))) == b"a\x00b"
    assert Scrubber(()).text("ñ") == "ñ".encode()


def test_every_part_of_a_list_of_keys_is_a_secret() -> None:
    assert secrets_of({"BACKEND_API_KEY": "line:one, two", "BACKEND_PORT": "8000", "MY_Token": ""}) == {
        "line:one, two", "line:one", "one", "two",
    }  # fmt: skip
    assert settings_file_values("export A_KEY='x'\n# B = y\nnothing\n") == {"A_KEY": "x", "B": "y"}
