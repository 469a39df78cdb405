"""Who may do what beside importing, which pyproject states: one package writes, importing has no effect."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
FILES = {path.relative_to(ROOT / "service").as_posix(): path for path in (ROOT / "service").rglob("*.py")}
TREES = {name: ast.parse(path.read_text("utf-8")) for name, path in FILES.items()}

MAY_WRITE = {
    "store/": "the data root, crash-safe",
    "__main__.py": "makes the data root's folder",
    "process/server.py": "a temporary folder for the metrics of several processes",
    "process/logs.py": "log files",
    "cli/": "what the person asked for, where they asked for it",
    "engine/weights": "weights, on a connected machine",
    "engine/onnx_backbone.py": "the exported network, in memory",
    "engine/onnx_cache.py": "takes older exports away",
}
MAY_READ_ENVIRONMENT = ("settings.py", "process/", "cli/", "engine/")
WRITING = {
    "write_bytes", "write_text", "mkdir", "makedirs", "unlink", "rmtree", "rename", "touch", "symlink_to", "imwrite",
    "TemporaryDirectory", "NamedTemporaryFile", "mkdtemp", "mkstemp", "save_file", "savez", "tofile", "move",
}  # fmt: skip


def imports(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def called(tree: ast.AST) -> Iterator[tuple[str, ast.Call]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield getattr(node.func, "attr", getattr(node.func, "id", "")), node


def opens_for_writing(call: ast.Call) -> bool:
    modes = [*call.args[:2], *(word.value for word in call.keywords if word.arg == "mode")]
    texts = [mode.value for mode in modes if isinstance(mode, ast.Constant) and isinstance(mode.value, str)]
    return any(text and set(text) <= set("rwxabt+") and set(text) & set("wxa+") for text in texts)


def test_only_the_store_and_those_listed_write_files() -> None:
    writers = {
        name
        for name, tree in TREES.items()
        for function, call in called(tree)
        if function in WRITING or (function == "open" and opens_for_writing(call))
    }
    assert any(name.startswith("store/") for name in writers)
    assert {name for name in writers if not name.startswith(tuple(MAY_WRITE))} == set()


def test_the_environment_is_read_in_one_place() -> None:
    readers = {
        name
        for name, tree in TREES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr in ("environ", "getenv")
    }
    assert {name for name in readers if not name.startswith(MAY_READ_ENVIRONMENT)} == set()


def test_what_is_caught_whole_is_told_to_somebody() -> None:
    """`except Exception` where a thread or a start-up would otherwise end in silence, nowhere else."""
    broad = {
        name
        for name, tree in TREES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.ExceptHandler) and (node.type is None or getattr(node.type, "id", "") == "Exception")
    }
    assert broad <= {"jobs.py", "engine/loader.py", "engine/backbones.py"}


def test_the_api_can_be_imported_without_torch() -> None:
    code = (
        "import sys, service.api.app, service.backend, service.__main__\n"
        "heavy = {'torch', 'torchvision', 'timm', 'onnxruntime', 'sklearn', 'scipy.stats'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT, timeout=60)


def test_importing_a_module_has_no_effect() -> None:
    """No thread, no file, no log handler: what a module does, it does when it is called."""
    code = (
        "import sys, threading, logging, glob\n"
        "opened = []\n"
        "def note(event, args):\n"
        "    if event == 'open' and isinstance(args[1], str) and set(args[1]) & set('wax+'): opened.append(args[0])\n"
        "sys.dont_write_bytecode = True\n"
        "sys.addaudithook(note)\n"
        "import service.api.app, service.backend, service.jobs, service.process.logs, service.settings\n"
        "import service.teaching.calibrate\n"
        "assert not [name for name in opened if 'matplotlib' not in str(name)], opened\n"
        "assert threading.active_count() == 1, threading.enumerate()\n"
        "assert not logging.getLogger().handlers\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT, timeout=60)
