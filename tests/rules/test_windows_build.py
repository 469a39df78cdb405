"""The Windows build: what it is made of is locked, steps are not done twice, and Wine's gaps are filled exactly."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import re
import struct
import subprocess
import sys
import threading
import zipfile
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib import metadata
from pathlib import Path
from types import ModuleType

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / "packaging" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def packaging() -> Iterator[Callable[[str], ModuleType]]:
    """Loads a file of packaging/: they import each other by their names alone."""
    before = list(sys.path)
    sys.path.insert(0, str(ROOT / "packaging"))
    yield load
    sys.path[:] = before


@pytest.fixture
def build(packaging: Callable[[str], ModuleType]) -> ModuleType:
    return packaging("build")


@pytest.fixture
def product(build: ModuleType) -> ModuleType:
    """As `build` has imported it."""
    return sys.modules[build.Build.__module__]


@pytest.fixture
def environment(build: ModuleType) -> ModuleType:
    """As `build` has imported it."""
    return sys.modules[build.make_environment.__module__]


def test_the_windows_lock_is_what_the_lock_says(packaging: Callable[[str], ModuleType]) -> None:
    lock = packaging("windows_lock")
    assert lock.LOCK.read_text("utf-8") == lock.windows_lock(), "run: .venv/bin/python packaging/windows_lock.py"


def test_every_windows_package_has_a_hash_and_no_marker() -> None:
    lines = (ROOT / "packaging" / "windows.lock").read_text("utf-8").splitlines()[1:]
    assert [line for line in lines if ";" in line] == []
    packages = [line for line in lines if "==" in line]
    assert all(lines[lines.index(line) + 1].strip().startswith("--hash=sha256:") for line in packages)
    names = {line.partition("==")[0] for line in packages}
    assert {"torch", "nicegui", "pystray", "pyinstaller", "colorama"} <= names
    assert not {"pytest", "playwright", "uvloop"} & names


def test_a_step_is_done_again_only_when_something_changed(build: ModuleType, tmp_path: Path) -> None:
    made, done, input_ = tmp_path / "made", [], [b"1"]

    def work(_: object) -> None:
        done.append(input_[0])
        made.write_bytes(input_[0])

    step = build.Step("step", work, lambda _: input_, lambda _: made)
    one = build.Build(build.Asked(folder=tmp_path))
    one.folder.mkdir()
    build.take(step, one)
    build.take(step, one)
    assert done == [b"1"]
    input_[0] = b"2"
    build.take(step, one)
    made.unlink()
    build.take(step, one)
    assert done == [b"1", b"2", b"2"]


def test_a_step_that_fails_is_not_taken_for_done(build: ModuleType, tmp_path: Path) -> None:
    one = build.Build(build.Asked(folder=tmp_path))
    one.folder.mkdir()
    step = build.Step("step", lambda _: None, lambda _: [b"1"], lambda _: tmp_path / "never")
    for _ in range(2):
        with pytest.raises(SystemExit, match="did not make"):
            build.take(step, one)


def test_the_version_has_one_place(product: ModuleType) -> None:
    from service import __version__

    assert product.version() == __version__
    assert re.fullmatch(r"\d+\.\d+\.\d+", __version__)


@pytest.mark.parametrize(
    "given", [[], ["--cuda", "12.8"], ["--index-url", "http://127.0.0.1/whl"], ["--cuda", "11.8", "--index-url", "x"]]
)
def test_a_cuda_edition_says_what_it_needs(
    build: ModuleType, given: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert build.main(["--edition", "cuda", "--folder", str(tmp_path), *given]) == 2
    assert "--index-url" in capsys.readouterr().out


@pytest.mark.parametrize("page", ["docs/SETUP.md", "docs/es/SETUP.md"])
def test_setup_asks_for_the_drivers_that_the_pages_name(build: ModuleType, page: str) -> None:
    rows = re.findall(r"\| CUDA (\d+)\.x \| (\d+) ", (ROOT / page).read_text("utf-8"))
    assert {int(cuda): int(driver) for cuda, driver in rows} == build.DRIVERS


def wheel(folder: Path, name: str, version: str) -> Path:
    """As small as a wheel can be."""
    about = f"{name}-{version}.dist-info"
    path = folder / f"{name}-{version}-cp311-cp311-win_amd64.whl"
    with zipfile.ZipFile(path, "w") as packed:
        packed.writestr(f"{name}/__init__.py", "")
        packed.writestr(f"{about}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        packed.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: false\nTag: cp311-cp311-win_amd64\n")
        packed.writestr(f"{about}/RECORD", "")
    return path


@pytest.fixture
def index(environment: ModuleType, tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """PyTorch's wheel index for CUDA 12.8 in small: address and folder."""
    lock = (ROOT / "packaging" / "windows.lock").read_text("utf-8")
    for name in environment.CUDA_PACKAGES:
        folder = tmp_path / "index" / "whl" / "cu128" / name
        folder.mkdir(parents=True)
        wheel(folder, name, environment.locked_version(lock, name) + "+cu128")
    handler = partial(SimpleHTTPRequestHandler, directory=str(tmp_path / "index"))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever).start()
        yield f"http://127.0.0.1:{server.server_port}/whl", tmp_path / "index" / "whl" / "cu128"
        server.shutdown()


