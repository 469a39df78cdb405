"""What an installer is told gets to where the programs read it, and a wrong word of it is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.console import Console

from gui.settings import read_gui_settings
from service.cli.prepare import prepare
from service.errors import InvalidField
from service.settings import DATA_ROOT_FILE, _told_by_installer, default_data_root, read_settings

CONSOLE = Console(quiet=True)


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "Datos con espacio"))
    monkeypatch.delenv("BACKEND_DATA_ROOT", raising=False)
    return default_data_root()


def test_the_data_root_is_made_and_ports_and_stations_are_written(root: Path) -> None:
    assert prepare(CONSOLE, port=8010, screens_port=8091, stations="192.168.1.0/24, 10.0.0.7") == 0
    settings = read_settings(BACKEND_DATA_ROOT=root)
    assert (settings.port, settings.host) == (8010, "127.0.0.1")
    screens = read_gui_settings(settings)
    assert (screens.port, screens.host) == (8091, "0.0.0.0")
    assert screens.lets_in("192.168.1.20")
    assert not screens.lets_in("192.168.2.20")


def test_what_is_not_given_stays(root: Path) -> None:
    root.mkdir(parents=True)
    (root / "settings.env").write_text("# ours\nBACKEND_PORT=8123\nTRAY_LANGUAGE=es\n")
    prepare(CONSOLE, port=None, screens_port=None, stations=None)
    assert (root / "settings.env").read_text() == "# ours\nBACKEND_PORT=8123\nTRAY_LANGUAGE=es\n"


def test_stations_can_be_shut_out_again(root: Path) -> None:
    prepare(CONSOLE, port=None, screens_port=None, stations="10.0.0.7")
    prepare(CONSOLE, port=None, screens_port=None, stations="")
    assert read_gui_settings(read_settings(BACKEND_DATA_ROOT=root)).host == "127.0.0.1"
    assert (root / "settings.env").read_text() == ""


def test_a_station_that_is_no_address_is_refused_and_nothing_is_written(root: Path) -> None:
    with pytest.raises(InvalidField, match="'line 3' is no address"):
        prepare(CONSOLE, port=8010, screens_port=None, stations="line 3")
    assert not (root / "settings.env").exists()


@pytest.mark.parametrize(("text", "told"), [("\ufeffD:\\Datos\r\n", "D:\\Datos"), ("  \n", None), (None, None)])
def test_the_installed_programs_find_the_data_root_that_was_asked_for(
    tmp_path: Path, text: str | None, told: str | None
) -> None:
    if text is not None:
        (tmp_path / DATA_ROOT_FILE).write_bytes(text.encode())
    assert _told_by_installer(tmp_path / "app" / "BrakeDiscService.exe") == (Path(told) if told else None)
