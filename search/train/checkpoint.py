"""A trial between two epochs as bytes, so that it can go on elsewhere and later as if it had never paused.

On a CPU a trial that pauses and goes on gives the same bits as one that doesn't. What torch reads back is tensors and
plain data, never code.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.optim import Optimizer

from search.train.diagnosis.probe import Probe
from search.train.diagnosis.watch import Seen, StepReading
from search.train.outcome import Epoch

if TYPE_CHECKING:
    from search.train.loop import Trial

Plain = dict[str, Any]


def saved(trial: Trial, epochs: Sequence[Epoch]) -> bytes:
    """Returns all that a trial needs to go on after these epochs."""
    step, average = trial.step, trial.step.average
    content = {
        "epochs": [asdict(epoch) for epoch in epochs],
        "network": trial.network.state_dict(),
        "optimizer": step.optimizer.state_dict()["state"],
        "average": None if average is None else average.state(),
        "scaler": None if step.scaler is None else step.scaler.state_dict(),
        "rounded": None if step.rounded is None else step.rounded.state(),
        "steps": step.number,
        "draws": {"order": trial.order.get_state(), "augmentation": trial.augmentation.state()},
        "layers": _layer_draws(trial.training.device),
        "seen": None if trial.watch is None else asdict(trial.watch.seen),
        "images": trial.images,
        "seconds": trial.seconds(),
        "training_seconds": trial.training_seconds,
        "peak_memory": trial.peak_memory(),
    }
    file = io.BytesIO()
    torch.save(content, file)
    return file.getvalue()


def restored(trial: Trial, checkpoint: bytes) -> list[Epoch]:
    """Brings a trial that was just made to where another of the same network, recipe and seed was.

    Returns:
        The epochs so far.
    """
    content = torch.load(io.BytesIO(checkpoint), map_location="cpu", weights_only=True)
    step = trial.step
    trial.network.load_state_dict(content["network"])
    _put_back(step.optimizer, content["optimizer"])
    if step.average is not None:
        step.average.put_back(content["average"])
    if step.scaler is not None:
        step.scaler.load_state_dict(content["scaler"])
    if step.rounded is not None:
        step.rounded.put_back(content["rounded"])
    step.number = content["steps"]
    trial.order.set_state(content["draws"]["order"])
    trial.augmentation.put_back(content["draws"]["augmentation"])
    _put_back_layer_draws(content["layers"], trial.training.device)
    if trial.watch is not None:
        trial.watch.seen = _seen(content["seen"])
    trial.images, trial.training_seconds = content["images"], content["training_seconds"]
    trial.before, trial.peak_before = content["seconds"], content["peak_memory"]
    return [Epoch(**epoch) for epoch in content["epochs"]]


def _put_back(optimizer: Optimizer, packed: dict[int, Plain]) -> None:
    """Gives an optimiser what it remembered of each parameter, in place: one that has another within shares its state,
    which torch's ``load_state_dict`` would replace."""
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    for number, values in packed.items():
        own = parameters[number]
        optimizer.state[own] = {name: _beside(value, own, name, optimizer) for name, value in values.items()}


def _beside(value: Any, parameter: Tensor, name: str, optimizer: Optimizer) -> Any:
    """Returns what was remembered where its parameter is; torch counts steps on the host unless its steps are fused."""
    if not isinstance(value, Tensor) or (name == "step" and not optimizer.defaults.get("fused")):
        return value
    return value.to(parameter.device)


def _layer_draws(device: torch.device) -> list[Tensor]:
    """Returns the states of the generators that layers draw from."""
    return [torch.get_rng_state(), *([torch.cuda.get_rng_state(device)] if device.type == "cuda" else [])]


def _put_back_layer_draws(states: list[Tensor], device: torch.device) -> None:
    torch.set_rng_state(states[0])
    if device.type == "cuda" and len(states) > 1:
        torch.cuda.set_rng_state(states[1], device)


def _seen(plain: Plain) -> Seen:
    probes = {epoch: Probe(**probe) for epoch, probe in plain["probes"].items()}
    return Seen(plain["places"], [StepReading(**step) for step in plain["steps"]], probes, plain["losses"])
