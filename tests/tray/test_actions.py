"""What each line of the menu does, against a service that really speaks HTTP."""

from __future__ import annotations

import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from service import __version__
from service.__main__ import make_backend
from service.api.app import create_app
from service.settings import SETTINGS_FILE, Settings
from service.store.state.settings_file import SettingsFile
from tests.conftest import settings_for
from tests.kit.parts import wait_until
from tests.kit.processes import free_port
from tests.kit.tray_parts import a_backup
from tests.kit.tray_twin import HEALTH, TwinService, TwinSupervisor, twin_service
from tests.kit.twin import TwinEngine
from tray.client import NoAnswer, Refused, Unclear, client_of
from tray.desktop.dialogs import NoDialog
from tray.icon.actions import Actions, Desktop
from tray.icon.menu import View, local_time, menu
from tray.supervise.status import State, Status
from tray.texts import Language

BACKUP = a_backup("brakedisc-20260301T020000Z-0.1.0.tar.gz", "2026-03-01T02:00:00+00:00", "0.1.0")


@dataclass
class Operator:
    """A person at the PC, and the screen they look at."""

    view: View = field(default_factory=View)
    said: list[str] = field(default_factory=list)
    questions: list[str] = field(default_factory=list)
    shown: list[str] = field(default_factory=list)
    changes: list[dict[str, Any]] = field(default_factory=list)
    agrees: bool = True
    has_quit: bool = False
    asked_backups: int = 0

    def change(self, **fields: Any) -> None:
        self.changes.append(fields)
        self.view = replace(self.view, **fields)

    def say(self, words: str) -> None:
        self.said.append(words)

    def backups_changed(self) -> None:
        self.asked_backups += 1

    def quit(self) -> None:
        self.has_quit = True

    def ask(self, _: Language, question: str) -> bool:
        self.questions.append(question)
        return self.agrees

    def show(self, what: object) -> None:
        self.shown.append(str(what))

    def desktop(self, folder: Path) -> Desktop:
        return Desktop(
            ask=self.ask,
            tell=lambda _, words: self.show(words),
            open_page=self.show,
            open_folder=self.show,
            copy=lambda words: self.show(words) is None,
            diagnostics_folder=lambda _: folder,
        )


@dataclass
class Plant:
    service: TwinService
    supervisor: TwinSupervisor
    operator: Operator
    actions: Actions
    settings: Settings

    def click(self, action: str, argument: str = "") -> None:
        assert self.actions.do(action, argument)
        self.actions.wait(30)


@pytest.fixture
def plant(tmp_path: Path) -> Iterator[Plant]:
    with twin_service() as service:
        settings = settings_for(tmp_path / "data", BACKEND_PORT=service.port)
        supervisor = TwinSupervisor(Status(State.READY, pid=7, health=HEALTH))
        operator = Operator(View(supervisor.status, backups=(BACKUP,)))
        actions = Actions(supervisor, settings, operator, "http://page", operator.desktop(tmp_path / "desktop"))
        yield Plant(service, supervisor, operator, actions, settings)
        actions.close()


def test_every_line_of_the_menu_does_something(plant: Plant) -> None:
    entries = menu(replace(plant.operator.view, autostart=True))
    lines = [line for entry in entries for line in (entry, *entry.entries) if line.action]
    assert {line.action for line in lines} | {"unfreeze"} == set(plant.actions._table)


@pytest.mark.parametrize("verb", ["stop", "restart"])
def test_what_stops_the_line_is_asked_first(plant: Plant, verb: str) -> None:
    plant.operator.agrees = False
    plant.click(verb)
    assert (len(plant.operator.questions), plant.supervisor.asked) == (1, [])
    plant.operator.agrees = True
    plant.click(verb)
    assert plant.supervisor.asked == [verb]


def test_start_asks_nothing(plant: Plant) -> None:
    plant.click("start")
    assert (plant.operator.questions, plant.supervisor.asked) == ([], ["start"])


def test_quit_is_asked_first(plant: Plant) -> None:
    plant.operator.agrees = False
    plant.click("quit")
    assert not plant.operator.has_quit
    plant.operator.agrees = True
    plant.click("quit")
    assert plant.operator.has_quit


def test_freeze_and_release_ask_nothing_and_say_what_happened(plant: Plant) -> None:
    plant.click("freeze")
    plant.click("unfreeze")
    assert plant.service.asked == ["POST /admin/freeze", "POST /admin/unfreeze"]
    assert plant.service.bodies[0] == {"why": "from the tray icon"}
    assert plant.operator.said == ["Training is frozen.", "Training is released."]
    assert plant.operator.questions == []


