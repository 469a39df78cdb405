"""A Windows to build and try the product in, on Linux: Debian with Wine in a folder, made once, entered by `run`.

Every program runs in a mount namespace of its own: what is mounted there is gone when it ends, so the folder can be
deleted like any other. Needs root, debootstrap and apt. Names no registry: every client uses what it is configured for.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

PACKAGES = ("wine", "wine64", "xvfb", "xauth", "xdotool", "x11-utils", "imagemagick", "python3-minimal")
LANGUAGES = ("de_DE", "tr_TR")
UCRTBASE = Path("usr/lib/x86_64-linux-gnu/wine/x86_64-windows/ucrtbase.dll")
I386 = Path("usr/lib/x86_64-linux-gnu/wine/i386-windows")
ENTER = Path(__file__).with_name("enter.sh")


@dataclass(frozen=True)
class Wine:
    """`root`: the Debian; `prefix`: this Windows' own C: drive; `shares`: folders seen under the same path inside;
    `user`: the number of the one who runs it."""

    root: Path
    prefix: Path
    shares: tuple[Path, ...]
    user: int = 0

    def run(
        self, command: Sequence[str | Path], *, folder: Path, environment: Mapping[str, str] | None = None,
        timeout_s: float = 1800, capture: bool = False,
    ) -> subprocess.CompletedProcess[str]:  # fmt: skip
        """A Windows program, as if it had been started in `folder`."""
        return self.bash(["wine", *map(str, command)], folder, environment, timeout_s, capture=capture)

    def bash(
        self, command: Sequence[str], folder: Path, environment: Mapping[str, str] | None = None,
        timeout_s: float = 1800, *, capture: bool = False,
    ) -> subprocess.CompletedProcess[str]:  # fmt: skip
        """A Linux program inside, that may start Windows ones."""
        pipe, hold = os.pipe()  # open: with a closed stdin Python for Windows ends before it begins
        try:
            return subprocess.run(
                self.entering(command), env=self.environment(folder, environment), stdin=pipe, text=True,
                errors="replace", timeout=timeout_s, check=False,
                stdout=subprocess.PIPE if capture else None, stderr=subprocess.STDOUT if capture else None,
            )  # fmt: skip
        finally:
            os.close(pipe)
            os.close(hold)

    def entering(self, command: Sequence[str]) -> list[str]:
        """`command` inside, in a mount namespace of its own; needs `environment`."""
        return ["unshare", "--mount", "--propagation", "private", "bash", str(ENTER), *command]

    def environment(self, folder: Path, more: Mapping[str, str] | None = None) -> dict[str, str]:
        return {
            **os.environ, "WINEDEBUG": "-all", "KMP_AFFINITY": "disabled", **(more or {}),
            "WINEPREFIX": str(self.prefix), "W_ROOT": str(self.root), "W_FOLDER": str(folder),
            "W_SHARES": " ".join(map(str, self.shares)), "W_USER": str(self.user),
        }  # fmt: skip

    def stop(self) -> None:
        """End everything that runs in this prefix."""
        self.bash(["wineserver", "-k"], Path("/"), timeout_s=60)


def windows_path(path: Path) -> str:
    """As Wine sees it: its Z: is the whole file system."""
    return "Z:" + str(path).replace("/", "\\")


def make(root: Path) -> None:
    """Debian trixie with Wine 10 in `root`; what is there already is kept. Raises CalledProcessError."""
    if not (root / "etc" / "debian_version").exists():
        root.mkdir(parents=True, exist_ok=True)
        if shutil.which("debootstrap") is None:
            _apt(["apt-get"], "debootstrap")
        _quietly(["debootstrap", "--variant=minbase", "--include=ca-certificates", "trixie", str(root)])
    if not (root / "usr" / "bin" / "wine").exists():
        _apt(["unshare", "--mount", "bash", "-c", _IN_CHROOT, "apt", str(root), "apt-get"], *PACKAGES)
    fill_in_stubs(root / UCRTBASE)
    add_32_bit(root)
    add_languages(root)


_IN_CHROOT = 'r=$1; shift; mount -t proc proc "$r/proc"; cp /etc/resolv.conf "$r/etc/"; exec chroot "$r" "$@"'


def add_languages(root: Path) -> None:
    """Those whose numbers and letters are tried: Wine takes them from the system below it."""
    missing = [name for name in LANGUAGES if not list((root / "usr/lib/locale").glob(f"{name}.*"))]
    if missing:
        _apt(["unshare", "--mount", "bash", "-c", _IN_CHROOT, "apt", str(root), "apt-get"], "locales")
    for name in missing:
        archive = ["--no-archive", "-i", name, "-f", "UTF-8", f"{name}.UTF-8"]
        _quietly(["chroot", str(root), "localedef", *archive])


def _apt(apt: Sequence[str], *packages: str) -> None:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    _quietly([*apt, "update", "-qq"], environment)
    _quietly([*apt, "install", "-y", "-qq", "--no-install-recommends", *packages], environment)


def add_32_bit(root: Path) -> None:
    """Installers are 32-bit programs. Wine needs only its own 32-bit DLLs for them, not 32-bit Linux beside them."""
    if (root / I386 / "ntdll.dll").exists():
        return
    version = _quietly(["chroot", str(root), "dpkg-query", "-W", "-f=${Version}", "libwine"])
    mirror = (root / "etc/apt/sources.list").read_text().split()[1].rstrip("/")
    with tempfile.TemporaryDirectory() as folder:
        package = Path(folder) / "libwine.deb"
        pool = f"{mirror}/pool/main/w/wine/libwine_{version.partition(':')[2] or version}_i386.deb"
        _quietly(["curl", "-fsSL", "--retry", "3", "-o", str(package), pool])
        _quietly(["dpkg-deb", "-x", str(package), folder])
        for dll in Path(folder).glob("usr/lib/i386-linux-gnu/wine/i386-windows/*"):
            shutil.copy2(dll, root / I386 / dll.name)


# Win64: a float complex comes packed in rcx, a double complex by pointer in rcx; the result is in xmm0.
ACCESSORS = {
    b"crealf": "66480f6ec1c3",
    b"cimagf": "48c1e920660f6ec1c3",
    b"creal": "f20f1001c3",
    b"creall": "f20f1001c3",
    b"cimag": "f20f104108c3",
    b"cimagl": "f20f104108c3",
}
STUB = bytes.fromhex("4883ec28488d0d")  # sub rsp,28h ; lea rcx,[...]


def fill_in_stubs(dll: Path) -> int:
    """Five complex accessors that Wine 10 only has stubs of, and numpy calls while it is imported: number filled in.

    Wine's own DLL is changed; the product's files stay as they ship.
    """
    data = bytearray(dll.read_bytes())
    filled = 0
    for name, code in ACCESSORS.items():
        place = _function(data, name)
        if place is not None and data[place : place + len(STUB)] == STUB:
            machine = bytes.fromhex(code)
            data[place : place + len(machine)] = machine
            filled += 1
    if filled:
        temporary = dll.with_name(dll.name + ".new")
        temporary.write_bytes(data)
        shutil.copymode(dll, temporary)
        os.replace(temporary, dll)
    return filled


def _function(data: bytearray, name: bytes) -> int | None:
    """Place in the file of an exported function of a 64-bit PE image."""
    header = _u32(data, 0x3C)
    sections, optional = int.from_bytes(data[header + 6 : header + 8], "little"), header + 24
    table = optional + int.from_bytes(data[header + 20 : header + 22], "little")
    spans = [[_u32(data, table + 40 * i + at) for at in (8, 12, 16, 20)] for i in range(sections)]

    def place(address: int) -> int:
        for size, start, raw_size, raw in spans:
            if start <= address < start + max(size, raw_size):
                return raw + address - start
        raise ValueError(f"{address:#x} lies in no section")

    exports = place(_u32(data, optional + 112))
    functions, names, ordinals = (_u32(data, exports + at) for at in (28, 32, 36))
    for index in range(_u32(data, exports + 24)):
        at = place(_u32(data, place(names) + 4 * index))
        if data[at : data.index(0, at)] == name:
            ordinal = int.from_bytes(data[place(ordinals) + 2 * index :][:2], "little")
            return place(_u32(data, place(functions) + 4 * ordinal))
    return None


def _u32(data: bytearray, at: int) -> int:
    return int.from_bytes(data[at : at + 4], "little")


def _quietly(command: Sequence[str], environment: Mapping[str, str] | None = None) -> str:
    """What it printed; only a failure is shown. Raises CalledProcessError."""
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        print(done.stdout[-4000:] + done.stderr[-4000:], file=sys.stderr)
        done.check_returncode()
    return done.stdout
