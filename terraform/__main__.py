"""The command line: `python -m terraform COMMAND`."""

import os
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Never

import typer

from terraform.commands import (
    cleanup,
    completion,
    configuration,
    doctor,
    fetch,
    learn,
    mosaic,
    pairs,
    plan,
    planet,
    report,
    viewer,
)

app = typer.Typer(
    help="Learn how Earth looks from its relief, then draw Mars as if it were alive.",
    epilog="Exit codes: 0 done, 2 usage or configuration, 3 input, 4 remote service, 5 disk, memory or permission, "
    "6 integrity, 129, 130 and 143 after SIGHUP, SIGINT and SIGTERM, 1 anything else.",
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,  # importing rich takes longer than all else that help needs
    context_settings={"max_content_width": 120},
)
app.command()(fetch.fetch)
app.command()(pairs.cut)
app.command()(pairs.sheet)
app.command("simulate-climate")(planet.simulate_climate)
app.command("add-temperature")(planet.add_temperature)
app.command("fit-base-model")(planet.fit_base_model)
app.command("draw-base-colours")(planet.draw_base_colours)
app.command("publish-base")(planet.publish_base)
app.command()(learn.train)
app.command()(learn.evaluate)
app.command()(mosaic.generate)
app.command("render-planet")(mosaic.render_planet)
app.command("export-viewer")(viewer.export_viewer)
app.command()(viewer.view)
app.command()(report.report)
app.command()(report.compare)
app.command("draw-networks")(learn.draw_networks)
app.command("publish-generator")(learn.publish_generator)
app.command("publish-encoder")(learn.publish_encoder)
app.command("export-onnx")(learn.export_onnx)
app.command()(plan.plan)
app.command("export-pairs")(pairs.export_pairs)
app.command()(doctor.doctor)
app.command()(cleanup.prune)
app.command()(cleanup.clean)
app.command()(completion.completion)
app.command(hidden=True)(cleanup.schema)
app.add_typer(configuration.app, name="config")


def _terminated(number: int, frame: FrameType | None) -> Never:
    raise SystemExit(128 + number)


def main() -> None:
    """Run a command; what the user can mend is one message and an exit code, never a traceback.

    Such errors (`terraform.errors`, and a training stopped by a signal) carry their `exit_code`.
    """
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")  # it looks for them in every installed package
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) != signal.SIG_IGN:  # `nohup` ignores the second
            signal.signal(number, _terminated)
    completion.prepare()
    try:
        app()
    except MemoryError:
        sys.exit(_failed("the memory is full: use a smaller batch, window or region", 5))
    except Exception as error:
        explained = _explained(error)
        exit_code = getattr(explained, "exit_code", None)
        if exit_code is None:
            raise
        sys.exit(_failed(str(explained), exit_code))


def _explained(error: Exception) -> Exception:
    """Say what an error of the disk means that no writer has explained."""
    from terraform.storage.atomic_write import explain_os_error

    return explain_os_error(error, Path(str(getattr(error, "filename", None) or ".")))


def _failed(message: str, exit_code: int) -> int:
    print(f"error: {message}", file=sys.stderr)
    return exit_code


if __name__ == "__main__":
    main()
