"""The words of the HTTP contract: what goes in and out, with the bounds of every field. Adding fields is fine,
changing names, types or meanings is not: plants run GUIs that speak these."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from service.store.names import MAX_NAME, check_name

# Between an electron microscope and a satellite: outside it somebody mixed up units.
MIN_MM_PER_PX, MAX_MM_PER_PX = 1e-5, 1e3
MAX_SCORES = 100_000

Name = Annotated[str, Field(min_length=1, max_length=MAX_NAME), AfterValidator(check_name)]
MmPerPx = Annotated[float, Field(ge=MIN_MM_PER_PX, le=MAX_MM_PER_PX, allow_inf_nan=False)]
Score = Annotated[float, Field(ge=0, le=1e12, allow_inf_nan=False)]
Threshold = Annotated[float, Field(gt=0, le=1e12, allow_inf_nan=False)]
Label = Literal["ok", "ng"]
Verdict = Literal["OK", "NG"]
Version = Annotated[int, Field(ge=1, le=10**9)]
Area = Annotated[
    float, Field(ge=0, le=1e9, allow_inf_nan=False, description="Smallest area in mm² that makes a part NG")
]
Percentile = Annotated[
    float,
    Field(ge=50, le=100, allow_inf_nan=False, description="Share of good parts, in %, the threshold has to let pass"),
]


class Answer(BaseModel):
    model_config = ConfigDict(protected_namespaces=())
    request_id: str = ""


class Latency(BaseModel):
    p50: float | None
    p95: float | None


class Frozen(BaseModel):
    """Who froze training, from which station, when and why."""

    by: str
    station: str
    since_utc: str
    why: str


class BackupState(BaseModel):
    last_success_utc: str | None
    error: str | None
    copy_error: str | None


class Health(Answer):
    """`codes` are the slugs of the reasons, `code` the first: `loading`, `device_lost`, `disk_low`, ...

    `warnings` are worth a look and change nothing of the status.
    """

    status: Literal["ok", "degraded", "loading", "error"]
    reason: str | None = None
    code: str | None = None
    codes: list[str]
    warnings: list[str]
    product: Literal["brakedisc-inspector"] = "brakedisc-inspector"
    pid: int
    device: str
    device_name: str
    model: str
    version: str
    gpu_mem_mb: float
    models_loaded: int
    uptime_s: float
    training_frozen: bool
    frozen: Frozen | None
    backup: BackupState
    disk_free_mb: int
    latency_infer_ms: Latency


class FitAnswer(Answer):
    n_images: int
    n_embeddings: int
    coreset_size: int
    token_shape: tuple[int, int]
    coreset_rate_requested: float
    coreset_rate_applied: float
    model_version: int
    active: bool
    ok_scores: list[float]
    duration_s: float
    stages_s: dict[str, float]


class CalibrationRequest(BaseModel):
    role_id: Name
    roi_id: Name
    mm_per_px: MmPerPx
    ok_scores: Annotated[list[Score], Field(max_length=MAX_SCORES)] | None = None
    ng_scores: Annotated[list[Score], Field(max_length=MAX_SCORES)] | None = None
    area_mm2_thr: Area | None = None
    score_percentile: Percentile | None = None
    model_version: Version | None = None
    threshold: Annotated[Threshold | None, Field(description="One's own; left out: the one that follows")] = None
    preview: Annotated[bool, Field(description="Only what it would be: nothing is stored")] = False


class CalibrationAnswer(Answer):
    threshold: float
    ok_mean: float
    ng_mean: float | None
    p99_ok: float
    p5_ng: float | None
    mm_per_px: float
    area_mm2_thr: float
    score_percentile: float
    method: str
    n_ok: int
    n_ng: int
    false_reject_rate: float | None
    false_reject_ci95: tuple[float, float] | None
    miss_rate: float | None
    miss_ci95: tuple[float, float] | None
    overlap: bool | None
    model_version: int
    warnings: list[str]


class RegionAnswer(BaseModel):
    bbox: tuple[int, int, int, int]
    x: int
    y: int
    w: int
    h: int
    area_px: float
    area_mm2: float
    score: float
    contour: list[list[int]]


class Params(BaseModel):
    extractor: str
    input_size: int
    coreset_rate: float
    score_percentile: float
    area_mm2_thr: float
    mm_per_px: float
    shape: dict[str, Any] | None = None
    to_frame: Annotated[
        tuple[tuple[float, float, float], tuple[float, float, float]] | None,
        Field(description="Of a ROI of a whole frame: takes pixels of its picture to pixels of the frame"),
    ] = None


class InferAnswer(Answer):
    role_id: str
    roi_id: str
    score: float
    threshold: float | None
    verdict: Verdict | None
    token_shape: tuple[int, int]
    heatmap_png_base64: str | None
    regions: list[RegionAnswer]
    params: Params
    model_version: int
    inspection_id: str
    part_id: str | None
    timings_ms: dict[str, float]


class ScoresAnswer(Answer):
    scores: list[float]
    model_version: int
    area_mm2_thr: float


class UploadAnswer(Answer):
    saved: int
    files: list[str]
    count: int


class LabelSummary(BaseModel):
    count: int
    files: list[str]


class DatasetAnswer(Answer):
    role_id: str
    roi_id: str
    mm_per_px: float | None
    classes: dict[Label, LabelSummary]


class DeletedAnswer(Answer):
    deleted: int


class DatasetRequest(BaseModel):
    role_id: Name
    roi_id: Name
    mm_per_px: MmPerPx | None = None
    model_version: Version | None = None


class CalibrateDatasetRequest(DatasetRequest):
    area_mm2_thr: Area | None = None
    score_percentile: Percentile | None = None


class SampleScore(BaseModel):
    filename: str
    label: Label
    score: float
    verdict: Verdict | None


class InferDatasetAnswer(Answer):
    role_id: str
    roi_id: str
    model_version: int
    threshold: float | None
    results: list[SampleScore]


class StateAnswer(Answer):
    role_id: str
    roi_id: str
    memory_fitted: bool
    calib_present: bool
    model_version: int | None
    serving_version: int | None
    problem: str | None
    mm_per_px: float | None
    versions: list[int]
    dataset: dict[Label, int]


class ManifestAnswer(StateAnswer):
    model: dict[str, Any] | None
    calibration: dict[str, Any] | None


class ModelSummary(BaseModel):
    model_config = ConfigDict(protected_namespaces=())
    role_id: str
    roi_id: str
    model_version: int
    current: bool
    activated: bool
    calibrated: bool
    created_utc: str | None
    backbone: str | None
    coreset_size: int | None
    threshold: float | None
    damaged: str | None


class ModelsAnswer(Answer):
    models: list[ModelSummary]


class ActivateRequest(BaseModel):
    model_config = ConfigDict(protected_namespaces=())
    role_id: Name
    roi_id: Name
    model_version: Version


class RollbackRequest(BaseModel):
    role_id: Name
    roi_id: Name


class ActivatedAnswer(Answer):
    role_id: str
    roi_id: str
    model_version: int
    calibrated: bool


class JobAnswer(Answer):
    job_id: str
    kind: str
    state: Literal["running", "done", "failed", "cancelled"]
    progress: float
    stage: str
    created_utc: str
    ended_utc: str | None
    result: dict[str, Any] | None
    problem: dict[str, Any] | None


class InspectionSummary(BaseModel):
    model_config = ConfigDict(protected_namespaces=())
    inspection_id: str
    time_utc: str
    role_id: str
    roi_id: str
    part_id: str | None
    verdict: Verdict | None
    score: float
    threshold: float | None
    model_version: int
    n_regions: int
    frame_id: str | None = None


class InspectionsAnswer(Answer):
    total: int
    limit: int
    offset: int
    inspections: list[InspectionSummary]


class InspectionAnswer(Answer, InspectionSummary):
    mm_per_px: float
    inspection_request_id: str
    key_name: str | None
    station: str | None
    image_sha256: str
    image_name: str | None
    regions: list[RegionAnswer]
    params: Params
    timings_ms: dict[str, float]


class GoldenRequest(BaseModel):
    role_id: Name
    roi_id: Name
    label: Label
    filename: Annotated[str, Field(max_length=128)]
    expected: Annotated[Verdict | None, Field(description="Verdict every model must give it; null: not golden")]


class GoldenSample(BaseModel):
    role_id: str
    roi_id: str
    label: Label
    filename: str
    expected: Verdict


class GoldenAnswer(Answer):
    golden: list[GoldenSample]


class VerifyCheck(BaseModel):
    model_config = ConfigDict(protected_namespaces=())
    kind: Literal["engine", "model", "golden"]
    what: str
    passed: bool
    detail: str
    expected: Verdict | None = None
    verdict: Verdict | None = None
    score: float | None = None
    threshold: float | None = None
    model_version: int | None = None


class VerifyAnswer(Answer):
    passed: bool
    n_golden: int
    checked_utc: str
    checks: list[VerifyCheck]


class FreezeRequest(BaseModel):
    why: Annotated[str, Field(min_length=1, max_length=500)]


class FreezeAnswer(Answer):
    training_frozen: bool
    frozen: Frozen | None


class BackupSummary(BaseModel):
    name: str
    created_utc: str
    version: str
    size_bytes: int


class RestoredState(BaseModel):
    """A restored state that waits to be verified."""

    backup: str
    restored_utc: str
    carried_over: int
    note: str


class BackupsAnswer(Answer):
    backups: list[BackupSummary]
    last_success_utc: str | None
    error: str | None
    copy_error: str | None
    second_folder: str | None
    former_kept: bool
    restored: RestoredState | None


class BackupAnswer(Answer, BackupSummary):
    n_files: int
    copy_error: str | None
    dropped: list[str]


class RestoreAnswer(Answer):
    backup: str


class ProblemAnswer(BaseModel):
    """RFC 9457. `error` repeats `detail` for older clients."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    error: str
    request_id: str
