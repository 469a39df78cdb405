"""Backbones: weights from files, patches on a grid, and ONNX Runtime only where it agrees with torch."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from safetensors.numpy import load, save  # noqa: E402
from safetensors.torch import save_file  # noqa: E402  (torch may be missing)

from service.engine.backbones import (  # noqa: E402
    BACKBONES,
    Backbone,
    PatchNetwork,
    load_backbone,
    read_weights,
    weights_sha256,
)
from service.engine.lanes import Lanes  # noqa: E402
from service.engine.onnx_backbone import TOLERANCE, OnnxBackbone, ParityError, export  # noqa: E402
from service.engine.torch_engine import TorchEngine  # noqa: E402
from service.engine.weights import package_folders  # noqa: E402
from service.errors import NotReady  # noqa: E402
from service.store.files import sha256  # noqa: E402
from tests.conftest import SHARED, settings_for  # noqa: E402

pytestmark = pytest.mark.torch
CPU = torch.device("cpu")
KERAS = SHARED / "weights" / "resnet50_keras_imagenet_v1_upto_layer3.pth"
needs_keras = pytest.mark.skipif(not KERAS.is_file(), reason=f"{KERAS} is not here")


def random_weights(name: str = "resnet18") -> dict[str, torch.Tensor]:
    """A whole torchvision network's, up to the classifier."""
    from torchvision import models

    torch.manual_seed(0)
    found: dict[str, torch.Tensor] = getattr(models, name)(weights=None).state_dict()
    return found


def saved(weights: dict[str, torch.Tensor], file: Path) -> Path:
    if file.suffix == ".safetensors":
        save_file(weights, file)
    else:
        torch.save(weights, file)
    return file


def lite0() -> Backbone:
    """The one whose weights came with the installation."""
    return load_backbone("efficientnet_lite0", next(package_folders()[0].glob("*.pth")), CPU)


@pytest.fixture
def resnet18(tmp_path: Path) -> Backbone:
    return load_backbone("resnet18", saved(random_weights(), tmp_path / "resnet18.pth"), CPU)


def pictures(n: int, height: int, width: int) -> np.ndarray:
    return np.random.default_rng(n).integers(0, 256, (n, height, width, 3), np.uint8)


@pytest.mark.parametrize("name", BACKBONES)
def test_every_backbone_gives_one_patch_per_8_pixels(name: str) -> None:
    network = PatchNetwork(BACKBONES[name]).eval()
    with torch.inference_mode():
        patches = network(torch.from_numpy(pictures(2, 64, 128)))
    assert patches.shape[:3] == (2, 8, 16)
    assert patches.dtype == torch.float32
    assert patches.isfinite().all()


@pytest.mark.parametrize("name", ["resnet18", "resnet50", "wide_resnet50_2"])
def test_our_resnets_are_torchvisions(name: str, tmp_path: Path) -> None:
    """The same numbers, level by level, from weights in which no two layers are alike."""
    from torchvision import models

    torch.manual_seed(1)
    theirs = getattr(models, name)(weights=None).eval()
    for module in theirs.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.uniform_(-0.1, 0.1)
            module.running_var.uniform_(0.5, 1.5)
    ours = load_backbone(name, saved(theirs.state_dict(), tmp_path / f"{name}.safetensors"), CPU)
    theirs = theirs.to(memory_format=torch.channels_last)  # as ours is: it rounds otherwise
    pixels = torch.rand((2, 3, 96, 64))
    with torch.inference_mode():
        found = ours.network.levels(pixels)
        stem = theirs.maxpool(theirs.relu(theirs.bn1(theirs.conv1(pixels))))
        second = theirs.layer2(theirs.layer1(stem))
        for level, wanted in zip(found, (second, theirs.layer3(second)), strict=True):
            assert torch.equal(level, wanted)


