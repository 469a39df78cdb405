"""What History and System read of the answers about summaries, log, settings and keys."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from service.contract import Answer, Verdict

Kind = Literal["text", "number", "integer", "switch", "choice", "secret", "path"]


class _Part(BaseModel):
    model_config = ConfigDict(protected_namespaces=())


class Drift(_Part):
    """`ratio`: mean score of good parts in the period against the calibration's."""

    ratio: float | None
    warning: bool


class RoiSummary(_Part):
    role_id: str
    roi_id: str
    n: int
    n_ok: int
    n_ng: int
    score_mean: float | None
    score_p95: float | None
    threshold: float | None
    calibrated_ok_mean: float | None
    drift: Drift | None


class TrendPoint(_Part):
    start_utc: str
    role_id: str
    roi_id: str
    n: int
    n_ng: int
    score_mean: float | None
    score_max: float | None


class InspectionsSummary(Answer):
    rois: list[RoiSummary]
    trend: list[TrendPoint]


class Changed(_Part):
    inspection_id: str
    old_verdict: Verdict | None
    new_verdict: Verdict | None
    old_score: float
    new_score: float
    new_threshold: float | None


class Rerun(_Part):
    """`without_picture`: how many could not be judged anew."""

    n: int
    n_changed: int
    changed: list[Changed]
    without_picture: int


class AuditEntry(_Part):
    seq: int
    time_utc: str
    who: str
    station: str | None = None
    action: str
    target: Any = None
    old: Any = None
    new: Any = None


class AuditPage(Answer):
    entries: list[AuditEntry]


class AuditProof(Answer):
    intact: bool
    n: int
    problem: str | None = None


class LogFile(_Part):
    name: str
    size_bytes: int


class LogFiles(Answer):
    logs: list[LogFile]


class LogPiece(Answer):
    """`next` is where to go on reading."""

    next: int
    lines: list[str]


class SettingAbout(_Part):
    """`value` of a secret is empty: `set` tells whether there is one. `help` by language."""

    name: str
    value: str | None
    set: bool = False
    default: str | None = None
    help: dict[str, str]
    source: Literal["environment", "file", "default"]
    kind: Kind
    minimum: float | None = None
    maximum: float | None = None
    choices: list[str] | None = None


class SettingsPage(Answer):
    settings: list[SettingAbout]
    restart_needed: bool


class Restarting(Answer):
    restarting: bool


class KeyName(_Part):
    name: str


class KeyNames(Answer):
    keys: list[KeyName]
    from_environment: bool = False


class NewKey(Answer):
    name: str
    key: str


class Gone(Answer):
    """What was deleted is not described."""
