"""What a recipe leaves to be found out, found out by trying: precision, compiling, images at a time."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import torch

from blocks import Limits, Network, NetworkSpec
from search.train.batch import Batch
from search.train.quicken import compile_blocks
from search.train.recipe import TrainSpec
from search.train.settings import device_name, on_device, trial_settings
from search.train.step import Step

WARM_UP, ROUNDS, SECONDS = 2, 9, 3.0
"""Steps that are not counted; steps of each variant, taken in turns, at most; and when to stop taking more."""

WORTH = 1.05
"""A faster variant must be faster by so much: a coin's toss is no reason to leave float32."""

SHORTEST_COMPILED = 120.0
"""Trials of fewer seconds are not compiled, nor is it measured: compiling alone takes 17 s and more."""

ROOM = 0.8
"""The share of free memory that is given out; what arithmetic leaves aside (workspaces, copies) has half as much
again as what it counts."""


@dataclass(frozen=True)
class Question:
    """What is to be chosen for.

    Attributes:
        shape: C H W of an image.
        steps: Of one trial.
        fixed, activations: Bytes that the largest arm needs whatever the batch, and for a whole batch.
        at_once: Trials at a time on the device.
    """

    shape: tuple[int, int, int]
    steps: int
    fixed: int
    activations: int
    at_once: int


def choose(network: NetworkSpec, recipe: TrainSpec, asked: Question, device: torch.device, limits: Limits) -> Any:
    """Returns plain data: ``chosen``, a value for each field of the recipe that is ``auto``, and what was measured."""
    told: dict[str, Any] = {"device": device_name(device)}
    settled: dict[str, Any] = {}
    with trial_settings(recipe.threads, deterministic=recipe.deterministic):
        if recipe.micro_batch == "auto":
            told["free_bytes"] = free_bytes(device)
            settled["micro_batch"] = fitting(recipe.batch_size, asked, told["free_bytes"])
        known = recipe.replace(**{"compile": "off", "precision": "float32", **settled})
        if recipe.precision == "auto":
            names = ["float32", *low_precisions(device)]
            takers = [taker(network, known.replace(precision=name), asked, device, limits) for name in names]
            seconds = dict(zip(names, in_turns(takers, asked.shape), strict=True))
            told["step_seconds"] = seconds
            fastest = min(seconds, key=lambda name: seconds[name])
            settled["precision"] = fastest if seconds["float32"] > WORTH * seconds[fastest] else "float32"
        if recipe.compile == "auto":
            precise = known.replace(precision=settled.get("precision", recipe.precision))
            settled["compile"], told["compile"] = compiled_or_not(network, precise, asked, device, limits)
    return {"chosen": settled, **told}


def low_precisions(device: torch.device) -> list[str]:
    """Returns what is worth trying: bfloat16, which needs no scaling; float16 on GPUs that are older than it."""
    if device.type == "cuda" and not torch.cuda.is_bf16_supported(including_emulation=False):
        return ["float16"]
    return ["bfloat16"]


def compiled_or_not(
    network: NetworkSpec, recipe: TrainSpec, asked: Question, device: torch.device, limits: Limits
) -> tuple[str, dict[str, float]]:
    """Returns whether compiling pays within one trial, with a margin of two, and the seconds that say so."""
    plain = taker(network, recipe, asked, device, limits)
    (eager,) = in_turns([plain], asked.shape)
    told = {"trial_seconds": asked.steps * eager}
    if told["trial_seconds"] < SHORTEST_COMPILED:
        return "off", told
    compiled = taker(network, recipe, asked, device, limits)
    assert isinstance(compiled.network, Network)
    compile_blocks(compiled.network)
    told["compiling_seconds"] = timed(compiled, asked.shape)
    before, after = in_turns([plain, compiled], asked.shape)
    told |= {"step_seconds": before, "compiled_step_seconds": after}
    return "on" if asked.steps * (before - after) > 2 * told["compiling_seconds"] else "off", told


def taker(network: NetworkSpec, recipe: TrainSpec, asked: Question, device: torch.device, limits: Limits) -> Step:
    """Returns what takes the training steps of a recipe."""
    built = network.build(seed=0, limits=limits)
    built.gradient_checkpointing = recipe.checkpointing
    return Step(on_device(built, device), recipe, asked.steps, device)


def in_turns(steps: list[Step], shape: tuple[int, int, int]) -> list[float]:
    """Returns the median seconds of a step of each; they take turns, so that all meet the same disturbances."""
    for step in steps:
        for _ in range(WARM_UP):
            timed(step, shape)
    seconds: list[list[float]] = []
    while len(seconds) < 2 or (len(seconds) < ROUNDS and sum(map(sum, seconds)) < SECONDS * len(steps)):
        seconds.append([timed(step, shape) for step in steps])
    return [median(each) for each in zip(*seconds, strict=True)]


def timed(step: Step, shape: tuple[int, int, int]) -> float:
    """Returns the seconds of one step on images of noise, to its end on the device."""
    generator, count = torch.Generator().manual_seed(0), step.recipe.batch_size
    images = torch.randn(count, *shape, generator=generator).to(step.device, memory_format=torch.channels_last)
    labels = torch.zeros(count, dtype=torch.int64, device=step.device)
    started = perf_counter()
    step.take(Batch(images, labels))
    if step.device.type == "cuda":
        torch.cuda.synchronize(step.device)
    return perf_counter() - started


def fitting(batch: int, asked: Question, free: int) -> int:
    """Returns the most images at a time that fit: the batch, halved as often as it takes.

    Args:
        batch: The recipe's.
        asked: For what the largest arm needs.
        free: Bytes of the device.
    """
    share, images = ROOM * free / asked.at_once, batch
    while images > 1 and 1.5 * (asked.fixed + asked.activations * images / batch) > share:
        images = -(-images // 2)
    return images


def free_bytes(device: torch.device) -> int:
    """Returns the memory that is free on a device; of the host, what can be had without swapping."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    fields = dict(line.split(":", 1) for line in Path("/proc/meminfo").read_text().splitlines())
    return int(fields["MemAvailable"].split()[0]) * 1024
