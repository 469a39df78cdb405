"""Who may open the screens, what this PC remembers, and what the inspector may know of the service."""

from __future__ import annotations

import ast
import json
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from gui.door import Door
from gui.preferences import FILE, Preferences, PreferencesFile
from gui.settings import GuiSettings, read_gui_settings
from service.settings import SettingsError
from tests.conftest import settings_for
from tests.rules.test_architecture import imports

ROOT = Path(__file__).parents[2]
TREES = {
    path.relative_to(ROOT / "gui").as_posix(): ast.parse(path.read_text("utf-8"))
    for path in (ROOT / "gui").rglob("*.py")
}
MAY_IMPORT_SERVICE = (
    "service.contract.", "service.settings", "service.keys", "service.process.lifeline", "service.process.logs",
    "service.process.port",
    "service.errors", "service.store.files.write_file", "service.__version__",
)  # fmt: skip


SCREENS = ("inspect", "layout", "teach", "why", "history", "system", "setup")
# Each package may import only what stands after it.
ORDER = (
    "__main__", "app", "door", "why", *SCREENS, "shell", "gui", "line", "pictures", "sources", "service", "kit",
    "periods", "preferences", "settings", "language",
)  # fmt: skip


async def welcome(scope, receive, send) -> None:  # type: ignore[no-untyped-def]
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.send", "text": "hello"})
        return
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"hello"})


def door(address: str = "127.0.0.1", **settings: str) -> TestClient:
    gui_settings = GuiSettings(**settings)  # type: ignore[arg-type]
    return TestClient(Door(welcome, gui_settings), base_url="http://localhost", client=(address, 5000))


def test_this_pc_may_open_the_screens() -> None:
    assert door().get("/").text == "hello"


@pytest.mark.parametrize("address", ["192.168.1.7", "10.1.2.3", "not-an-address"])
def test_a_stranger_may_not(address: str) -> None:
    answer = door(address, GUI_STATIONS="192.168.1.20, 10.2.0.0/16").get("/")
    assert answer.status_code == 403
    assert "GUI_STATIONS" in answer.text


@pytest.mark.parametrize("address", ["192.168.1.20", "10.2.3.4"])
def test_a_station_that_is_named_may(address: str) -> None:
    assert door(address, GUI_STATIONS="192.168.1.20, 10.2.0.0/16").get("/").text == "hello"


def test_a_page_that_binds_its_name_to_us_is_refused() -> None:
    assert door().get("/", headers={"Host": "evil.example"}).status_code == 403


def test_a_page_of_another_site_gets_no_socket() -> None:
    with (
        pytest.raises(WebSocketDisconnect),
        door().websocket_connect("/", headers={"Host": "localhost", "Origin": "http://evil.example"}) as socket,
    ):
        socket.receive_text()
    with door().websocket_connect("/", headers={"Host": "localhost", "Origin": "http://localhost"}) as socket:
        assert socket.receive_text() == "hello"


def test_the_network_is_not_let_in_by_accident(tmp_path: Path) -> None:
    settings = settings_for(tmp_path)
    with pytest.raises(SettingsError, match="GUI_STATIONS"):
        read_gui_settings(settings, GUI_HOST="0.0.0.0")
    with pytest.raises(SettingsError, match="network such as"):
        read_gui_settings(settings, GUI_STATIONS="the line")
    assert read_gui_settings(settings, GUI_HOST="0.0.0.0", GUI_STATIONS="10.0.0.0/8").host == "0.0.0.0"


def test_preferences_are_kept_and_only_for_the_user(tmp_path: Path) -> None:
    kept = PreferencesFile(tmp_path, Preferences())
    kept.change(backend_url="http://10.0.0.5:8000", api_key="s3cret", language="es", shifts=(7, 19))
    again = PreferencesFile(tmp_path, Preferences())
    assert again.now == kept.now
    assert again.now.shifts == (7, 19)
    if sys.platform != "win32":
        assert stat.S_IMODE((tmp_path / FILE).stat().st_mode) == 0o600


@pytest.mark.parametrize("content", [b"", b"[1]", b"{", b'{"language": "fr"}', b'{"shifts": 3}', b"\xff\xfe"])
def test_damaged_preferences_do_not_stop_a_line(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE).write_bytes(content)
    assert PreferencesFile(tmp_path, Preferences(language="es")).now.language == "es"


def test_preferences_of_a_newer_version_are_read_as_far_as_they_are_known(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text(json.dumps({"language": "es", "from_the_future": 1}))
    assert PreferencesFile(tmp_path, Preferences()).now.language == "es"


def test_of_the_service_it_knows_words_and_plumbing_only() -> None:
    used = {name for tree in TREES.values() for name in imports(tree) if name.split(".")[0] == "service"}
    assert {name for name in used if not name.startswith(MAY_IMPORT_SERVICE)} == set()


def test_imports_point_down_and_a_screen_knows_no_other_screen() -> None:
    """But Why shares its desk with Teach."""
    wrong = set()
    for path, tree in TREES.items():
        package = path.removesuffix(".py").partition("/")[0]
        for name in imports(tree):
            whole, _, found = name.partition(".")
            found = found.partition(".")[0]
            if whole != "gui" or found == package or package == "__init__":
                continue
            shared = (package, found) == ("why", "teach")
            if ORDER.index(found) <= ORDER.index(package) or ({package, found} <= set(SCREENS) and not shared):
                wrong.add((path, name))
    assert wrong == set()


def test_it_never_loads_the_engine() -> None:
    code = (
        "import sys, gui.app, gui.__main__\n"
        "heavy = {'torch', 'torchvision', 'timm', 'onnxruntime', 'sqlalchemy', 'service.backend'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT, timeout=120)


def test_one_file_is_written_in_javascript() -> None:
    assert {path.name for path in (ROOT / "gui").rglob("*.js")} <= {"roi_editor.js"}
    calls = [node for tree in TREES.values() for node in ast.walk(tree) if isinstance(node, ast.Attribute)]
    assert {node.attr for node in calls} & {"run_javascript", "add_body_html", "add_head_html"} == set()
