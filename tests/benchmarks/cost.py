"""How long it takes to know what a network costs: by arithmetic, and by building and counting.

    python -m tests.benchmarks.cost          ~1 minute on 1 core; needs the extra `benchmark` (fvcore)

Goal: under 100 microseconds a spec. The median over specs; of the three short ones the best of 5 such medians, since
other work on the machine only ever adds.
cold          one network again and again, as if nothing like it had been seen in this process
search        distinct random networks of the family, one after another, as a search proposes them
memory        the training memory of the same networks
validate      making the spec from plain data, which comes before
FlopCounter   building on the meta device and counting there (torch's FlopCounterMode)
fvcore        building and counting by fvcore, which traces a run on the CPU
"""

from __future__ import annotations

import json
import logging
import platform
import random
import statistics
import sys
import time
import warnings
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from blocks import NetworkSpec, preset, walk
from blocks.network import Network
from blocks.parts.attention import se

SEARCHED = 500
REPEATS = 5
Shape = tuple[int, int, int]


def main() -> int:
    """Prints the table, then one JSON line."""
    try:
        from fvcore.nn import FlopCountAnalysis
    except ImportError:
        print("this benchmark compares with fvcore: pip install 'residual-search[benchmark]'", file=sys.stderr)
        return 2
    logging.disable(logging.WARNING)  # fvcore tells of each operation that it doesn't count
    warnings.simplefilter("ignore")
    rows = [_row(name, spec, shape, FlopCountAnalysis) for name, (spec, shape) in _families().items()]
    _print(rows)
    machine = {"python": platform.python_version(), "torch": torch.__version__, "cpu": platform.processor()}
    print(json.dumps({"benchmark": "cost", "unit": "microseconds a spec", "goal": 100, "rows": rows, **machine}))
    return 0


def _families() -> dict[str, tuple[NetworkSpec, Shape]]:
    imagenet, cifar = (3, 224, 224), (3, 32, 32)
    return {
        "resnet18": (preset("resnet18"), imagenet),
        "resnet50": (preset("resnet50"), imagenet),
        "resnet50 with SE": (_changed(preset("resnet50"), attention="se"), imagenet),
        "resnet50 with GroupNorm": (_changed(preset("resnet50"), norm="group"), imagenet),
        "regnet_y_1_6gf": (preset("regnet_y_1_6gf"), imagenet),
        "efficientnet_b0": (preset("efficientnet_b0"), imagenet),
        "convnext_tiny": (preset("convnext_tiny"), imagenet),
        "densenet121": (preset("densenet121"), imagenet),
        "resnet56": (preset("resnet56"), cifar),
        "resnet1202": (preset("resnet1202"), cifar),
    }


def _changed(spec: NetworkSpec, **fields: Any) -> NetworkSpec:
    data = spec.plain()
    for stage in data["stages"]:
        stage["block"].update(fields)
    return NetworkSpec.model_validate(data)


def _row(name: str, spec: NetworkSpec, shape: Shape, fvcore: Callable[..., Any]) -> dict[str, Any]:
    searched = tuple(_variants(spec, SEARCHED))
    few = 1 if name == "resnet1202" else 3
    row: dict[str, Any] = {
        "network": name,
        "cold": _best(lambda _: spec.cost(shape), range(200), before=_forget),
        "search": _best(lambda variant: variant.cost(shape), searched, at_first=_forget),
        "memory": _best(lambda variant: variant.training_memory(shape, 128), searched, at_first=_forget),
        "validate": _best(NetworkSpec.model_validate, [variant.plain() for variant in searched[:200]]),
        "flop_counter": _median(lambda _: _count_flops(spec, shape), range(few)),
        "fvcore": _median(lambda _: fvcore(Network(spec).eval(), torch.zeros(1, *shape)).total(), range(few)),
    }
    row["ratio_flop_counter"] = round(row["flop_counter"] / row["search"])
    row["ratio_fvcore"] = round(row["fvcore"] / row["search"])
    return row


def _variants(spec: NetworkSpec, count: int) -> Iterable[NetworkSpec]:
    """Yields networks that differ in every stage's width and depth, and in expansion where there is one.

    Widths are multiples of 8 up to 512, and of the group width where there is one.
    """
    draw = random.Random(0)
    for _ in range(count):
        data = spec.plain()
        for stage in data["stages"]:
            whole = max(8, stage["block"].get("group_width") or 8)
            stage["width"] = whole * draw.randint(1, 512 // whole)
            stage["depth"] = draw.randint(1, 40)
            if "expansion" in stage["block"]:
                stage["block"]["expansion"] = draw.choice([1, 1.5, 2, 3, 4, 6])
        yield NetworkSpec.model_validate(data)


def _count_flops(spec: NetworkSpec, shape: Shape) -> int:
    with torch.device("meta"):
        network: nn.Module = Network(spec).eval()
        images = torch.empty(1, *shape)
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        network(images)
    return int(counter.get_total_flops())


def _forget() -> None:
    """Clears what is remembered of blocks that were costed before."""
    walk._traced.cache_clear()
    se._squeeze_excite.cache_clear()


def _best(
    work: Callable[[Any], object],
    items: Sequence[Any],
    before: Callable[[], object] = lambda: None,
    at_first: Callable[[], object] = lambda: None,
) -> float:
    medians = []
    for _ in range(REPEATS):
        at_first()
        medians.append(_median(work, items, before))
    return min(medians)


def _median(work: Callable[[Any], object], items: Sequence[Any], before: Callable[[], object] = lambda: None) -> float:
    """Returns the median time, in microseconds, of doing the work for an item."""
    seconds = []
    for item in items:
        before()
        started = time.perf_counter()
        work(item)
        seconds.append(time.perf_counter() - started)
    return round(statistics.median(seconds) * 1e6, 1)


def _print(rows: list[dict[str, Any]]) -> None:
    heads = f"{'cold':>7} {'search':>7} {'memory':>7} {'validate':>9} {'FlopCounter':>12} {'fvcore':>12}"
    print(f"{'microseconds a spec':24} {heads}")
    for row in rows:
        print(
            f"{row['network']:24} {row['cold']:7.1f} {row['search']:7.1f} {row['memory']:7.1f} {row['validate']:9.1f} "
            f"{row['flop_counter']:12,.0f} {row['fvcore']:12,.0f}"
        )
    print("\nslower than arithmetic (search) by")
    for row in rows:
        print(f"{row['network']:24} {'':25} {row['ratio_flop_counter']:11,}x {row['ratio_fvcore']:11,}x")


if __name__ == "__main__":
    sys.exit(main())
