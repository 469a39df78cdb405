"""`make` and `build.ps1`: what each task runs on each platform, and when the installation is skipped."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path, PurePath, PurePosixPath, PureWindowsPath
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]
WINDOWS, LINUX = PureWindowsPath(r"C:\brakedisc"), PurePosixPath("/srv/brakedisc")
WINDOWS_BIN, LINUX_BIN = r"C:\brakedisc\.venv\Scripts", "/srv/brakedisc/.venv/bin"
FAST = ["-m", "pytest", "-m", "not deep", "-n", "2", "--dist", "loadfile"]
DEEP = ["-m", "pytest", "--deep", "-m", "deep or scaled"]


def _load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("tasks", ROOT / "packaging" / "tasks.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


tasks = _load()


@pytest.mark.parametrize(
    ("task", "arguments", "root", "platform", "expected"),
    [
        ("demo", [], WINDOWS, "win32", [[rf"{WINDOWS_BIN}\brakedisc.exe", "demo"]]),
        ("demo", [], LINUX, "linux", [[f"{LINUX_BIN}/brakedisc", "demo"]]),
        ("run", ["--port", "9"], WINDOWS, "win32", [[rf"{WINDOWS_BIN}\brakedisc.exe", "serve", "--port", "9"]]),
        ("run", [], LINUX, "linux", [[f"{LINUX_BIN}/brakedisc", "serve"]]),
        ("test", ["-k", "a b"], LINUX, "linux", [[f"{LINUX_BIN}/python", *FAST, "-k", "a b"]]),
        ("test", [], WINDOWS, "win32", [[rf"{WINDOWS_BIN}\python.exe", *FAST]]),
        ("test-deep", ["-x"], LINUX, "linux", [[f"{LINUX_BIN}/python", *DEEP, "-x"]]),
        (
            "bench",
            [],
            WINDOWS,
            "win32",
            [[rf"{WINDOWS_BIN}\python.exe", "-m", f"bench.{name}"] for name in ("fit", "infer")],
        ),
        ("bench", ["fit", "-n", "9"], LINUX, "linux", [[f"{LINUX_BIN}/python", "-m", "bench.fit", "-n", "9"]]),
        ("setup", [], LINUX, "linux", []),
    ],
)
def test_a_task_runs_this(
    task: str, arguments: list[str], root: PurePath, platform: str, expected: list[list[str]]
) -> None:
    assert tasks.commands(task, arguments, root, platform, ["fit", "infer"]) == expected


def test_lint_checks_format_style_types_and_imports() -> None:
    tools = [" ".join(command) for command in tasks.commands("lint", [], LINUX, "linux")]
    python = f"{LINUX_BIN}/python -m"
    assert tools == [
        f"{python} ruff format --check .", f"{python} ruff check .", f"{python} mypy", f"{LINUX_BIN}/lint-imports",
    ]  # fmt: skip


def test_a_bench_is_a_file_that_can_be_run(tmp_path: Path) -> None:
    (tmp_path / "bench").mkdir()
    (tmp_path / "bench" / "tables.py").write_text("def shared(): ...\n")
    (tmp_path / "bench" / "engine.py").write_text('if __name__ == "__main__":\n    print(1)\n')
    assert tasks.find_benches(tmp_path) == ["engine"]


def test_packages_are_installed_with_hashes_and_the_project_without_looking_anything_up() -> None:
    packages, project = tasks.install_commands("python", LINUX)
    assert packages[-3:] == ["--require-hashes", "-r", "/srv/brakedisc/requirements.lock"]
    assert project[-4:] == ["--no-deps", "--no-build-isolation", "-e", "/srv/brakedisc"]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    (tmp_path / "requirements.lock").write_text("a==1\n")
    (tmp_path / "pyproject.toml").write_text("[project]\n")
    return tmp_path


def _change_lock(root: Path) -> Path:
    (root / "requirements.lock").write_text("a==2\n")
    return root


def _change_project(root: Path) -> Path:
    (root / "pyproject.toml").write_text("[project]\nname='b'\n")
    return root


def _move(root: Path) -> Path:
    return shutil.copytree(root, root / "moved")


@pytest.mark.parametrize("change", [_change_lock, _change_project, _move])
def test_a_change_of_lock_project_or_folder_installs_again(checkout: Path, change: Callable[[Path], Path]) -> None:
    before = tasks.stamp_of(checkout)
    assert tasks.stamp_of(checkout) == before
    assert tasks.stamp_of(change(checkout)) != before


@pytest.fixture
def ready(checkout: Path) -> Path:
    """A checkout whose .venv works and is stamped; it has no pip, so an installation would fail."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(checkout / ".venv")], check=True)
    (checkout / ".venv" / "installed.stamp").write_text(tasks.stamp_of(checkout))
    return checkout


