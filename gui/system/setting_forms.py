"""Rules of the settings form: groups, changed values, and the field of each refusal. No drawing."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from service.contract.system import SettingAbout

# In the order of the page; the first pattern that fits a name wins.
GROUPS = {
    "network": r"BACKEND_(HOST|PORT|API_KEY|ALLOW|MAX_BODY)|UVICORN",
    "device": r"BACKEND_(DEVICE|BACKBONE|WEIGHTS|INPUT|CORESET|MODELS|BATCH)|PATCHCORE",
    "judging": r"BACKEND_(REQUIRE|QUEUE|INFER|MAX_IMAGE|VERIFY)",
    "keeping": r"BACKEND_(ARCHIVE|KEEP|MIN_FREE|DATA_ROOT)",
    "backing_up": r"BACKEND_BACKUP",
    "logging": r"BACKEND_LOG",
    "screens": r"GUI_",
    "other": "",
}
# Not to be changed here: a key is made in its own tab, and another folder would be another plant's data.
READ_ONLY = ("BACKEND_DATA_ROOT", "BACKEND_API_KEY")
_REFUSED = re.compile(r"\b([A-Z][A-Z0-9]+(?:_[A-Z0-9]+)+)\s*[:=]")


def grouped(settings: Iterable[SettingAbout]) -> dict[str, list[SettingAbout]]:
    """Settings by group; a group without settings is left out."""
    found: dict[str, list[SettingAbout]] = {group: [] for group in GROUPS}
    for setting in settings:
        found[group_of(setting.name)].append(setting)
    return {group: members for group, members in found.items() if members}


def group_of(name: str) -> str:
    return next(group for group, pattern in GROUPS.items() if re.match(pattern, name))


def may_change(setting: SettingAbout) -> bool:
    return setting.source != "environment" and setting.name not in READ_ONLY


def changes(settings: Iterable[SettingAbout], entered: Mapping[str, str | None]) -> dict[str, str | None]:
    """Values that differ from the stored ones; None: back to the default. An empty secret stays as it is."""
    found: dict[str, str | None] = {}
    for setting in settings:
        value = entered.get(setting.name, setting.value)
        if not may_change(setting) or (setting.kind == "secret" and value == ""):
            continue
        if value != setting.value and not (value is None and setting.source == "default"):
            found[setting.name] = value
    return found


def refusals(detail: str, names: Iterable[str]) -> dict[str, str]:
    """Sentences of a refusal by the name of their field; "" for sentences that name no field."""
    known = set(names)
    found: dict[str, str] = {}
    for line in detail.splitlines():
        named = _REFUSED.search(line)
        name = named[1] if named and named[1] in known else ""
        sentence = line[named.end() :].strip() if named and name and line.startswith(f"{name}:") else line
        found[name] = f"{found[name]} {sentence}" if name in found else sentence
    return found


def is_on(value: str | None) -> bool:
    return (value or "").strip().lower() in ("1", "true", "yes", "on", "t", "y")
