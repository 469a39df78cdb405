"""From a fresh checkout to a running product: `python packaging/tasks.py demo`, the same on Windows and Linux.

Standard library only: it runs before anything is installed. `make` and `build.ps1` are thin fronts of it.
"""

from __future__ import annotations

import hashlib
import shlex
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path, PurePath

ROOT = Path(__file__).resolve().parents[1]
TASKS = {
    "setup": "make .venv and install the pinned packages in it",
    "demo": "teach and inspect drawn brake discs with the real service",
    "test": "run the tests, a few rounds of everything (arguments go to pytest)",
    "test-deep": "run the tests that take long: every kill, the Windows product (arguments go to pytest)",
    "run": "start the service (arguments go to `brakedisc serve`)",
    "bench": "run the benchmarks (arguments: the name of one, its options)",
    "windows": "build the Windows product, on Linux under Wine (arguments go to packaging/build.py)",
    "windows-test": "install, break and update it on a Windows made for it (Linux, under Wine)",
    "lint": "check format, style, types and who imports whom",
    "clean": "remove what builds and tests leave; .venv stays",
}
PYTHON = (3, 11)
LEFTOVERS = ("build", "dist", ".pytest_cache", ".ruff_cache", ".mypy_cache", ".hypothesis")


def main(arguments: Sequence[str]) -> int:
    if not arguments or arguments[0] not in TASKS:
        print("usage: tasks.py TASK [ARGUMENTS]\n" + "\n".join(f"  {name:12} {text}" for name, text in TASKS.items()))
        return 2
    task, rest = arguments[0], arguments[1:]
    if task == "clean":
        return clean(ROOT)
    return set_up(ROOT) or run_all(commands(task, rest, ROOT, sys.platform, find_benches(ROOT)))


def commands(
    task: str, arguments: Sequence[str], root: PurePath, platform: str, benches: Sequence[str] = ()
) -> list[list[str]]:
    """What a task runs once .venv is ready."""
    python, brakedisc = venv_program(root, "python", platform), venv_program(root, "brakedisc", platform)
    if task == "lint":
        return [
            [python, "-m", "ruff", "format", "--check", "."],
            [python, "-m", "ruff", "check", "."],
            [python, "-m", "mypy"],
            [venv_program(root, "lint-imports", platform)],
        ]
    if task == "bench":
        one = bool(arguments) and not arguments[0].startswith("-")
        names, options = (arguments[:1], arguments[1:]) if one else (benches, arguments)
        return [[python, "-m", f"bench.{name}", *options] for name in names]
    single = {
        "demo": [brakedisc, "demo", *arguments],
        "run": [brakedisc, "serve", *arguments],
        # two workers: what waits for processes and browsers leaves a core idle
        "test": [python, "-m", "pytest", "-m", "not deep", "-n", "2", "--dist", "loadfile", *arguments],
        # one after the other: kills and timings want the machine for themselves
        "test-deep": [python, "-m", "pytest", "--deep", "-m", "deep or scaled", *arguments],
        "windows": [python, str(root / "packaging" / "build.py"), *arguments],
        "windows-test": [python, str(root / "packaging" / "prove.py"), *arguments],
    }
    return [single[task]] if task in single else []


def set_up(root: Path) -> int:
    """Make .venv and install into it, unless its stamp says that nothing changed since. Returns an exit code."""
    venv, stamp = root / ".venv", root / ".venv" / "installed.stamp"
    python = venv_program(root, "python", sys.platform)
    wanted = stamp_of(root)
    if stamp.is_file() and stamp.read_text() == wanted and works(python):
        return 0
    if not works(python):
        if sys.version_info[:2] != PYTHON:
            print(wrong_python(sys.version.split()[0], sys.platform))
            return 1
        say(f"Making {venv}")
        failed = run_all([[sys.executable, "-m", "venv", "--clear", str(venv)]])
        if failed:
            return failed
    say("Installing the pinned packages (about 5 GB with CUDA on Linux; minutes the first time)")
    failed = run_all(install_commands(python, root), stop=True)
    if not failed:
        stamp.write_text(wanted)
    return failed


def install_commands(python: str, root: PurePath) -> list[list[str]]:
    """Packages with their hashes first; then the project itself, built with the pinned setuptools."""
    pip = [python, "-m", "pip", "--disable-pip-version-check", "--no-input", "install"]
    return [
        [*pip, "--quiet", "--require-hashes", "-r", str(root / "requirements.lock")],
        [*pip, "--quiet", "--no-deps", "--no-build-isolation", "-e", str(root)],
    ]


def stamp_of(root: Path) -> str:
    """Changes when the lock, the project's file or the folder does: an editable installation points to its folder."""
    digest = hashlib.sha256(str(root).encode())
    for name in ("requirements.lock", "pyproject.toml"):
        digest.update((root / name).read_bytes())
    return digest.hexdigest()


def venv_program(root: PurePath, name: str, platform: str) -> str:
    if platform == "win32":
        return str(root / ".venv" / "Scripts" / f"{name}.exe")
    return str(root / ".venv" / "bin" / name)


def works(python: str) -> bool:
    """Whether it is there and is the Python we need."""
    try:
        asked = subprocess.run(
            [python, "-c", "import sys; print(*sys.version_info[:2])"], capture_output=True, text=True, timeout=60
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return asked.stdout.split() == [str(part) for part in PYTHON]


def wrong_python(version: str, platform: str) -> str:
    how = (
        "Install it (winget install Python.Python.3.11), then: py -3.11 packaging\\tasks.py setup"
        if platform == "win32"
        else "Install python3.11 and python3.11-venv, then: python3.11 packaging/tasks.py setup"
    )
    return f"This is Python {version}; the pinned packages need Python 3.11. {how}"


def find_benches(root: Path) -> list[str]:
    """Files of bench/ that can be run; the others are what they share."""
    files = (root / "bench").glob("*.py")
    return sorted(path.stem for path in files if 'if __name__ == "__main__"' in path.read_text(encoding="utf-8"))


def run_all(todo: Sequence[Sequence[str]], *, stop: bool = False) -> int:
    """Run one after the other, all of them unless `stop`; the first exit code that is not 0."""
    result = 0
    for command in todo:
        say("$ " + shlex.join(command))
        code = run(command)
        result = result or code
        if result and stop:
            break
    return result


def run(command: Sequence[str]) -> int:
    """Ctrl+C reaches the program too: wait until it has ended in its own way."""
    with subprocess.Popen(command, cwd=ROOT) as process:
        while True:
            try:
                return process.wait()
            except KeyboardInterrupt:
                continue


def clean(root: Path) -> int:
    for name in (*LEFTOVERS, *(path.name for path in root.glob("*.egg-info"))):
        if (root / name).exists():
            say(f"Removing {name}")
            shutil.rmtree(root / name)
    return 0


def say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