def test_the_cuda_wheels_are_locked_by_hash_and_others_of_the_same_name_refused(
    build: ModuleType, product: ModuleType, environment: ModuleType, index: tuple[str, Path], tmp_path: Path
) -> None:
    url, folder = index
    asked, _ = build.parse(["--edition", "cuda", "--cuda", "12.8", "--index-url", url, "--folder", str(tmp_path)])
    made = build.Build(asked)
    made.folder.mkdir()
    environment.make_cuda_lock(made)
    lock = made.cuda_lock.read_text("utf-8")
    for name in product.CUDA_PACKAGES:
        (file,) = (folder / name).glob("*.whl")
        assert hashlib.sha256(file.read_bytes()).hexdigest() in lock
    assert made.lock.endswith(lock)
    assert len(re.findall(r"(?m)^torch==", made.lock)) == 1
    report, options = tmp_path / "report.json", ["--index-url", made.cuda_index]
    environment.pip_install(tmp_path / "site", lock, report, options)
    assert load("sbom").hashes_of([report])["torch"] in lock
    assert (tmp_path / "site" / "torch" / "__init__.py").exists()
    with zipfile.ZipFile(next((folder / "torch").glob("*.whl")), "a") as packed:
        packed.writestr("torch/other.py", "")
    with pytest.raises(subprocess.CalledProcessError):
        environment.pip_install(tmp_path / "second", lock, report, options)


def test_the_light_edition_is_all_but_the_engine(build: ModuleType) -> None:
    lock = build.Build(build.Asked(edition="light")).lock
    names = {block.partition("==")[0] for block in lock.splitlines() if "==" in block}
    assert not {"torch", "torchvision", "onnxruntime"} & names
    assert {"nicegui", "pystray", "opencv-python-headless", "pyinstaller"} <= names


# Those of PyTorch's wheels for CUDA on Windows, and some of a toolkit, a driver and a compiler.
MAY = [
    "cudart64_12.dll", "cublas64_12.dll", "cublasLt64_12.dll", "cufft64_11.dll", "cufftw64_11.dll", "curand64_10.dll",
    "cusolver64_11.dll", "cusolverMg64_11.dll", "cusparse64_12.dll", "cupti64_2025.1.0.dll", "nvJitLink_120_0.dll",
    "nvrtc64_120_0.dll", "nvrtc64_120_0.alt.dll", "nvrtc-builtins64_128.dll", "nvToolsExt64_1.dll", "cudnn64_9.dll",
    "cudnn_engines_precompiled64_9.dll", "c10_cuda.dll", "torch_cuda.dll", "caffe2_nvrtc.dll", "zlibwapi.dll",
    "libiomp5md.dll", "msvcp140.dll", "msvcp140_codecvt_ids.dll", "vcruntime140_1.dll", "ucrtbase.dll", "cv2.pyd",
]  # fmt: skip
MAY_NOT = [
    "nvcc.exe", "ptxas.exe", "fatbinary.exe", "cudafe++.exe", "nvdisasm.exe", "nvlink.exe", "cuobjdump.exe",
    "nvcuda.dll", "nvml.dll", "nvapi64.dll", "nvperf_host.dll", "msvcp140d.dll", "vcruntime140d.dll", "ucrtbased.dll",
]  # fmt: skip


