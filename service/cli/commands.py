"""The commands and their options; each is one call into a module of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from service import __version__
from service.errors import Problem
from service.process.client import NoAnswer, Refused, Unclear
from service.process.port import PortTaken
from service.process.sleeping_threads import let_threads_sleep
from service.settings import Settings, SettingsError, read_settings

console = Console()
app = typer.Typer(
    name="brakedisc",
    help="Teach a camera what good parts look like, and find the others.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

Role = Annotated[str, typer.Option("--role", help="Role: which part, or which view of it")]
Roi = Annotated[str, typer.Option("--roi", help="Region of interest within the role")]
Scale = Annotated[float, typer.Option("--mm-per-px", help="Millimetres per pixel of the pictures")]
ShapeOption = Annotated[
    str | None,
    typer.Option("--shape", help="Where to look: `circle`, `annulus:0.5` (inner/outer radius), or JSON in pixels"),
]
Folder = Annotated[Path, typer.Argument(exists=True, file_okay=False, help="Folder of pictures")]


def main() -> int:
    """Runs a command. An expected error is one sentence on stderr and exit code 2."""
    let_threads_sleep()
    try:
        app()
    except (Problem, SettingsError, Refused, Unclear, PortTaken) as error:
        Console(stderr=True).print(f"[red]{escape(str(error))}[/]")
    except NoAnswer as error:
        Console(stderr=True).print(f"[red]The service cannot be reached: {escape(str(error))}.[/]")
    return 2


@app.callback(invoke_without_command=True)
def _options(version: Annotated[bool, typer.Option("--version", help="Print the version")] = False) -> None:
    if version:
        console.print(f"BrakeDisc Inspector {__version__}")
        raise typer.Exit


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on (BACKEND_HOST)")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on (BACKEND_PORT)")] = None,
    supervised: Annotated[int | None, typer.Option(hidden=True, help="Process id of the supervisor")] = None,
) -> None:
    """Start the service and stay in the foreground."""
    from service.__main__ import serve as serve_forever

    def read() -> Settings:
        return _settings(BACKEND_HOST=host, BACKEND_PORT=port)

    settings = read()
    console.print(f"http://{settings.host}:{settings.port}/docs · data in {settings.data_root} · Ctrl+C ends it")
    serve_forever(read, supervisor_pid=supervised)


@app.command()
def demo(
    folder: Annotated[Path, typer.Option(help="Where data and overlays go; emptied first")] = Path("demo"),
    port: Annotated[int | None, typer.Option(help="Port of the service")] = None,
    download: Annotated[bool, typer.Option(help="Get a better backbone when there is a connection")] = True,
) -> None:
    """Teach and inspect drawn brake discs with the real service, from nothing to verdicts."""
    from service.cli.run_demo import run_demo

    raise typer.Exit(run_demo(folder, _settings(BACKEND_PORT=port), console, download=download))


@app.command()
def teach(
    folder: Folder, role: Role, roi: Roi, mm_per_px: Scale, shape: ShapeOption = None,
    stage: Annotated[bool, typer.Option(help="Make a candidate version without activating it")] = False,
) -> None:  # fmt: skip
    """Learn what normal looks like from a folder of good parts, and calibrate.

    Several pictures of one part belong into a folder of their own, which names the part.
    """
    from service.cli.teach_inspect import teach_folder

    raise typer.Exit(teach_folder(_settings(), console, folder, role, roi, mm_per_px, shape, stage=stage))


@app.command()
def inspect(
    path: Annotated[Path, typer.Argument(exists=True, help="Picture or folder of pictures")],
    role: Role, roi: Roi,
    mm_per_px: Annotated[float | None, typer.Option("--mm-per-px", help="Default: as taught")] = None,
    shape: ShapeOption = None,
    out: Annotated[Path | None, typer.Option(help="Folder for overlays and results.csv")] = None,
) -> None:  # fmt: skip
    """Inspect pictures: table, overlays, CSV. Exit code 1 when one is NG, 2 when one could not be judged."""
    from service.cli.teach_inspect import inspect_path

    raise typer.Exit(inspect_path(_settings(), console, path, role, roi, mm_per_px, shape, out))


@app.command()
def evaluate(
    folder: Folder,
    backbone: Annotated[str, typer.Option(help="Name, or `auto`")] = "auto",
    input_size: Annotated[int, typer.Option(help="Side in pixels; 0 = the pictures' own")] = 0,
    coreset_rate: Annotated[float, typer.Option(help="Share of patches kept; 0 = default")] = 0.0,
    shape: ShapeOption = None,
    mm_per_px: Annotated[float, typer.Option("--mm-per-px", help="Scale; matters for the smallest area only")] = 0.2,
    area_mm2: Annotated[float, typer.Option(help="Smallest area that makes a part NG")] = 1.0,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the figures here too")] = None,
) -> None:
    """Measure accuracy and speed on a folder: train/good, test/good, test/<defect>, ground_truth/<defect>."""
    from service.cli.evaluate import evaluate_folder

    settings = _settings(BACKEND_BACKBONE=backbone, BACKEND_INPUT_SIZE=input_size, BACKEND_CORESET_RATE=coreset_rate)
    raise typer.Exit(evaluate_folder(settings, console, folder, shape, mm_per_px, area_mm2, json_file))


weights = typer.Typer(help="Backbone weights: what is there, get one.")
app.add_typer(weights, name="weights")


@weights.callback(invoke_without_command=True)
def weights_alone(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        weights_list()


@weights.command("list")
def weights_list() -> None:
    """Which backbones can be used here, and from where."""
    from service.cli.weights import list_weights

    list_weights(_settings(), console)


@weights.command("get")
def weights_get(name: Annotated[str, typer.Argument(help="Backbone name")]) -> None:
    """Get a backbone's weights; the only command that uses the network."""
    from service.cli.weights import get

    get(name, _settings(), console)


