"""`weights`: what is there, get one."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from rich.table import Table

from service.cli.teach_inspect import progress_bar
from service.engine.backbones import BACKBONES
from service.engine.weights import WeightsFile, best_available, find_weights, weights_folders
from service.engine.weights_download import get_weights
from service.errors import Problem
from service.settings import Settings

# Better than what the installation brings, and to be had without an account or a large download.
WANTED = "resnet50"


def list_weights(settings: Settings, console: Console) -> None:
    folders = weights_folders(settings.weights_dir, settings.data_root)
    chosen = best_available(folders) if settings.backbone == "auto" else find_weights(settings.backbone, folders)
    table = Table("backbone", "here", "from", "file", title=f"Backbones (BACKEND_BACKBONE={settings.backbone})")
    for name in BACKBONES:
        found = find_weights(name, folders)
        mark = "[green]yes, used[/]" if chosen and name == chosen.name else "yes" if found else "no"
        table.add_row(name, mark, found.source if found else "", str(found.path) if found else "")
    console.print(table)
    console.print("Folders, in this order:", *(f"  {folder.path} ({folder.source})" for folder in folders), sep="\n")


def get(name: str, settings: Settings, console: Console) -> WeightsFile:
    """Into the data root's `weights`, where the service finds them."""
    folder = settings.data_root / "weights"
    with progress_bar(console) as bar:
        task = bar.add_task(f"get {name}", total=1.0)
        path = get_weights(name, folder, lambda p, stage: bar.update(task, completed=p, description=f"{name}: {stage}"))
    console.print(f"{name}: {path}")
    return WeightsFile(name, path, "data root")


def get_best(settings: Settings, console: Console, *, download: bool) -> Path | None:
    """Folder to be used as BACKEND_WEIGHTS_DIR (None: the one that is set), after trying to get a better backbone."""
    folders = weights_folders(settings.weights_dir, settings.data_root)
    if settings.backbone != "auto" or find_weights(WANTED, folders) or best_available(folders).name == WANTED:
        pass
    elif download:
        try:
            get(WANTED, settings, console)
        except Problem as problem:
            console.print(f"[yellow]{WANTED} could not be got ({problem.detail}); going on with what is here.[/]")
    found = best_available(weights_folders(settings.weights_dir, settings.data_root))
    console.print(f"Backbone: {found.name} from {found.path}")
    return found.path.parent
