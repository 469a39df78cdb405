"""Questions and messages: Windows' message box; on Linux whichever dialog program is installed."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence

from tray.texts import Language, text

PROGRAMS = ("zenity", "kdialog", "xmessage")
_YES = {"zenity": 0, "kdialog": 0, "xmessage": 101}  # exit codes; closing the window is another one


class NoDialog(Exception):
    """Nothing here can show a window."""


def ask(language: Language, question: str) -> bool:
    """True only for a clear yes: the default answer is no, and so is a closed window. Raises NoDialog. Blocks."""
    if sys.platform == "win32":
        from tray.desktop.dialogs_windows import message_box

        return message_box(text(language, "product"), question, yes_no=True)
    program = find_program(shutil.which)
    return _run(question_command(program, language, question)) == _YES[program]


def tell(language: Language, words: str) -> None:
    """Raises NoDialog. Blocks until it is closed."""
    if sys.platform == "win32":
        from tray.desktop.dialogs_windows import message_box

        message_box(text(language, "product"), words, yes_no=False)
        return
    _run(message_command(find_program(shutil.which), language, words))


def find_program(which: Callable[[str], str | None]) -> str:
    found = next((program for program in PROGRAMS if which(program)), None)
    if found is None:
        raise NoDialog(f"none of {', '.join(PROGRAMS)} is installed")
    return found


def question_command(program: str, language: Language, question: str) -> Sequence[str]:
    title, yes, no = (text(language, key) for key in ("product", "yes", "no"))
    if program == "zenity":
        return ("zenity", "--question", "--default-cancel", "--no-markup", "--width=420", f"--title={title}",
                f"--text={question}", f"--ok-label={yes}", f"--cancel-label={no}")  # fmt: skip
    if program == "kdialog":
        return ("kdialog", "--title", title, "--yes-label", yes, "--no-label", no, "--warningyesno", question)
    return ("xmessage", "-center", "-title", title, "-buttons", f"{yes}:101,{no}:102", "-default", no, question)


def message_command(program: str, language: Language, words: str) -> Sequence[str]:
    title, ok = text(language, "product"), text(language, "ok")
    if program == "zenity":
        return ("zenity", "--info", "--no-markup", "--width=420", f"--title={title}", f"--text={words}",
                f"--ok-label={ok}")  # fmt: skip
    if program == "kdialog":
        return ("kdialog", "--title", title, "--msgbox", words)
    return ("xmessage", "-center", "-title", title, "-buttons", f"{ok}:0", "-default", ok, words)


def _run(command: Sequence[str]) -> int:
    nothing = subprocess.DEVNULL
    return subprocess.run(command, stdin=nothing, stdout=nothing, stderr=nothing, check=False).returncode
