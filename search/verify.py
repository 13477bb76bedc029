"""Measures a model's file again on its own data: ``python -m search.verify winner.safetensors``.

Exit codes: 0 what is recorded was reproduced; 2 the input is wrong; 3 it was not reproduced.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from search.commands import exit_code, model_file, wrong

if TYPE_CHECKING:
    from blocks import TrainedNetwork
    from search.data.images import Images, Splits

TOLERANCE = 1e-9
"""Accuracies are counts over a number of images: what differs by less is one and the same count."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Verifies; returns the exit code."""
    options = _parser().parse_args(arguments)
    return exit_code("search.verify", lambda: _verify(options))


def _verify(options: argparse.Namespace) -> int:
    from blocks import load_model

    path = model_file(options.file)
    model = load_model(path, options.plugin)
    splits = _splits(model, options.data, path)
    measured = {
        "validation": (splits.validation, model.metrics.get("val_accuracy")),
        "test": (splits.test, model.metrics.get("test_accuracy")),
    }
    if all(recorded is None for _, recorded in measured.values()):
        raise wrong(f"{path}: no accuracy is recorded in it, so there is nothing to reproduce")
    reproduced = True
    for name, (images, recorded) in measured.items():
        if recorded is None:
            print(f"{name}: not recorded; the split was not opened for this arm, and is not opened now")
            continue
        accuracy = _accuracy(model, images, splits)
        same = abs(accuracy - recorded) < TOLERANCE
        reproduced &= same
        verdict = "as recorded" if same else f"NOT the recorded {recorded:.4%}"
        print(f"{name}: {accuracy:.4%} ({round(accuracy * len(images)):,} of {len(images):,} images), {verdict}")
    return 0 if reproduced else 3


def _splits(model: TrainedNetwork, data: str | None, origin: Path) -> Splits:
    """Loads the data that the model was trained on. Raises ``InputError`` or ``DataError``."""
    from pydantic import ValidationError

    from blocks.complaints import first_complaint
    from blocks.source import parse_value
    from search.data.prepare import prepare
    from search.data.spec import DATASETS

    given = model.provenance.get("data")
    if data is not None:
        changed = parse_value(data, "--data")
        given = {**(given or {}), **changed} if isinstance(changed, dict) and "kind" not in changed else changed
    if given is None:
        raise wrong(f"{origin}: it doesn't say what it was trained on: name the data with --data")
    try:
        spec = DATASETS.parse(given)
    except ValueError as error:
        said = first_complaint(error, given) if isinstance(error, ValidationError) else error
        raise wrong(f"{'--data' if data else origin}: {said}") from None
    facts = spec.facts()
    if facts.shape != model.metadata.input:
        raise wrong(f"{origin}: takes images of {_size(model.metadata.input)}, and these data are {_size(facts.shape)}")
    if facts.classes != model.labels:
        raise wrong(f"{origin}: tells apart {len(model.labels)} classes, which aren't those of these data")
    splits = prepare(spec, model.provenance.get("cut"))
    checksum = model.provenance.get("data_checksum")
    if checksum != splits.checksum:
        raise wrong(
            f"{origin}: these are not the images that it was trained and tested on: their checksum is "
            f"{splits.checksum[:12]}..., the recorded one {str(checksum)[:12]}..."
        )
    return splits


def _accuracy(model: TrainedNetwork, images: Images, splits: Splits) -> float:
    """Measures as a trial does: the same precision, threads and views of an image."""
    import torch

    from search.described import own_recipe
    from search.train.feed import Feed
    from search.train.loop import measured_int8
    from search.train.measure import measure
    from search.train.settings import on_device, trial_settings

    recipe = own_recipe(model)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if recipe.evaluation.int8:
        return measured_int8(model, images, splits, recipe.threads)[0].accuracy
    with trial_settings(recipe.threads):
        feed = Feed.of(images, splits, device)
        score, _ = measure(on_device(model, device), feed, recipe.precision, flip=recipe.evaluation.flip)
    return score.accuracy


def _size(shape: Sequence[int]) -> str:
    return "x".join(map(str, shape))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m search.verify",
        description="Measures a model's file on the data that it names, and holds that against what it records.",
        epilog=__doc__.partition("\n\n")[2],
    )
    add = parser.add_argument
    add("file", type=Path, metavar="FILE_OR_RUN", help="such as runs/NAME/winner.safetensors; of a run, its winner")
    add("--data", metavar="DATA", help="where its data are now, or all of them as a study says it: '{root: photos}'")
    add("--plugin", action="append", default=[], metavar="FILE", help="a file of your own kinds; repeatable")
    return parser


if __name__ == "__main__":
    sys.path.append(sys.path.pop(0))  # a html.py of the working directory would shadow the library's
    sys.exit(main())
