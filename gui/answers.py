"""What History reads of the answers about re-runs."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from service.contract import Verdict


class _Part(BaseModel):
    model_config = ConfigDict(protected_namespaces=())


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