def test_a_backup_is_reported_when_it_is_there(plant: Plant) -> None:
    plant.service.hold.clear()
    assert plant.actions.do("backup")
    wait_until(lambda: "GET /jobs/1" in plant.service.asked)
    assert plant.operator.view.busy == "backup"
    assert plant.operator.said == []
    plant.service.hold.set()
    plant.actions.wait(30)
    assert plant.operator.said == ["Backup made: brakedisc-new.tar.gz"]
    assert plant.operator.view.busy == ""
    assert plant.operator.asked_backups == 1


def test_while_one_is_under_way_no_other_is_begun(plant: Plant) -> None:
    plant.service.hold.clear()
    assert plant.actions.do("backup")
    assert not plant.actions.do("restore", BACKUP.name)
    assert not plant.actions.do("backup")
    assert plant.actions.do("logs")  # this one changes nothing
    wait_until(lambda: plant.operator.shown)
    plant.service.hold.set()


def test_a_failed_backup_says_why(plant: Plant) -> None:
    plant.service.problem = {"code": "disk_full", "detail": "The disk of E: is full."}
    plant.click("backup")
    assert plant.operator.said == ["Back up now did not work: The disk is full."]


def test_restore_names_the_backup_and_does_nothing_without_a_yes(plant: Plant) -> None:
    plant.operator.agrees = False
    plant.click("restore", BACKUP.name)
    assert "2026-03-01" in plant.operator.questions[0] or "2026-02-28" in plant.operator.questions[0]
    assert plant.service.asked == []
    plant.operator.agrees = True
    plant.click("restore", BACKUP.name)
    assert plant.service.asked[0] == f"POST /backups/{BACKUP.name}/restore"
    assert plant.operator.said == ["The backup is checked; the service restarts with it."]


def test_a_restore_whose_end_nobody_saw_is_not_called_a_success(plant: Plant) -> None:
    plant.service.forgets_jobs = True
    plant.click("restore", BACKUP.name)
    assert "before it said whether the restore worked" in plant.operator.said[0]


def test_a_refused_restore_says_why(plant: Plant) -> None:
    plant.service.refuse = (409, {"code": "conflict", "detail": "A fit is under way."})
    plant.click("restore", BACKUP.name)
    assert plant.operator.said == ["Restore did not work: Another change is under way; try again later."]


def test_without_an_answer_it_is_said_in_the_operators_language(plant: Plant) -> None:
    plant.operator.change(language="es")
    settings = settings_for(plant.settings.data_root, BACKEND_PORT=free_port())
    lonely = Actions(plant.supervisor, settings, plant.operator, "", plant.operator.desktop(Path()))
    assert lonely.do("freeze")
    lonely.close()
    assert plant.operator.said == ["Entrenamiento: congelar: no fue posible. El servicio no responde."]


def test_a_question_that_cannot_be_shown_is_not_answered_with_yes(plant: Plant) -> None:
    def no_window(*_: object) -> bool:
        raise NoDialog

    mute = Actions(plant.supervisor, plant.settings, plant.operator, "", Desktop(ask=no_window))
    assert mute.do("stop")
    mute.close()
    assert plant.supervisor.asked == []
    assert "No program can show the question" in plant.operator.said[0]


def test_folders_and_the_page_are_opened(plant: Plant) -> None:
    for action in ("open", "logs", "data"):
        plant.click(action)
    assert plant.operator.shown == [
        "http://page",
        str(plant.settings.data_root / "logs"),
        str(plant.settings.data_root),
    ]


def test_a_folder_that_cannot_be_shown_is_said(plant: Plant) -> None:
    def broken(_: Path) -> None:
        raise OSError("no file manager")

    desktop = replace(plant.operator.desktop(Path()), open_folder=broken)
    actions = Actions(plant.supervisor, plant.settings, plant.operator, "", desktop)
    assert actions.do("logs")
    actions.close()
    assert plant.operator.said == ["Open logs did not work: no file manager"]


def test_the_language_changes_at_once_and_stays(plant: Plant) -> None:
    plant.click("language", "es")
    assert plant.operator.view.language == "es"
    plant.click("about")
    assert "Carpeta de datos" in plant.operator.shown[0]
    assert "NVIDIA RTX 4060" in plant.operator.shown[0]
    assert (plant.settings.data_root / "tray-language.json").exists()


