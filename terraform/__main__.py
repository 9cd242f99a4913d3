"""The command line: `python -m terraform COMMAND`."""

import signal
import sys
from types import FrameType
from typing import Never

import typer

from terraform.commands import cleanup, configuration, doctor, fetch, learn, mosaic, pairs, plan, planet, viewer

app = typer.Typer(
    help="Learn how Earth looks from its relief, then draw Mars as if it were alive.",
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    add_completion=False,
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
app.command("draw-networks")(learn.draw_networks)
app.command()(learn.publish)
app.command("export-onnx")(learn.export_onnx)
app.command()(plan.plan)
app.command("export-pairs")(pairs.export_pairs)
app.command()(doctor.doctor)
app.command()(cleanup.prune)
app.command()(cleanup.clean)
app.command(hidden=True)(cleanup.schema)
app.add_typer(configuration.app, name="config")


def _terminated(number: int, frame: FrameType | None) -> Never:
    raise SystemExit(128 + number)


def main() -> None:
    """Run a command; what the user can mend is one message and an exit code, never a traceback.

    Such errors (`terraform.errors`, and a training stopped by a signal) carry their `exit_code`.
    """
    signal.signal(signal.SIGTERM, _terminated)
    try:
        app()
    except MemoryError:
        sys.exit(_failed("the memory is full: use a smaller batch, window or region", 5))
    except Exception as error:
        exit_code = getattr(error, "exit_code", None)
        if exit_code is None:
            raise
        sys.exit(_failed(str(error), exit_code))


def _failed(message: str, exit_code: int) -> int:
    print(f"error: {message}", file=sys.stderr)
    return exit_code


if __name__ == "__main__":
    main()
