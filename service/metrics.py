"""Prometheus metrics; names are fixed (plants' dashboards use them)."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Mapping

import numpy as np
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest, multiprocess

_BUCKETS_MS = (1, 2, 5, 10, 15, 20, 30, 50, 75, 100, 150, 200, 300, 500, 1000, 2000, 5000)


class Metrics:
    """Built once per process. With PROMETHEUS_MULTIPROC_DIR set, `expose` adds up all worker processes."""

    def __init__(self, *, several_processes: bool) -> None:
        self._several = several_processes
        self._registry = CollectorRegistry()
        self._latencies: deque[float] = deque(maxlen=512)
        self._lock = threading.Lock()
        self._latency = Histogram(
            "latencia_infer_ms", "Milliseconds of an inspection by stage", ["role", "roi", "stage"],
            buckets=_BUCKETS_MS, registry=self._registry,
        )  # fmt: skip
        self._inspections = Counter(
            "inspections", "Inspections by verdict", ["role", "roi", "verdict"], registry=self._registry
        )
        self._provisional = Counter(
            "inspections_provisional", "Inspections by a threshold with too few good parts behind it", ["role", "roi"],
            registry=self._registry,
        )  # fmt: skip
        self._embeddings = self._gauge("n_embeddings", "Patch vectors in the memory bank", ["role", "roi"])
        self._model_info = self._gauge(
            "model_info", "1 for the version that serves", ["role", "roi", "version", "backbone"]
        )
        self._queue_depth = self._gauge("infer_queue_depth", "Inspections that wait for the device", mode="livesum")
        self._gpu_mem_mb = self._gauge("gpu_mem_mb", "Device memory in use", mode="livesum")
        self._disk_free = self._gauge("disk_free_bytes", "Free bytes on the disk of the data root")
        self._last_backup = self._gauge("backup_last_success_timestamp_seconds", "When the newest backup was made")
        self._left_out = self._gauge("pictures_not_kept", "Pictures the archive had to leave out", mode="livesum")

    def inspected(
        self, role_id: str, roi_id: str, verdict: str | None, timings_ms: Mapping[str, float], provisional: bool
    ) -> None:
        for stage, ms in timings_ms.items():
            self._latency.labels(role_id, roi_id, stage).observe(ms)
        self._inspections.labels(role_id, roi_id, verdict or "none").inc()
        self._provisional.labels(role_id, roi_id).inc(provisional)
        with self._lock:
            self._latencies.append(timings_ms["total"])

    def model_loaded(self, role_id: str, roi_id: str, version: int, backbone: str, n_vectors: int) -> None:
        self._embeddings.labels(role_id, roi_id).set(n_vectors)
        self._model_info.labels(role_id, roi_id, str(version), backbone).set(1)

    def model_unloaded(self, role_id: str, roi_id: str, version: int, backbone: str) -> None:
        if not self._several:
            self._model_info.remove(role_id, roi_id, str(version), backbone)
        else:
            self._model_info.labels(role_id, roi_id, str(version), backbone).set(0)

    def backed_up(self, when_s: float) -> None:
        """`when_s`: seconds since 1970 of the newest backup."""
        self._last_backup.set(when_s)

    def latency_ms(self) -> tuple[float | None, float | None]:
        """Median and 95th percentile of the last inspections; None before the first."""
        with self._lock:
            latencies = list(self._latencies)
        if not latencies:
            return None, None
        p50, p95 = np.percentile(latencies, [50, 95])
        return round(float(p50), 2), round(float(p95), 2)

    def expose(self, *, queue_depth: int, gpu_mem_mb: float, disk_free: Callable[[], int], left_out: int) -> bytes:
        """The text format of Prometheus."""
        self._queue_depth.set(queue_depth)
        self._gpu_mem_mb.set(gpu_mem_mb)
        self._disk_free.set(disk_free())
        self._left_out.set(left_out)
        if not self._several:
            return generate_latest(self._registry)
        together = CollectorRegistry()
        multiprocess.MultiProcessCollector(together)  # type: ignore[no-untyped-call]
        return generate_latest(together)

    def _gauge(self, name: str, text: str, labels: list[str] | None = None, mode: str = "mostrecent") -> Gauge:
        return Gauge(name, text, labels or [], registry=self._registry, multiprocess_mode=mode)  # type: ignore[arg-type]
