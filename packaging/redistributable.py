"""Names of NVIDIA's and Microsoft's files that may be redistributed inside the product.

Sources: Attachment A of the CUDA Toolkit's licence agreement, the licence of cuDNN, and the list of distributable code
of Visual Studio, which leaves out every debug library.
"""

from __future__ import annotations

import re

_NVIDIA = re.compile(r"(cu(?!rses)|nv|npp|ptxas|fatbin|libcu|libnv|libdevice)")
_NVIDIA_MAY = re.compile(
    r"(cudart64|cublas(lt)?64|nvblas64|cufftw?64|curand64|cusolver(mg)?64|cusparse64|cusparselt|cudnn|cupti64"
    r"|nvjitlink_|nvrtc64|nvrtc-builtins64|nvtoolsext64|nvjpeg64|npp\w+64|nvvm64).*\.dll$|libdevice\..*\.bc$"
)
_MICROSOFT_DEBUG = re.compile(r"(msvcp|vcruntime|concrt|vcomp|mfc|ucrtbase|vccorlib).*d\.dll$")
_PROGRAM = re.compile(r".*\.(dll|exe|bc)$")


def may_be_redistributed(path: str) -> bool:
    """False for a program or library of theirs that no list names: compilers, the driver's own, debug libraries."""
    name = re.split(r"[/\\]", path.lower())[-1]
    if not _PROGRAM.match(name):
        return True
    if _NVIDIA.match(name):
        return _NVIDIA_MAY.match(name) is not None
    return _MICROSOFT_DEBUG.match(name) is None
