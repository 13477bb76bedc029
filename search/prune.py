"""Takes channels out of a trained model: ``python -m search.prune winner.safetensors --fraction 0.5``.

What is printed are accuracies on validation images, by which a fraction may be chosen. The test split stays sealed
unless ``--test`` asks for it, once you have chosen: what was written is measured on it then, and the record of the run
that the model lies in tells of that, beside the other openings.

With ``--epochs`` the pruned network is trained on, by the model's own recipe at a tenth of its learning rate; with
``--steps`` both are done several times, a part of the channels each (Li et al. 2016, https://arxiv.org/abs/1608.08710).
The result is a model's file like any other. In a study, ``train.init: {file: ..., prune: {fraction: 0.5}}`` does the
same to an arm.

Exit codes: 0 done; 2 the input is wrong; 5 the record of the model's run is held by another process, or damaged.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, NamedTuple

from search.commands import count, demand_place, exit_code, model_file, natural, positive, share, wrong
from search.record import OPENED_BESIDE, Record

if TYPE_CHECKING:
    from blocks import Network, TrainedNetwork
    from search.data.images import Images, Splits
    from search.train.recipe import TrainSpec

SEED = 3_000_000
"""Of the order and augmentation while what is pruned is trained on; no study uses it."""


class Told(NamedTuple):
    """A row of what is printed: a network at some point, and its accuracy on validation."""

    what: str
    macs: int
    params: int
    val_accuracy: float


def main(arguments: Sequence[str] | None = None) -> int:
    """Prunes; returns the exit code."""
    options = _parser().parse_args(arguments)
    return exit_code("search.prune", lambda: _prune(options))


def _prune(options: argparse.Namespace) -> int:
    from blocks import load_model, save_model
    from search.described import Scores, describe, own_splits

    if options.lr is not None and not options.epochs:
        raise wrong("--lr is the rate of training on: --epochs says for how long")
    options.file = model_file(options.file)
    model = load_model(options.file, options.plugin)
    if "train" not in model.provenance:
        raise wrong(f"{options.file}: it doesn't say how it was trained")
    out = options.out or options.file.with_name(f"{options.file.stem}_pruned_{options.fraction * 100:g}.safetensors")
    demand_place(out)
    splits = own_splits(model)
    recipe = _recipe(model, options)
    network: Network = model
    told = [_told("as it was", model, splits.validation, splits, recipe)]
    for step, fraction in enumerate(_fractions(options.fraction, options.steps), 1):
        for what, pruned in _step(network, model, fraction, options, recipe, splits):
            network = pruned
            told.append(_told(f"step {step}: {what}", network, splits.validation, splits, recipe))
    _print(told, len(splits.validation))
    tests = [_tested(network, splits, recipe, options, model, out)] if options.test else []
    configuration = {"network": network.spec.plain(), "train": recipe.plain(), "data": model.provenance["data"]}
    validated = told[-1].val_accuracy
    scores = Scores(validated, [validated], tests[0] if tests else None, tests)
    save_model(out, network, describe(configuration, splits, scores, _provenance(model, options)))
    print(out)
    return 0


def _tested(
    network: Network, splits: Splits, recipe: TrainSpec, options: argparse.Namespace, model: TrainedNetwork, out: Path
) -> float:
    """Opens the test split for what is to be written; the record of the run that the model lies in says so first.

    Raises:
        RunDirectoryError: If that record can't be added to; the split stays sealed then.
    """
    from search.opening import now

    folder = next((each for each in options.file.absolute().parents[:2] if (each / "trials.jsonl").is_file()), None)
    if folder is not None:
        arm = model.provenance.get("arm")
        with Record(folder) as record:
            chosen = [entry for entry in record.entries if entry["event"] == "test_opened"]
            winner = chosen[-1].get("winner") if chosen else None
            why = f"for {out.name}, pruned by {options.fraction:.3g} of the channels"
            arms = [arm] if arm else []
            record.append(OPENED_BESIDE, time=now(), arms=arms, trials=1, winner=winner, why=why)
    test = _accuracy(network, splits.test, splits, recipe)
    noted = f"; the record of {folder.name} notes that it was opened" if folder is not None else ""
    print(f"test accuracy {test:.2%} of {len(splits.test):,} images{noted}")
    return test


def _provenance(model: TrainedNetwork, options: argparse.Namespace) -> dict[str, Any]:
    """Returns where the pruned network is from: it is no arm and no trial of a study, but made from one."""
    whence = model.provenance
    kept: dict[str, Any] = {name: whence[name] for name in ("study", "cut", "plugins", "versions") if name in whence}
    parent = {name: whence[name] for name in ("arm", "label", "phase", "seed", "trial") if name in whence}
    sha256 = hashlib.sha256(options.file.read_bytes()).hexdigest()
    return {
        **kept,
        "label": f"{whence.get('label', 'a network')}, pruned by {100 * options.fraction:.3g}%",
        "derived_from": {"file": options.file.name, "sha256": sha256, **parent},
        "prune": {name: getattr(options, name) for name in ("fraction", "scope", "multiple_of", "steps", "epochs")},
    }


def _fractions(fraction: float, steps: int) -> Iterator[float]:
    """Yields what each step takes of what is left, so that all take the fraction together."""
    yield from [1 - (1 - fraction) ** (1 / steps)] * steps


def _step(
    network: Network,
    model: TrainedNetwork,
    fraction: float,
    options: argparse.Namespace,
    recipe: TrainSpec,
    splits: Splits,
) -> Iterator[tuple[str, Network]]:
    """Yields a network after pruning, and after it was trained on, if it is. Raises ``InfeasibleSpec``."""
    from blocks import TrainedNetwork, prune, save_model, weights_into
    from search.train.loop import train

    pruned = prune(network, fraction, options.scope, options.multiple_of)
    yield "pruned", pruned
    if not options.epochs:
        return
    with TemporaryDirectory() as folder:
        start = Path(folder) / "pruned.safetensors"
        save_model(start, pruned, model.metadata)
        outcome = train(pruned.spec, recipe.replace(init={"file": str(start)}), splits, SEED, keep_weights=True)
    if outcome.weights is None:
        raise wrong(f"{options.file}: training what was pruned on: {outcome.reason}; --lr sets a smaller rate")
    trained = TrainedNetwork(pruned.spec, model.metadata)
    weights_into(trained, outcome.weights)
    yield f"trained on for {options.epochs} epoch{'s' * (options.epochs > 1)}", trained.eval()


def _recipe(model: TrainedNetwork, options: argparse.Namespace) -> TrainSpec:
    """Returns the model's recipe as what is pruned is trained on by: no epochs where it isn't. Raises ``InputError``.

    It begins, as an arm of a study would, at the model's file, pruned; what is measured is measured in float32.
    """
    from search.described import own_recipe

    whole = own_recipe(model).plain()
    lr = whole["optimizer"].get("lr")
    rate = options.lr if options.lr is not None else lr / 10 if isinstance(lr, (int, float)) else 0.01
    pruned = {"fraction": options.fraction, "scope": options.scope, "multiple_of": options.multiple_of}
    return own_recipe(
        model,
        epochs=options.epochs,
        optimizer={**whole["optimizer"], **({"lr": rate} if options.epochs else {})},
        init={"file": str(options.file), "prune": pruned},
        schedule="cosine",
        diagnosis="off",
        quantisation_aware=None,
        evaluation={**whole["evaluation"], "int8": False},
    )


def _told(what: str, network: Network, images: Images, splits: Splits, recipe: TrainSpec) -> Told:
    channels, *size = splits.train.pixels.shape[1:]
    cost = network.spec.cost((channels, size[0], size[1]))
    return Told(what, cost.macs, cost.params, _accuracy(network, images, splits, recipe))


def _accuracy(network: Network, images: Images, splits: Splits, recipe: TrainSpec) -> float:
    import torch

    from search.train.feed import Feed
    from search.train.measure import measure
    from search.train.settings import on_device, trial_settings

    device = torch.device("cpu")
    with trial_settings(recipe.threads):
        feed = Feed.of(images, splits, device)
        score, _ = measure(on_device(network, device), feed, recipe.precision, flip=recipe.evaluation.flip)
    return score.accuracy


def _print(told: list[Told], images: int) -> None:
    print(f"{'':32}{'MACs':>16}{'parameters':>14}{'validation':>12}")
    for what, macs, params, accuracy in told:
        print(f"{what:32}{macs:>16,}{params:>14,}{accuracy:>12.2%}")
    print(f"validation accuracy is of {images:,} images, one training run: differences of a few images mean nothing")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m search.prune",
        description="Takes the channels with the smallest filters out of a trained model; writes an ordinary model.",
        epilog=__doc__.partition("\n\n")[2],
    )
    add = parser.add_argument
    add("file", type=Path, metavar="FILE_OR_RUN", help="such as runs/NAME/winner.safetensors; of a run, its winner")
    add("--fraction", type=share, required=True, metavar="F", help="of the channels: above 0 and below 1")
    add("--scope", choices=("uniform", "global"), default="uniform", help="every width alike, or the smallest anywhere")
    add("--multiple-of", type=count, default=1, metavar="N", help="what widths stay a multiple of (engines like 8)")
    add("--steps", type=count, default=1, metavar="N", help="in how many steps (default: 1)")
    add("--epochs", type=natural, default=0, metavar="N", help="how long to train on after each step (default: 0)")
    add("--lr", type=positive, metavar="RATE", help="at which rate (default: a tenth of the recipe's)")
    add("--test", action="store_true", help="open the test split, once, for what is written")
    add("--out", type=Path, metavar="PATH", help="the file (default: beside the model)")
    add("--plugin", action="append", default=[], metavar="FILE", help="a file of your own kinds; repeatable")
    return parser


if __name__ == "__main__":
    sys.path.append(sys.path.pop(0))  # a html.py of the working directory would shadow the library's
    sys.exit(main())
