"""Settings and API keys as a person changes them: shown with their source, checked together, noted in the audit log."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import AliasChoices

from service.backend import Kept, People, Upkeep
from service.contract.system import (
    KeyAbout,
    KeysAnswer,
    Kind,
    NewKeyAnswer,
    RestartAnswer,
    SettingAbout,
    SettingsAnswer,
    SettingsRequest,
    Source,
)
from service.errors import Conflict, InvalidField, NotFound
from service.keys import API_KEY
from service.settings import Settings, SettingsError, is_loopback, read_settings, set_by_environment
from service.store.state.restart import ask_restart

DATA_ROOT = "BACKEND_DATA_ROOT"
CHOICES = {"BACKEND_LOG_LEVEL": ["DEBUG", "INFO", "WARNING", "ERROR"]}
_SECRETS = (API_KEY,)
_KINDS: dict[object, Kind] = {"boolean": "switch", "integer": "integer", "number": "number"}
_FIELDS = {str(alias.choices[0]): (name, field) for name, field in Settings.model_fields.items()
           if isinstance(alias := field.validation_alias, AliasChoices)}  # fmt: skip
_SCHEMA: dict[str, dict[str, Any]] = Settings.model_json_schema()["properties"]


@cache
def spanish() -> dict[str, str]:
    """Help of each setting in Spanish, for GUIs of other authors too; the English help is in service/settings.py."""
    found: dict[str, str] = json.loads(Path(__file__).with_name("settings_es.json").read_text("utf-8"))
    return found


def settings(kept: Kept, upkeep: Upkeep) -> SettingsAnswer:
    """Every setting. Raises Conflict when `settings.env` cannot be read."""
    given, in_file = set_by_environment(), _in_file(upkeep)
    shown = [_about(kept, name, given, in_file) for name in _FIELDS]
    return SettingsAnswer(settings=shown, restart_needed=_restart_needed(kept))


def change_settings(kept: Kept, people: People, upkeep: Upkeep, asked: SettingsRequest) -> SettingsAnswer:
    """All together or none; in force after the next start.

    Raises InvalidField (each line `NAME: what is wrong`), Conflict (the environment sets it), DiskFull.
    """
    values = {name: value or None for name, value in asked.values.items()}
    _refuse_names(values)
    before = _in_file(upkeep)
    _refuse_values(kept, before, values)
    changed = {name: value for name, value in values.items() if before.get(name) != value}
    if changed:
        upkeep.settings_file.change(changed)
        old = {name: before.get(name) for name in changed}
        people.note("settings_change", {"settings": sorted(changed)}, old=old, new=changed)
    return settings(kept, upkeep)


def restart(people: People, upkeep: Upkeep) -> RestartAnswer:
    """Restart this server with the settings as they are now; requests under way are finished first."""
    ask_restart(upkeep.settings.data_root)
    people.note("service_restart", {})
    upkeep.restart()
    return RestartAnswer(restarting=True)


def keys(people: People) -> KeysAnswer:
    names = people.keys.current().values()
    return KeysAnswer(keys=[KeyAbout(name=name) for name in names], from_environment=people.keys.from_environment)


def add_key(people: People, upkeep: Upkeep, name: str) -> NewKeyAnswer:
    """In force at once. Raises Conflict (the name is taken; the environment sets the keys), DiskFull."""
    present = _changeable_keys(people)
    if name in present.values():
        raise Conflict(f"There is a key of {name!r} already: take it away first, or choose another name.")
    key = secrets.token_urlsafe(32)
    _store_keys(upkeep, {**present, key: name})
    people.note("key_add", {"key": name})
    return NewKeyAnswer(name=name, key=key)


def delete_key(people: People, upkeep: Upkeep, name: str) -> None:
    """In force at once. Raises NotFound, Conflict (the last one of a service that stations reach), DiskFull."""
    present = _changeable_keys(people)
    rest = {key: holder for key, holder in present.items() if holder != name}
    if rest == present:
        raise NotFound(f"There is no key of {name!r}; GET /keys lists the names.")
    if not rest and not is_loopback(upkeep.settings.host):
        raise Conflict("This is the last key of a service that the network can reach: make another one first.")
    _store_keys(upkeep, rest)
    people.note("key_delete", {"key": name})


def _about(kept: Kept, name: str, given: Mapping[str, str], in_file: Mapping[str, str]) -> SettingAbout:
    (attribute, field), schema = _FIELDS[name], _SCHEMA[name]
    default, secret = _text(field.get_default(call_default_factory=True)), name in _SECRETS
    source: Source = "environment" if name in given else "file" if in_file.get(name) else "default"
    value = {"environment": given.get(name, ""), "file": in_file.get(name, ""), "default": default}[source]
    return SettingAbout(
        name=name,
        value="" if secret else value,
        set=bool(value),
        default=default,
        help={"en": field.description or "", "es": spanish()[name]},
        source=source,
        kind="secret" if secret else "choice" if name in CHOICES else _kind(schema),
        minimum=schema.get("minimum", schema.get("exclusiveMinimum")),
        maximum=schema.get("maximum", schema.get("exclusiveMaximum")),
        choices=CHOICES.get(name),
        running="" if secret else _text(getattr(kept.settings, attribute)),
    )


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else str(value)


def _kind(schema: dict[str, Any]) -> Kind:
    if any(part.get("format") == "path" for part in schema.get("anyOf", [schema])):
        return "path"
    return _KINDS.get(schema.get("type"), "text")


def _refuse_names(values: Mapping[str, str | None]) -> None:
    wrong = [f"{name}: there is no such setting." for name in values if name not in _FIELDS]
    wrong += [f"{API_KEY}: keys are made by POST /keys."] if API_KEY in values else []
    wrong += [f"{DATA_ROOT}: only an environment variable can set it."] if DATA_ROOT in values else []
    if wrong:
        raise InvalidField("\n".join(wrong))
    if fixed := [name for name in values if name in set_by_environment()]:
        raise Conflict("\n".join(f"{name}: it is set by an environment variable of this PC." for name in fixed))


def _refuse_values(kept: Kept, before: Mapping[str, str], values: Mapping[str, str | None]) -> None:
    """As the next start would."""
    merged = {name: value for name, value in {**before, **values}.items() if name in _FIELDS}
    tried = {name: value if value else _FIELDS[name][1].get_default() for name, value in merged.items()}
    tried |= {name: value for name, value in set_by_environment().items() if name in _FIELDS}
    try:
        read_settings(**{**tried, DATA_ROOT: kept.settings.data_root})
    except SettingsError as error:
        raise InvalidField(str(error)) from None


def _restart_needed(kept: Kept) -> bool:
    try:
        following = read_settings(**{DATA_ROOT: kept.settings.data_root})
    except SettingsError:
        return True
    unlike = {"api_key", "data_root"}  # keys are in force at once
    return following.model_dump(exclude=unlike) != kept.settings.model_dump(exclude=unlike)


def _in_file(upkeep: Upkeep) -> dict[str, str]:
    try:
        return upkeep.settings_file.values()
    except (OSError, UnicodeDecodeError) as error:
        raise Conflict(f"settings.env cannot be read ({error}): save it as UTF-8 text.") from error


def _changeable_keys(people: People) -> dict[str, str]:
    if people.keys.from_environment:
        raise Conflict(f"The keys are set by the environment variable {API_KEY} of this PC: change them there.")
    return people.keys.current()


def _store_keys(upkeep: Upkeep, present: Mapping[str, str]) -> None:
    text = ",".join(f"{name}:{key}" for key, name in present.items())
    upkeep.settings_file.change({API_KEY: text or None})