def test_only_what_may_be_redistributed_is_bundled() -> None:
    may = load("redistributable").may_be_redistributed
    assert [name for name in MAY if not may(f"torch\\lib\\{name}")] == []
    assert [name for name in MAY_NOT if may(f"torch/lib/{name}")] == []


def test_the_cuda_edition_keeps_all_of_torch(left_out: ModuleType) -> None:
    for edition, gone in (("cpu", True), ("cuda", False)):
        assert left_out.is_module_left_out("torch._inductor.ir", edition) is gone
        assert left_out.is_file_left_out(r"torch\nn\modules\linear.py", edition) is gone
    assert not left_out.is_module_left_out("torch._inductor.config", "cpu")
    assert not left_out.is_file_left_out(r"torch\nn\functional.py", "cpu")
    assert not left_out.is_module_left_out("torch._inductor", "cpu")


def test_packages_are_left_out_with_their_hashes(product: ModuleType) -> None:
    blocks = [f"{name}==1 \\\n    --hash=sha256:aa\n    --hash=sha256:bb\n" for name in "abc"]
    assert product.without("".join(blocks), ("b",)) == blocks[0] + blocks[2]


def library(path: Path, functions: dict[bytes, bytes]) -> Path:
    """A 64-bit PE image with one section that exports these functions."""
    base, header, names = 0x1000, 0x200, sorted(functions)
    count = len(names)
    tables = 40 + 4 * count + 4 * count + 2 * count
    strings, code, blob = {}, {}, bytearray(tables)
    for name in names:
        strings[name] = base + len(blob)
        blob += name + b"\0"
    for name in names:
        code[name] = base + len(blob)
        blob += functions[name].ljust(24, b"\xcc")
    struct.pack_into("<5I", blob, 20, count, count, base + 40, base + 40 + 4 * count, base + 40 + 8 * count)
    for index, name in enumerate(names):
        struct.pack_into("<I", blob, 40 + 4 * index, code[name])
        struct.pack_into("<I", blob, 40 + 4 * count + 4 * index, strings[name])
        struct.pack_into("<H", blob, 40 + 8 * count + 2 * index, index)
    image = bytearray(header)
    struct.pack_into("<I", image, 0x3C, 0x80)
    struct.pack_into("<H", image, 0x80 + 6, 1)
    struct.pack_into("<H", image, 0x80 + 20, 240)
    struct.pack_into("<I", image, 0x80 + 24 + 112, base)
    struct.pack_into("<4I", image, 0x80 + 24 + 240 + 8, len(blob), base, len(blob), header)
    path.write_bytes(bytes(image) + bytes(blob))
    return path


def test_only_stubs_of_the_accessors_are_filled_in(tmp_path: Path) -> None:
    wine = load("wine")
    real = b"\x48\x89\xc8\xc3"
    dll = library(tmp_path / "ucrtbase.dll", {b"crealf": wine.STUB, b"creal": real, b"cexp": wine.STUB})
    assert wine.fill_in_stubs(dll) == 1
    content = dll.read_bytes()
    assert content.count(bytes.fromhex(wine.ACCESSORS[b"crealf"])) == 1
    assert real in content
    assert content.count(wine.STUB) == 1, "what is not an accessor stays a stub"
    assert wine.fill_in_stubs(dll) == 0


@pytest.fixture
def sbom(packaging: Callable[[str], ModuleType]) -> ModuleType:
    return packaging("sbom")


def test_the_sbom_names_what_is_bundled_with_hash_and_licence(sbom: ModuleType, tmp_path: Path) -> None:
    weights = tmp_path / "resnet50.safetensors"
    weights.write_bytes(b"weights")
    lock = (ROOT / "packaging" / "windows.lock").read_text("utf-8")
    names = re.findall(r"(?m)^([^#\s]+)==", lock)
    taken = {name: hashlib.sha256(name.encode()).hexdigest() for name in names}
    document = json.loads(sbom.sbom(lock, "1.2.3", "3.11.9", [weights], taken))
    parts = {part["name"]: part for part in document["components"]}
    assert {"torch", "numpy", "nicegui", "python", "resnet50.safetensors", "msvc-runtime"} <= set(parts)
    assert not {"pyinstaller", "scipy", "networkx", "hypothesis"} & set(parts)
    assert all(part["licenses"] for part in parts.values())
    assert parts["torch"]["hashes"] == [{"alg": "SHA-256", "content": taken["torch"]}]
    assert [name for name, part in parts.items() if "hashes" not in part] == ["python"]
    assert parts["resnet50.safetensors"]["hashes"][0]["content"] == hashlib.sha256(b"weights").hexdigest()
    assert parts["pystray"]["licenses"] == [{"expression": "LGPL-3.0-or-later"}]
    assert parts["torch"]["purl"].startswith("pkg:pypi/torch@2.")
    assert document["metadata"]["component"]["version"] == "1.2.3"