def test_nothing_is_installed_while_the_stamp_is_right(ready: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert tasks.set_up(ready) == 0
    assert capfd.readouterr().out == ""


def test_a_failed_installation_leaves_no_stamp_of_success(ready: Path, capfd: pytest.CaptureFixture[str]) -> None:
    _change_lock(ready)
    assert tasks.set_up(ready) != 0
    assert "No module named pip" in capfd.readouterr().err
    assert (ready / ".venv" / "installed.stamp").read_text() != tasks.stamp_of(ready)


def test_another_python_is_told_what_to_install() -> None:
    assert "winget install Python.Python.3.11" in tasks.wrong_python("3.13.1", "win32")
    assert "python3.11-venv" in tasks.wrong_python("3.13.1", "linux")
    assert not tasks.works("/no/such/python")


@pytest.mark.parametrize(("stop", "said"), [(False, "035"), (True, "03")])
def test_the_first_exit_code_that_is_not_zero_is_passed_on(
    stop: bool, said: str, capfd: pytest.CaptureFixture[str]
) -> None:
    todo = [
        [sys.executable, "-c", f"print('said', {code}, flush=True); raise SystemExit({code})"] for code in (0, 3, 5)
    ]
    assert tasks.run_all(todo, stop=stop) == 3
    assert "".join(line[-1] for line in capfd.readouterr().out.splitlines() if line.startswith("said")) == said


@pytest.mark.parametrize("arguments", [[], ["deploy"]])
def test_an_unknown_task_lists_the_known_ones(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert tasks.main(arguments) == 2
    assert "demo" in capsys.readouterr().out


def test_clean_keeps_the_environment(checkout: Path) -> None:
    for name in (".venv", "build", "x.egg-info"):
        (checkout / name).mkdir()
    tasks.clean(checkout)
    assert sorted(path.name for path in checkout.iterdir()) == [".venv", "pyproject.toml", "requirements.lock"]


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
@pytest.mark.parametrize("task", list(tasks.TASKS))
def test_every_task_is_a_make_target(task: str) -> None:
    done = subprocess.run(
        ["make", "--no-print-directory", "-n", task, "ARGS=-k x", "PYTHON=python3"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip().splitlines()[-1] == f"python3 packaging/tasks.py {task} -k x"


def test_make_has_no_other_targets() -> None:
    phony = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert phony is not None
    assert set(phony[1].split()) == set(tasks.TASKS)


def test_build_ps1_is_powershell_and_names_only_tasks() -> None:
    tree_sitter = pytest.importorskip("tree_sitter")
    grammar = pytest.importorskip("tree_sitter_powershell")
    source = (ROOT / "build.ps1").read_bytes()
    parser = tree_sitter.Parser(tree_sitter.Language(grammar.language()))
    assert not parser.parse(source).root_node.has_error
    assert parser.parse(source.replace(b"}", b"", 1)).root_node.has_error

    text = source.decode()
    named = re.search(r"^# Tasks: (.*?)\.", text, re.MULTILINE)
    assert named is not None
    assert set(named[1].split(", ")) == set(tasks.TASKS)
    assert set(re.findall(r"build\.ps1 (\w+)", text)) <= set(tasks.TASKS)
    assert text.isascii()
    assert text.rstrip().endswith("exit $LASTEXITCODE")
