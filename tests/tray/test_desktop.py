"""How the tray uses the PC: questions, browser, clipboard, start at log-on."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.kit.parts import wait_until
from tray.desktop import autostart, clipboard, dialogs, inspector
from tray.desktop.dialogs import PROGRAMS, NoDialog, find_program, message_command, question_command
from tray.texts import LANGUAGES, Language

QUESTIONS: Mapping[tuple[str, Language], list[str]] = {
    ("zenity", "en"): ["zenity", "--question", "--default-cancel", "--no-markup", "--width=420",
                       "--title=BrakeDisc Inspector", "--text=Stop <it>?", "--ok-label=Yes", "--cancel-label=No"],
    ("zenity", "es"): ["zenity", "--question", "--default-cancel", "--no-markup", "--width=420",
                       "--title=BrakeDisc Inspector", "--text=Stop <it>?", "--ok-label=Sí", "--cancel-label=No"],
    ("kdialog", "es"): ["kdialog", "--title", "BrakeDisc Inspector", "--yes-label", "Sí", "--no-label", "No",
                        "--warningyesno", "Stop <it>?"],
    ("xmessage", "en"): ["xmessage", "-center", "-title", "BrakeDisc Inspector", "-buttons", "Yes:101,No:102",
                         "-default", "No", "Stop <it>?"],
}  # fmt: skip


@pytest.mark.parametrize(("program", "language"), QUESTIONS)
def test_a_question_is_this_command(program: str, language: Language) -> None:
    assert list(question_command(program, language, "Stop <it>?")) == QUESTIONS[program, language]


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_text_is_shown_by_the_same_programs(program: str) -> None:
    for language in LANGUAGES:
        command = message_command(program, language, "BrakeDisc Inspector 0.1.0")
        assert command[0] == program
        assert any("0.1.0" in word for word in command)


@pytest.mark.parametrize(
    ("installed", "found"), [(PROGRAMS, "zenity"), (("kdialog", "xmessage"), "kdialog"), (("xmessage",), "xmessage")]
)
def test_the_first_program_that_is_there_asks(installed: tuple[str, ...], found: str) -> None:
    assert find_program(lambda name: f"/usr/bin/{name}" if name in installed else None) == found


def test_without_any_program_there_is_no_answer() -> None:
    with pytest.raises(NoDialog, match="zenity, kdialog, xmessage"):
        find_program(lambda _: None)


def program(folder: Path, name: str, script: str) -> Path:
    """A program of this name on PATH that really runs."""
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


@pytest.mark.skipif(sys.platform == "win32", reason="Windows asks with its own message box")
@pytest.mark.parametrize(("exit_code", "agreed"), [(0, True), (1, False), (5, False), (255, False)])
def test_only_a_clear_yes_is_a_yes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, exit_code: int, agreed: bool
) -> None:
    program(tmp_path / "bin", "zenity", f"exit {exit_code}")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    assert dialogs.ask("en", "Stop?") is agreed


@pytest.mark.skipif(sys.platform == "win32", reason="Windows asks with its own message box")
def test_xmessage_says_0_when_its_window_is_closed_which_is_no_yes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(tmp_path / "bin", "xmessage", "exit 0")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    assert dialogs.ask("en", "Stop?") is False


EDGE_X86 = r"C:\Program Files (x86)\Microsoft\Edge\Application\msedge.exe"
EDGE = r"C:\Program Files\Microsoft\Edge\Application\msedge.exe"
CHROME = r"C:\Program Files\Google\Chrome\Application\chrome.exe"
CHROME_OF_USER = r"C:\Users\ana\AppData\Local\Google\Chrome\Application\chrome.exe"
ELSEWHERE = r"D:\Edge\msedge.exe"
WINDOWS = {
    "ProgramFiles": r"C:\Program Files",
    "ProgramFiles(x86)": r"C:\Program Files (x86)",
    "LOCALAPPDATA": r"C:\Users\ana\AppData\Local",
}


@pytest.mark.parametrize(
    ("installed", "registry", "found"),
    [
        ([EDGE_X86, CHROME], {}, EDGE_X86),
        ([EDGE], {}, EDGE),
        ([CHROME], {}, CHROME),
        ([CHROME_OF_USER], {}, CHROME_OF_USER),
        ([ELSEWHERE, CHROME], {"msedge.exe": ELSEWHERE}, ELSEWHERE),
        ([CHROME], {"msedge.exe": ELSEWHERE}, CHROME),  # the registry remembers what was uninstalled
        ([], {}, None),
    ],
)
def test_on_windows_edge_is_preferred_to_chrome(
    installed: list[str], registry: dict[str, str], found: str | None
) -> None:
    browsers = inspector.windows_browsers(WINDOWS, lambda path: str(path) in installed, registry.get)
    assert next(iter(browsers), None) == found


def test_a_windows_without_its_usual_folders_is_no_error() -> None:
    assert list(inspector.windows_browsers({}, lambda _: True, lambda _: None)) == []


def test_the_page_gets_a_window_of_its_own() -> None:
    assert inspector.page_command(EDGE, "http://127.0.0.1:8000/docs") == [
        EDGE,
        "--app=http://127.0.0.1:8000/docs",
        "--no-first-run",
        "--no-default-browser-check",
    ]


@pytest.mark.skipif(sys.platform == "win32", reason="shell scripts stand in for browsers")
def test_the_browser_is_started_and_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path / "bin", "chromium", f'echo "$1" > {tmp_path}/called; sleep 1; touch {tmp_path}/closed')
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    inspector.open_page("http://127.0.0.1:8000/docs")
    assert not (tmp_path / "closed").exists()
    wait_until((tmp_path / "closed").exists)
    assert (tmp_path / "called").read_text() == "--app=http://127.0.0.1:8000/docs\n"


@pytest.mark.skipif(sys.platform == "win32", reason="shell scripts stand in for browsers")
def test_without_any_browser_it_is_an_error_and_not_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("webbrowser.open", lambda _: False)
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(OSError, match="No browser"):
        inspector.open_page("http://127.0.0.1:8000/docs")


@pytest.mark.parametrize(
    ("command", "line"),
    [
        ([r"C:\Program Files\BrakeDisc\BrakeDiscTray.exe"], r'"C:\Program Files\BrakeDisc\BrakeDiscTray.exe"'),
        ([r"C:\py\python.exe", "-m", "tray"], r"C:\py\pythonw.exe -m tray"),
        ([r"C:\my py\pythonw.exe", "-m", "tray"], r'"C:\my py\pythonw.exe" -m tray'),
    ],
)
def test_log_on_starts_this_line(command: list[str], line: str) -> None:
    assert autostart.command_line(command) == line


@pytest.mark.skipif(sys.platform == "win32", reason="exists on Windows")
def test_elsewhere_there_is_no_start_at_log_on() -> None:
    assert autostart.is_on() is None
    with pytest.raises(OSError, match="Windows"):
        autostart.switch(True)


@pytest.mark.skipif(sys.platform != "win32", reason="needs the registry of Windows")
def test_start_at_log_on_is_switched_on_and_off() -> None:
    before = autostart.is_on()
    try:
        autostart.switch(True)
        assert autostart.is_on() is True
        autostart.switch(False)
        autostart.switch(False)
        assert autostart.is_on() is False
    finally:
        autostart.switch(bool(before))


@pytest.mark.skipif(sys.platform == "win32", reason="shell scripts stand in for clipboard programs")
def test_the_clipboard_is_filled_by_whichever_program_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    assert not clipboard.copy("C:\\diagnóstico.zip")
    program(tmp_path / "bin", "xclip", f"/bin/cat > {tmp_path}/clipboard")
    assert clipboard.copy("C:\\diagnóstico.zip")
    assert (tmp_path / "clipboard").read_text("utf-8") == "C:\\diagnóstico.zip"
    program(tmp_path / "bin", "xclip", "exit 1")  # no display
    assert not clipboard.copy("x")


def test_the_icons_library_is_imported_in_one_file_and_late() -> None:
    """pystray opens the display when imported; nothing of the tray may need one to be imported."""
    code = "import sys, tray.icon.app; assert not {'pystray', 'numpy', 'httpx', 'fastapi', 'torch'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[2], timeout=60)
    users = [path.name for path in Path(inspector.__file__).parent.glob("*.py") if "pystray" in path.read_text("utf-8")]
    assert set(users) <= {"icon.py", "drawing.py", "__main__.py"}  # the last two name it in a comment