def test_the_engine_starts_without_importing_torchvision(tmp_path: Path) -> None:
    """It takes as long to import as all the rest."""
    file = saved(random_weights(), tmp_path / "resnet18.safetensors")
    program = (
        "import sys, torch; from pathlib import Path; from service.engine.onnx_backbone import export\n"
        "from service.engine.backbones import load_backbone\n"
        f"export(load_backbone('resnet18', Path({str(file)!r}), torch.device('cpu')))\n"
        "print({'torchvision', 'torch._dynamo.symbolic_convert'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_a_picture_has_the_same_patches_alone_and_among_others(resnet18: Backbone) -> None:
    three = pictures(3, 96, 96)
    together = resnet18.patches(three).numpy()
    alone = resnet18.patches(three[1:2]).numpy()
    np.testing.assert_allclose(alone[0], together[1], rtol=1e-4, atol=1e-5)


def test_a_mark_in_the_picture_moves_the_patches_where_it_is() -> None:
    clean = np.full((1, 256, 256, 3), 128, np.uint8)
    marked = clean.copy()
    marked[:, 180:196, 60:76] = 0
    backbone = lite0()
    moved = (backbone.patches(marked) - backbone.patches(clean)).norm(dim=3)[0]
    row, column = divmod(int(moved.argmax()), moved.shape[1])
    assert abs(row - 188 / 8) <= 2
    assert abs(column - 68 / 8) <= 2


def test_pth_and_safetensors_of_the_same_weights_are_the_same_network(tmp_path: Path) -> None:
    weights = random_weights()
    pickled = load_backbone("resnet18", saved(weights, tmp_path / "resnet18.pth"), CPU)
    plain = load_backbone("resnet18", saved(weights, tmp_path / "resnet18.safetensors"), CPU)
    assert pickled.weights_sha256 == plain.weights_sha256
    assert torch.equal(pickled.patches(pictures(1, 64, 64)), plain.patches(pictures(1, 64, 64)))


def test_only_the_tensors_that_are_used_count_for_the_hash(tmp_path: Path, resnet18: Backbone) -> None:
    without_head = {name: tensor for name, tensor in random_weights().items() if not name.startswith(("fc", "layer4"))}
    cut = load_backbone("resnet18", saved(without_head, tmp_path / "resnet18_cut.pth"), CPU)
    assert cut.weights_sha256 == resnet18.weights_sha256
    changed = without_head | {"layer1.0.conv1.weight": without_head["layer1.0.conv1.weight"] + 1e-6}
    other = load_backbone("resnet18", saved(changed, tmp_path / "resnet18_other.pth"), CPU)
    assert other.weights_sha256 != resnet18.weights_sha256


def test_the_hash_does_not_depend_on_the_order_of_tensors() -> None:
    one, two = {"a": torch.ones(2), "b": torch.zeros(3)}, {"b": torch.zeros(3), "a": torch.ones(2)}
    assert weights_sha256(one) == weights_sha256(two)


def test_a_file_that_lacks_a_tensor_says_which(tmp_path: Path) -> None:
    weights = random_weights()
    del weights["layer2.0.conv1.weight"]
    with pytest.raises(NotReady, match=r"lacks layer2\.0\.conv1\.weight"):
        load_backbone("resnet18", saved(weights, tmp_path / "resnet18.pth"), CPU)


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    with pytest.raises(NotReady, match=r"another size|lacks"):
        load_backbone("wide_resnet50_2", saved(random_weights("resnet50"), tmp_path / "wide_resnet50_2.pth"), CPU)


@pytest.mark.parametrize("name", ["resnet18.pth", "resnet18.safetensors"])
def test_a_damaged_file_is_refused(tmp_path: Path, name: str) -> None:
    file = saved(random_weights(), tmp_path / name)
    file.write_bytes(file.read_bytes()[: 1 << 20])
    with pytest.raises(NotReady, match="cannot be read"):
        load_backbone("resnet18", file, CPU)


@needs_keras
def test_the_keras_network_strides_in_the_first_convolution_of_a_stage() -> None:
    levels = load_backbone("resnet50", KERAS, CPU).network.levels
    assert [(levels.layer2[0].conv1.stride, levels.layer2[0].conv2.stride)] == [((2, 2), (1, 1))]


@needs_keras
def test_the_same_tensors_under_a_torchvision_name_are_another_network(tmp_path: Path) -> None:
    renamed = tmp_path / "resnet50-0676ba61.pth"
    renamed.write_bytes(KERAS.read_bytes())
    ours, theirs = load_backbone("resnet50", KERAS, CPU), load_backbone("resnet50", renamed, CPU)
    assert ours.weights_sha256 != theirs.weights_sha256
    assert not torch.allclose(ours.patches(pictures(1, 64, 64)), theirs.patches(pictures(1, 64, 64)))


@pytest.mark.parametrize("threads", [1, 2])
def test_onnx_runtime_gives_the_patches_of_torch_at_any_size(threads: int) -> None:
    backbone = lite0()
    fast = OnnxBackbone(export(backbone), Lanes(threads))
    for images in (pictures(1, 256, 256), pictures(3, 160, 96)):
        expected = backbone.patches(images).numpy()
        np.testing.assert_allclose(fast.patches(images), expected, atol=TOLERANCE * np.abs(expected).max())


@needs_keras
def test_onnx_runtime_gives_the_patches_of_the_keras_network() -> None:
    backbone = load_backbone("resnet50", KERAS, CPU)
    expected = backbone.patches(pictures(2, 128, 128)).numpy()
    found = OnnxBackbone(export(backbone), Lanes(1)).patches(pictures(2, 128, 128))
    np.testing.assert_allclose(found, expected, atol=TOLERANCE * np.abs(expected).max())


def test_a_network_that_onnx_runtime_computes_differently_is_left_to_torch(resnet18: Backbone) -> None:
    restless = replace(resnet18, network=resnet18.network.train())  # the export is made for inference
    with pytest.raises(ParityError, match="relative difference"):
        OnnxBackbone(export(restless), Lanes(1))


# Exports of earlier starts


def started(data_root: Path) -> TorchEngine:
    return TorchEngine(settings_for(data_root, BACKEND_BACKBONE="efficientnet_lite0", BACKEND_DEVICE="cpu"))


def patches_of(engine: TorchEngine) -> np.ndarray:
    return engine.vectors(engine.embed(engine.recipe(), list(pictures(2, 96, 96))))


def kept_in(data_root: Path) -> Path:
    (found,) = (data_root / "cache").iterdir()
    return found


def without_torch_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> NoReturn:
        raise AssertionError("the network is built in torch")

    monkeypatch.setattr("service.engine.torch_engine.load_backbone", refuse)


def test_the_second_start_builds_no_network_and_computes_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = started(tmp_path)
    without_torch_networks(monkeypatch)
    second = started(tmp_path)
    assert second.recipe() == first.recipe()
    np.testing.assert_array_equal(patches_of(second), patches_of(first))


@pytest.mark.parametrize("damage", ["truncated", "changed", "empty", "another network"])
def test_a_kept_export_that_is_damaged_or_computes_something_else_is_made_anew(tmp_path: Path, damage: str) -> None:
    first = started(tmp_path)
    kept = kept_in(tmp_path)
    data = kept.read_bytes()
    if damage == "another network":  # a whole file whose proofs are not what its network computes
        arrays = load(data[64:])
        forged = save({**arrays, "proof0": arrays["proof0"] + 1})
        changed = sha256(forged).encode() + forged
    else:
        changed = {"truncated": data[:-100], "changed": data[:5000] + b"x" + data[5001:], "empty": b""}[damage]
    kept.write_bytes(changed)
    second = started(tmp_path)
    np.testing.assert_array_equal(patches_of(second), patches_of(first))
    assert kept_in(tmp_path).read_bytes() != changed


def test_other_weights_have_another_export_and_the_old_one_goes(tmp_path: Path) -> None:
    started(tmp_path)
    before = kept_in(tmp_path)
    weights = next(package_folders()[0].glob("*.pth"))
    known = read_weights(weights)
    changed = {name: tensor * 1.01 if tensor.is_floating_point() else tensor for name, tensor in known.items()}
    (tmp_path / "weights").mkdir()
    torch.save(changed, tmp_path / "weights" / weights.name)
    other = started(tmp_path)
    assert kept_in(tmp_path) != before
    assert other.recipe().weights_sha256 != lite0().weights_sha256


def test_a_data_root_that_takes_nothing_costs_only_time(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file where the folder should be")
    assert patches_of(started(tmp_path)).shape[0] == 2
