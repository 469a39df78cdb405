"""Settings: environment over file over default; what contradicts itself is refused with a sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from service.settings import SETTINGS_FILE, Settings, SettingsError, is_loopback, read_settings


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for field in Settings.model_fields.values():
        monkeypatch.delenv(str(field.validation_alias.choices[0]), raising=False)  # type: ignore[union-attr]
    monkeypatch.setenv("BACKEND_DATA_ROOT", str(tmp_path))


def test_without_anything_set_the_service_listens_on_loopback_only() -> None:
    settings = read_settings()
    assert (settings.host, settings.port, settings.api_keys, settings.workers) == ("127.0.0.1", 8000, {}, 1)


def test_the_environment_wins_over_the_file_and_the_file_over_the_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "# made by IT\r\nBACKEND_PORT=9001\r\nBACKEND_QUEUE_SIZE = 7\r\nBACKEND_DEVICE='cpu'\r\nUNKNOWN=1\r\n"
    (tmp_path / SETTINGS_FILE).write_bytes(b"\xef\xbb\xbf" + text.encode())  # as Windows' editor saves it
    monkeypatch.setenv("BACKEND_PORT", "9002")
    monkeypatch.setenv("BACKEND_BATCH_SIZE", "")
    settings = read_settings()
    assert (settings.port, settings.queue_size, settings.device, settings.batch_size) == (9002, 7, "cpu", 8)


def test_a_first_line_behind_a_byte_order_mark_counts(tmp_path: Path) -> None:
    (tmp_path / SETTINGS_FILE).write_bytes(b"\xef\xbb\xbfBACKEND_PORT=9001\r\n")
    assert read_settings().port == 9001


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.7", "::", "vision.plant"])
def test_listening_on_the_network_without_a_key_is_refused_with_what_to_do(
    host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BACKEND_HOST", host)
    with pytest.raises(SettingsError) as refused:
        read_settings()
    said = str(refused.value)
    assert host in said
    assert "set BACKEND_API_KEY" in said
    assert "BACKEND_HOST=127.0.0.1" in said
    assert "\n" not in said
    for useless in (" , ", "line-2:", ","):
        monkeypatch.setenv("BACKEND_API_KEY", useless)
        with pytest.raises(SettingsError, match="BACKEND_API_KEY"):
            read_settings()
    monkeypatch.setenv("BACKEND_API_KEY", "s3cret")
    assert read_settings().host == host


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "::1", "localhost"])
def test_loopback_needs_no_key(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BACKEND_HOST", host)
    assert read_settings().api_keys == {}
    assert is_loopback(host)


def test_keys_may_be_several_and_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BACKEND_API_KEY", "line-2:aaa, bbb,,line:3:ccc ,")
    assert read_settings().api_keys == {"aaa": "line-2", "bbb": "key-2", "ccc": "line:3"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("BACKEND_LOG_LEVEL", "LOUD"), ("BACKEND_PORT", "0"), ("BACKEND_PORT", "70000"), ("BACKEND_PORT", "eighty"),
        ("BACKEND_QUEUE_SIZE", "0"), ("BACKEND_INFER_TIMEOUT_S", "0"), ("BACKEND_CORESET_RATE", "2"),
        ("BACKEND_REQUIRE_CALIBRATION", "perhaps"), ("UVICORN_WORKERS", "-1"), ("BACKEND_MAX_IMAGE_MPX", "0"),
    ],
)  # fmt: skip
def test_a_value_that_cannot_be_one_is_named(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=name):
        read_settings()


def test_log_levels_may_be_written_small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BACKEND_LOG_LEVEL", "debug")
    assert read_settings().log_level == "DEBUG"


def test_settings_do_not_change_and_every_one_has_a_line_of_help() -> None:
    settings = read_settings()
    with pytest.raises(ValueError, match="frozen"):
        settings.port = 1
    for name, field in Settings.model_fields.items():
        assert field.description, name
        variable = str(field.validation_alias.choices[0])  # type: ignore[union-attr]
        assert variable.startswith(("BACKEND_", "PATCHCORE_", "UVICORN_"))