def test_diagnostics_lie_where_the_notification_says(plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tray.diagnostics.diagnostics.doctor_command", lambda: ["/no/such/program"])
    plant.click("diagnostics")
    path = plant.operator.shown[0]  # from the clipboard
    assert plant.operator.said == [f"Diagnostics: {path} (the path is in the clipboard)"]
    with zipfile.ZipFile(path) as archive:
        assert "doctor.txt" in archive.namelist()


def test_closing_does_not_wait_for_a_question_nobody_answers(plant: Plant) -> None:
    asked, released = threading.Event(), threading.Event()

    def absent(*_: object) -> bool:
        asked.set()
        return released.wait(60) and False

    actions = Actions(plant.supervisor, plant.settings, plant.operator, "", Desktop(ask=absent))
    assert actions.do("stop")
    assert asked.wait(10)
    actions.close()
    assert not released.is_set()
    released.set()
    actions.wait(10)
    assert not actions.do("stop")


def test_the_first_key_of_the_settings_opens_the_service(tmp_path: Path) -> None:
    with twin_service(key="s3cret") as service:
        with_key = settings_for(tmp_path, BACKEND_PORT=service.port, BACKEND_API_KEY="line-2:s3cret, other")
        client_of(with_key).freeze("why")
        with pytest.raises(Refused) as refused:
            client_of(settings_for(tmp_path, BACKEND_PORT=service.port)).freeze("why")
    assert refused.value.code == "api_key_required"


def test_a_key_that_is_made_while_the_tray_runs_is_used(tmp_path: Path) -> None:
    with twin_service(key="s3cret") as service:
        settings = settings_for(tmp_path, BACKEND_PORT=service.port)
        client = client_of(settings)
        with pytest.raises(Refused):
            client.freeze("why")
        SettingsFile(settings.data_root / SETTINGS_FILE).change({"BACKEND_API_KEY": "line-1:s3cret"})
        client.freeze("why")


def test_a_proxy_of_the_network_does_not_come_between(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    with twin_service(backups=[a_backup("b", "2026", "1").model_dump()]) as service:
        client = client_of(
            settings_for(tmp_path, BACKEND_PORT=service.port, BACKEND_HOST="0.0.0.0", BACKEND_API_KEY="k")
        )
        assert client.backups() == (a_backup("b", "2026", "1"),)


@contextmanager
def real_service(settings: Settings) -> Iterator[None]:
    """The service itself on its port, with the engine's twin."""
    app = create_app(make_backend(settings, TwinEngine))
    server = uvicorn.Server(uvicorn.Config(app, port=settings.port, log_config=None))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        wait_until(lambda: server.started)
        yield
    finally:
        server.should_exit = True
        thread.join()


def test_the_real_service_understands_what_the_tray_asks(data_root: Path) -> None:
    settings = settings_for(data_root, BACKEND_PORT=free_port())
    with real_service(settings):
        client = client_of(settings)
        assert client.backups() == ()
        made = client.back_up()
        (backup,) = client.backups()
        assert (backup.name, backup.version) == (made["name"], __version__)
        assert local_time(backup.created_utc) != backup.created_utc
        client.freeze("why")
        client.unfreeze()
        assert client.inspections("2026-01-01T00:00:00+00:00", 200) == []
        with pytest.raises(Refused) as refused:
            client.restore("brakedisc-20200101T000000Z-0.1.0.tar.gz")
        assert refused.value.code == "not_found"


def test_a_service_that_is_not_ours_is_a_refusal(tmp_path: Path) -> None:
    with twin_service(refuse=(502, {"error": "bad gateway"})) as service:
        client = client_of(settings_for(tmp_path, BACKEND_PORT=service.port))
        with pytest.raises(Refused, match="HTTP 502"):
            client.unfreeze()


def test_a_service_that_goes_away_during_a_job_leaves_it_unclear(tmp_path: Path) -> None:
    failed: list[type[Exception]] = []
    with twin_service() as service:
        service.hold.clear()
        client = client_of(settings_for(tmp_path, BACKEND_PORT=service.port), patience_s=1.0)

        def back_up() -> None:
            try:
                client.back_up()
            except (Unclear, NoAnswer) as error:
                failed.append(type(error))

        waiting = threading.Thread(target=back_up)
        waiting.start()
        wait_until(lambda: "GET /jobs/1" in service.asked)
    waiting.join(30)
    assert failed == [Unclear]
