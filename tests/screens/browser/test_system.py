"""System in the browser: backups, freeze, golden parts; and what stands behind log and settings."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, expect

from gui.kit.words import Words
from gui.language import Language
from gui.system.log_view import LogView, parse
from gui.system.setting_forms import changes, group_of, grouped, refusals
from service.contract.system import SettingAbout
from service.settings import Settings
from tests.kit.browser import Inspector, by, connected, cut_off, inspector, leave, open_page, speak
from tests.kit.parts import ROI, calibrate, fit, upload, wait_until


@pytest.fixture(scope="module")
def plant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Inspector]:
    """A taught ROI with one golden part."""
    with inspector(tmp_path_factory.mktemp("system")) as made:
        with httpx.Client(base_url=made.service_url, timeout=60, trust_env=False) as client:
            wait_until(lambda: client.get("/health").json()["status"] == "ok", 60)
            assert fit(client, 6).status_code == 200
            assert calibrate(client).status_code == 200
            filename = upload(client, 1, first=1).json()["files"][0]
            golden = {**ROI, "label": "ok", "filename": filename, "expected": "OK"}
            assert client.put("/datasets/golden", json=golden).status_code == 200
        yield made


@pytest.fixture
def tended(tmp_path: Path) -> Iterator[Inspector]:
    """A service that knows nothing but can be looked after."""
    with inspector(tmp_path) as made:
        yield made


@pytest.mark.system
def test_a_backup_is_made_and_brought_back(plant: Inspector, browser: Browser) -> None:
    page = open_page(browser, f"{plant.url}/system")
    expect(by(page, "health")).to_contain_text("numpy twin")
    by(page, "tab-backups").click()
    expect(by(page, "no-backups")).to_be_visible()
    by(page, "back-up").click()
    expect(by(page, "backups")).to_contain_text("kB")
    by(page, "restore").first.click()
    by(page, "cancel").click()
    by(page, "restore").first.click()
    by(page, "confirm").click()
    expect(page.get_by_text("restarts with it")).to_be_visible()
    expect(by(page, "status")).not_to_contain_text("Ready")
    expect(by(page, "status")).to_contain_text("Limited")  # until the golden parts have been checked
    by(page, "tab-health").click()
    by(page, "tab-backups").click()
    expect(by(page, "restored")).to_contain_text("Restored from")
    leave(page)


@pytest.mark.system
def test_freezing_asks_why_and_says_who(plant: Inspector, browser: Browser) -> None:
    page = open_page(browser, f"{plant.url}/system?tab=freeze")
    by(page, "freeze").click()
    expect(page.get_by_text("Enter the reason")).to_be_visible()
    by(page, "why").fill("audit <b>2026</b>")
    by(page, "freeze").click()
    expect(by(page, "frozen")).to_be_visible()
    expect(page.get_by_text("audit <b>2026</b>")).to_be_visible()
    expect(by(page, "status")).to_contain_text("frozen by")
    by(page, "release").click()
    by(page, "confirm").click()
    expect(by(page, "free")).to_be_visible()
    leave(page)


@pytest.mark.system
def test_golden_parts_are_checked_each(plant: Inspector, browser: Browser) -> None:
    page = open_page(browser, f"{plant.url}/system?tab=golden")
    by(page, "check").click()
    expect(by(page, "check-result")).to_contain_text("Passed")
    expect(by(page, "checks").locator("tbody tr")).to_have_count(3)
    expect(by(page, "check-result")).to_contain_text("1 golden parts")
    leave(page)


@pytest.mark.system
@pytest.mark.parametrize("language", ["en", "es"])
def test_every_tab_fits_the_smallest_screen(plant: Inspector, browser: Browser, language: Language) -> None:
    page = open_page(browser, f"{plant.url}/system")
    speak(page, language)
    expect(by(page, "tab-freeze")).to_contain_text(Words(lambda: language)("system.freeze"))
    for name in ("backups", "freeze", "golden", "language", "about", "health"):
        by(page, f"tab-{name}").click()
        expect(page).to_have_url(f"{plant.url}/system?tab={name}")
        assert cut_off(page) == [], name
    assert page.errors == []  # type: ignore[attr-defined]
    leave(page)


@pytest.mark.system
def test_settings_are_refused_at_their_field_kept_and_in_force_after_a_new_start(
    tended: Inspector, browser: Browser
) -> None:
    page = open_page(browser, f"{tended.url}/system?tab=settings")
    by(page, "set-BACKEND_QUEUE_SIZE").fill("0")
    by(page, "save-settings").click()
    expect(page.locator("body")).to_contain_text("greater than or equal to 1")
    by(page, "set-BACKEND_QUEUE_SIZE").fill("16")
    by(page, "save-settings").click()
    expect(page.get_by_text("Settings saved")).to_be_visible()
    expect(by(page, "restart-needed")).to_be_visible()
    by(page, "restart").click()
    by(page, "confirm").click()
    expect(by(page, "restart-needed")).to_be_hidden()
    expect(by(page, "set-BACKEND_QUEUE_SIZE")).to_have_value("16")
    assert "BACKEND_QUEUE_SIZE=16" in (tended.data_root / "settings.env").read_text()
    leave(page)


@pytest.mark.system
def test_the_log_is_followed_and_the_audit_log_proved(tended: Inspector, browser: Browser) -> None:
    page = open_page(browser, f"{tended.url}/system?tab=logs")
    expect(by(page, "lines")).to_be_visible()
    httpx.get(f"{tended.service_url}/models", headers={"X-Request-Id": "seen-live"}, trust_env=False)
    expect(by(page, "lines")).to_contain_text("/models")
    httpx.get(f"{tended.service_url}/jobs/none", trust_env=False)
    by(page, "search").fill("/jobs")
    expect(by(page, "lines")).not_to_contain_text("/models")
    expect(by(page, "lines")).to_contain_text("/jobs/none")
    by(page, "tab-audit").click()
    expect(by(page, "entries")).to_contain_text("Settings in force")
    by(page, "verify-audit").click()
    expect(by(page, "audit-proof")).to_contain_text("entries")
    audit = tended.data_root / "logs" / "audit.jsonl"
    audit.write_bytes(audit.read_bytes().replace(b'"by": "', b'"by": "not ', 1))
    by(page, "verify-audit").click()
    expect(by(page, "audit-proof")).to_contain_text("changed")
    leave(page)


@pytest.mark.system
def test_a_key_is_made_shown_once_and_wanted_from_then_on(tended: Inspector, browser: Browser) -> None:
    page = open_page(browser, f"{tended.url}/system?tab=keys")
    by(page, "key-name").fill("line 2")
    by(page, "add-key").click()
    key = by(page, "new-key").input_value()
    assert len(key) > 40
    by(page, "key-kept").click()
    expect(by(page, "status")).to_contain_text("key")
    page.goto(f"{tended.url}/connection")
    connected(page)
    by(page, "key").fill(key)
    by(page, "save").click()
    expect(by(page, "result")).to_contain_text("Saved")
    page.goto(f"{tended.url}/system?tab=keys")
    connected(page)
    expect(by(page, "keys")).to_contain_text("line 2")
    assert key not in page.content()
    by(page, "delete-key").click()
    by(page, "confirm").click()
    expect(by(page, "keys")).not_to_contain_text("line 2")
    leave(page)


@pytest.mark.system
@pytest.mark.parametrize("language", ["en", "es"])
def test_what_is_looked_after_fits_the_smallest_screen(tended: Inspector, browser: Browser, language: Language) -> None:
    page = open_page(browser, f"{tended.url}/system")
    speak(page, language)
    expect(by(page, "tab-freeze")).to_contain_text(Words(lambda: language)("system.freeze"))
    for name, shown in (("logs", "lines"), ("audit", "audit"), ("keys", "keys"), ("settings", "save-settings")):
        by(page, f"tab-{name}").click()
        expect(by(page, shown)).to_be_visible()
        assert cut_off(page) == [], name
    assert page.errors == []  # type: ignore[attr-defined]
    leave(page)


def line(level: str, event: str) -> str:
    return json.dumps({"time": "2026-03-01T10:00:00+00:00", "level": level, "event": event, "role_id": "disc"})


def test_a_log_is_seen_from_a_level_on_and_with_a_word() -> None:
    view = LogView()
    view.add([line("DEBUG", "a"), line("INFO", "Fit began"), line("ERROR", "fit failed"), "Traceback", ""])
    assert [seen.text for seen in view.shown()] == ["Fit began  role_id=disc", "fit failed  role_id=disc", "Traceback"]
    view.level = "WARNING"
    assert [seen.level for seen in view.shown()] == ["ERROR", ""]
    view.level, view.search = "DEBUG", "FIT"
    assert len(view.shown()) == 2


def test_a_log_keeps_and_shows_no_more_than_is_asked() -> None:
    view = LogView(kept=50)
    view.add(line("INFO", str(number)) for number in range(1000))
    assert [seen.text.split()[0] for seen in view.shown(3)] == ["997", "998", "999"]
    assert len(view.shown()) == 50


@pytest.mark.parametrize("text", ["[1]", "{}", "7", "plain", '{"level": '])
def test_a_line_that_is_none_of_ours_stays_as_it_is(text: str) -> None:
    assert parse(text).text == text


def about(name: str, value: str, **more: object) -> SettingAbout:
    values = {
        "default": value, "running": value, "set": bool(value), "help": {"en": "x", "es": "x"}, "source": "default",
        "kind": "text", "minimum": None, "maximum": None, "choices": None, **more,
    }  # fmt: skip
    return SettingAbout.model_validate({"name": name, "value": value, **values})


def test_only_what_was_changed_is_sent() -> None:
    known = [
        about("BACKEND_LOG_LEVEL", "INFO"), about("BACKEND_PORT", "9000", source="file", default="8000"),
        about("BACKEND_HOST", "127.0.0.1", source="environment"), about("BACKEND_DATA_ROOT", "/data"),
        about("MY_SECRET", "", kind="secret"), about("BACKEND_BACKUP_HOUR", "2"),
    ]  # fmt: skip
    entered = {
        "BACKEND_LOG_LEVEL": "INFO", "BACKEND_PORT": None, "BACKEND_HOST": "0.0.0.0", "BACKEND_DATA_ROOT": "/other",
        "MY_SECRET": "", "BACKEND_BACKUP_HOUR": None,
    }  # fmt: skip
    assert changes(known, entered) == {"BACKEND_PORT": None}
    assert changes(known, {"MY_SECRET": "new", "BACKEND_BACKUP_HOUR": "3"}) == {
        "MY_SECRET": "new",
        "BACKEND_BACKUP_HOUR": "3",
    }


def test_each_refusal_goes_to_its_field_and_others_are_said_above() -> None:
    detail = (
        "BACKEND_PORT: must be less\nBACKEND_KEEP_NG_DAYS=3 is less than BACKEND_KEEP_OK_DAYS=90: set it\nNobody knows."
    )
    assert refusals(detail, ["BACKEND_PORT", "BACKEND_KEEP_NG_DAYS"]) == {
        "BACKEND_PORT": "must be less",
        "BACKEND_KEEP_NG_DAYS": "BACKEND_KEEP_NG_DAYS=3 is less than BACKEND_KEEP_OK_DAYS=90: set it",
        "": "Nobody knows.",
    }


def test_every_setting_of_the_service_has_a_group_of_its_own_kind() -> None:
    names = [str(field.validation_alias.choices[0]) for field in Settings.model_fields.values()]  # type: ignore[union-attr]
    assert [name for name in names if group_of(name) == "other"] == []
    assert list(grouped([about("GUI_PORT", "8090"), about("BACKEND_PORT", "8000")])) == ["network", "screens"]