@pytest.fixture
def left_out(packaging: Callable[[str], ModuleType]) -> ModuleType:
    return packaging("left_out")


def test_what_the_sbom_leaves_out_the_bundle_leaves_out_too(sbom: ModuleType, left_out: ModuleType) -> None:
    """Itself, or because what needs it is left out."""
    gone = {name for name in sbom.LEFT_OUT if name.replace("-", "_") in left_out.PACKAGES}
    todo = [*gone]
    while todo:
        needed = {canonicalize_name(Requirement(text).name) for text in metadata.requires(todo.pop()) or []}
        todo += (needed & sbom.LEFT_OUT) - gone
        gone |= needed & sbom.LEFT_OUT
    assert gone == sbom.LEFT_OUT


def test_a_package_whose_licence_nobody_read_stops_the_build(sbom: ModuleType) -> None:
    with pytest.raises(KeyError, match="read its licence"):
        sbom.sbom("left-pad-of-nobody==1.0\n", "1.0.0", "3.11.9", [], {"left-pad-of-nobody": "0" * 64})


def test_checksums_are_what_sha256sum_reads(build: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "setup.exe").write_bytes(b"setup")
    build.write_checksums(tmp_path)
    build.write_checksums(tmp_path)
    assert (tmp_path / "SHA256SUMS").read_text() == f"{hashlib.sha256(b'setup').hexdigest()}  setup.exe\n"


SETUP = (ROOT / "installer" / "brakedisc.iss").read_text("utf-8")


def test_every_message_of_the_setup_is_in_both_languages() -> None:
    messages = SETUP[SETUP.index("[CustomMessages]") : SETUP.index("[Tasks]")]
    names = {language: set(re.findall(rf"(?m)^{language}\.(\w+)=.+", messages)) for language in ("en", "es")}
    assert names["en"] == names["es"]
    used = set(re.findall(r"CustomMessage\('(\w+)'\)", SETUP)) | set(re.findall(r"\{cm:(\w+)\}", SETUP))
    used |= set(re.findall(r"Fail\(\w+, '(\w+)'\)", SETUP))
    assert used - {"CreateDesktopIcon"} <= names["en"]
    assert names["en"] <= used


def test_the_setup_runs_programs_and_commands_that_exist() -> None:
    from service.cli.commands import app

    programs = set(re.findall(r"(\w+)\.exe", SETUP)) - {"icacls", "netsh", "taskkill", "setup"}
    spec = (ROOT / "packaging" / "brakedisc.spec").read_text("utf-8")
    assert programs == {"BrakeDiscTray", "BrakeDiscService", "BrakeDiscInspector", "brakedisc"}
    assert all(f'    "{program}": (' in spec for program in programs)
    commands = set(re.findall(r"RunIn\(AppFolder, 'brakedisc\.exe', '([a-z-]+)", SETUP))
    named = {command.name or command.callback.__name__.replace("_", "-") for command in app.registered_commands}  # type: ignore[union-attr]
    assert commands == {"update-check", "prepare", "unfreeze", "stop-everything"}
    entry = (ROOT / "packaging" / "entry" / "brakedisc_exe.py").read_text("utf-8")
    assert 'STOP = ["stop-everything"]' in entry
    assert commands - {"stop-everything"} <= named


def test_the_data_of_a_plant_is_never_deleted_by_the_setup() -> None:
    deleted = re.findall(r"DelTree\(ExpandConstant\('([^']+)'\)", SETUP) + re.findall(
        r'Type: \w+; Name: "([^"]+)"', SETUP
    )
    assert deleted
    assert [path for path in deleted if not path.startswith("{app}")] == []
    assert "uninsneveruninstall" in SETUP
