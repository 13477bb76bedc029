"""A trained arm as a file: ``python -m search.export RUN --arm ARM``, or ``FILE --to onnx`` and other formats.

Exit codes: 0 done; 2 the input is wrong; 5 the run directory is unreadable or full.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from search.commands import demand_place, exit_code, wrong
from search.formats import Format, Order, format_called, names
from search.providers import CPU, demand_provider


def main(arguments: Sequence[str] | None = None) -> int:
    """Exports; returns the exit code."""
    options = _parser().parse_args(arguments)
    return exit_code("search.export", lambda: _export(options))


def _export(options: argparse.Namespace) -> int:
    path: Path = options.source
    _demand_sense(options)
    if options.arm:
        path = _arm(options)
    elif path.is_dir():
        path = path / "winner.safetensors"
    if options.to is None:
        if not options.arm:
            raise wrong(f"{options.source}: nothing to do: say --to {'|'.join(names())}, or --arm ARM of a run")
        return 0
    from blocks import load_model
    from search.described import own_splits

    model = load_model(path, options.plugin)
    wanted = format_called(options.to)
    out = options.out or path.with_name(f"{path.stem}{wanted.SUFFIX or f'_{options.to}'}")
    demand_place(out, folder=not wanted.SUFFIX)
    order = Order(model, out, lambda: own_splits(model), options.fixed_size, options.provider or CPU)
    said = _written(wanted, order)
    for sentence in said:
        print(sentence)
    print(out)
    return 0


def _demand_sense(options: argparse.Namespace) -> None:
    """Raises ``InputError`` where an option would do nothing."""
    if options.retrain and not options.arm:
        raise wrong("--retrain trains an arm again: name it with --arm")
    if options.fixed_size and options.to is None:
        raise wrong("--fixed-size is of graphs: name a format with --to")
    if options.provider and options.to not in ("onnx", "int8"):
        raise wrong("--provider is ONNX Runtime's: it goes with --to onnx and --to int8")
    if options.provider:
        demand_provider(options.provider, "--provider")


def _written(wanted: Format, order: Order) -> list[str]:
    """Writes beside the name and renames once it was checked: what fails leaves no file, and no half of a folder."""
    with TemporaryDirectory(prefix=".partial_", dir=order.out.parent) as folder:
        beside = Path(folder) / order.out.name
        said = wanted.write(order._replace(out=beside))
        whole, into = (beside, order.out) if beside.is_dir() else (Path(folder), order.out.parent)
        into.mkdir(exist_ok=True)
        for file in sorted(whole.iterdir()):  # a format may have something to lie beside its file
            file.replace(into / file.name)
    return said


def _arm(options: argparse.Namespace) -> Path:
    """Writes an arm's model; returns where."""
    from blocks import load_plugins, save_model
    from search.kept import model_of, read_run

    load_plugins(options.plugin)
    run = read_run(options.source)
    network, metadata, notes = model_of(run, options.arm, retrain=options.retrain)
    folder = options.source / "exports"
    out: Path = (
        options.out if options.out and options.to is None else folder / f"{metadata.provenance['arm']}.safetensors"
    )
    if out.parent == folder:
        folder.mkdir(exist_ok=True)
    try:
        save_model(out, network, metadata)
    except OSError as error:
        raise wrong(f"{out}: can't be written: {error.strerror}") from None
    for note in notes:
        print(note)
    print(out)
    return out


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m search.export",
        description="Writes a trained arm as a model's file, or a model in another format, checked against the model.",
        epilog=__doc__.partition("\n\n")[2],
    )
    add = parser.add_argument
    add("source", type=Path, metavar="FILE_OR_RUN", help="a model's file, or a run directory (its winner, or --arm)")
    add("--arm", metavar="ARM", help="any arm of the run, by its identity or label")
    add("--retrain", action="store_true", help="train an arm again of which no weights were kept")
    add("--to", choices=names(), help="the format (default: a model's file, of --arm)")
    add("--out", type=Path, metavar="PATH", help="the file or folder (default: beside the model)")
    add("--provider", metavar="NAME", help=f"what ONNX Runtime checks an onnx or int8 graph on (default: {CPU})")
    add("--fixed-size", action="store_true", help="for images of the size of training alone")
    add("--plugin", action="append", default=[], metavar="FILE", help="a file of your own kinds; repeatable")
    return parser


if __name__ == "__main__":
    sys.path.append(sys.path.pop(0))  # a html.py of the working directory would shadow the library's
    sys.exit(main())