@app.command()
def backup(show: Annotated[bool, typer.Option("--list", help="Only show what there is")] = False) -> None:
    """Back up samples, models, layouts, records and settings; inspections go on."""
    from service.cli.operations import back_up, list_backups

    raise typer.Exit(list_backups(_settings(), console) if show else back_up(_settings(), console))


@app.command()
def restore(
    name: Annotated[str, typer.Argument(help="Name or file of a backup; `former` = the state before the last restore")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask")] = False,
) -> None:
    """Bring a backup's state back; what is there now is kept until the restored state is verified."""
    from service.cli.operations import restore as restore_backup

    if not yes:
        typer.confirm(f"Samples, models, layouts and settings are replaced by those of {name}. Go on?", abort=True)
    raise typer.Exit(restore_backup(_settings(), console, name))


@app.command()
def verify() -> None:
    """Check engine, models and golden parts. Exit code 1 when one fails."""
    from service.cli.operations import verify as verify_all

    raise typer.Exit(verify_all(_settings(), console))


@app.command()
def freeze(why: Annotated[str, typer.Option(help="Reason, shown to everybody who is refused")]) -> None:
    """Refuse teaching, calibrating and changes of samples until it is released."""
    from service.cli.operations import freeze as freeze_training

    raise typer.Exit(freeze_training(_settings(), console, why))


@app.command()
def unfreeze() -> None:
    """Release training."""
    from service.cli.operations import unfreeze as release

    raise typer.Exit(release(_settings(), console))


@app.command()
def update_check(
    when: Annotated[str, typer.Argument(help="`before` or `after` the update, `back` on the former version")],
) -> None:
    """Before an update: freeze, back up, verify. After it: verify, compare, release. Exit code 1: do not go on."""
    from service.cli.update_check import after, back, before

    steps = {"before": before, "after": after, "back": back}
    if when not in steps:
        raise typer.BadParameter("say `before`, `after` or `back`")
    raise typer.Exit(steps[when](_settings(), console))


@app.command(hidden=True)
def prepare(
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="BACKEND_PORT")] = None,
    screens_port: Annotated[int | None, typer.Option(min=1, max=65535, help="GUI_PORT")] = None,
    stations: Annotated[str | None, typer.Option(help="GUI_STATIONS; empty: this PC alone")] = None,
) -> None:
    """Make the data root and write what the installer was told."""
    from service.cli.prepare import prepare as prepare_data_root

    raise typer.Exit(prepare_data_root(console, port=port, screens_port=screens_port, stations=stations))


audit = typer.Typer(help="The audit log: who changed what, and whether it is whole.", no_args_is_help=True)
app.add_typer(audit, name="audit")


@audit.command("verify")
def audit_verify() -> None:
    """Find any change of the audit log. Exit code 1 when there is one."""
    from service.cli.audit import verify_log

    raise typer.Exit(verify_log(_settings(), console))


@audit.command("show")
def audit_show(count: Annotated[int, typer.Option("--last", help="So many entries", min=1)] = 20) -> None:
    """The last entries, newest first."""
    from service.cli.audit import show_log

    raise typer.Exit(show_log(_settings(), console, count))


@app.command()
def doctor() -> None:
    """Check GPU, driver, weights, disk and port; say what is wrong and what to do. Exit code 1 when something is."""
    from service.cli.doctor import examine

    raise typer.Exit(examine(_settings(), console))


def _settings(**overrides: Any) -> Settings:
    return read_settings(**{name: value for name, value in overrides.items() if value is not None})
