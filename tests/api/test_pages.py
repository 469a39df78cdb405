"""What people and monitors read: /docs without internet, /openapi.json, /metrics."""

from __future__ import annotations

import re

import pytest
from fastapi.testclient import TestClient

from tests.kit.parts import ROI, fit, infer, spoiled_disc


@pytest.mark.parametrize("page", ["/docs", "/redoc"])
def test_the_documentation_works_without_internet(client: TestClient, page: str) -> None:
    html = client.get(page).text
    assets = re.findall(r"""(?:src|href)=["']([^"']+)["']""", html)
    assert assets
    for asset in assets:
        assert not re.match(r"(https?:)?//", asset), asset
        assert client.get(asset).status_code == 200, asset
    linked = re.findall(r"https?://[^\s\"'<>]+", html)
    assert [link for link in linked if re.search(r"\.(js|css|png|woff2?)", link)] == []


def test_every_route_is_described_with_a_call_that_can_be_copied(client: TestClient) -> None:
    schema = client.get("/openapi.json").json()
    for path, methods in schema["paths"].items():
        for method, about in methods.items():
            call = about["description"]
            assert call.startswith("`curl "), (method, path)
            assert "http://127.0.0.1:8000" + path.split("{")[0] in call, (method, path)
            assert "4XX" in about["responses"], (method, path)


def test_metrics_have_the_names_that_dashboards_use(taught: TestClient) -> None:
    infer(taught)
    infer(taught, spoiled_disc(50))
    text = taught.get("/metrics").text
    assert 'inspections_total{roi="ring",role="disc",verdict="OK"} 1.0' in text
    assert 'inspections_total{roi="ring",role="disc",verdict="NG"} 1.0' in text
    assert 'latencia_infer_ms_count{roi="ring",role="disc",stage="total"} 2.0' in text
    assert 'latencia_infer_ms_bucket{le="+Inf",roi="ring",role="disc",stage="embed"} 2.0' in text
    assert 'model_info{backbone="twin",roi="ring",role="disc",version="1"} 1.0' in text
    assert re.search(r'^n_embeddings\{roi="ring",role="disc"\} [1-9]', text, re.MULTILINE)
    for name in ("gpu_mem_mb", "infer_queue_depth", "disk_free_bytes"):
        assert re.search(rf"^{name} \d", text, re.MULTILINE), name


def test_metrics_follow_the_version_that_serves(taught: TestClient) -> None:
    infer(taught)
    fit(taught, 3)
    infer(taught, allow_uncalibrated="true")
    assert 'verdict="none"} 1.0' in taught.get("/metrics").text
    served = [line for line in taught.get("/metrics").text.splitlines() if line.startswith("model_info{")]
    assert served == ['model_info{backbone="twin",roi="ring",role="disc",version="2"} 1.0']
    taught.post("/models/rollback", json=ROI)
    infer(taught)
    assert 'version="1"} 1.0' in taught.get("/metrics").text
