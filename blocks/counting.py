"""Counting what torch really computes and keeps, operation by operation. The conventions are those of `blocks.cost`."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.autograd.graph import saved_tensors_hooks
from torch.func import functional_call
from torch.utils._python_dispatch import TorchDispatchMode

from blocks.cost import Cost, Row, Shape
from blocks.errors import InfeasibleSpec
from blocks.initialisation import initialise, seeded
from blocks.tensors import hash_tensors

SIDES = (8, 64)
"""The maps on which modules are compared: small ones, and ample ones for those that fail on these."""

BATCH = 2
"""Batch norm in training refuses a single value a channel, which one image of 1x1 would be."""


def count(module: nn.Module, shape: Shape) -> Cost:
    """Returns the cost of one image of C H W. See `blocks.cost.measure`."""
    ghosts = {name: _on_meta(tensor) for name, tensor in (*module.named_parameters(), *module.named_buffers())}
    images = torch.empty(BATCH, *shape, device="meta")
    with torch.no_grad(), _Counter() as counter:
        functional_call(module, ghosts, (images,))
    params = sum(parameter.numel() for parameter in module.parameters())
    return Cost(counter.macs // BATCH, params, counter.activations // BATCH)


def saved_bytes(module: nn.Module, images: Tensor) -> int:
    """Returns how many bytes a forward pass keeps for the backward pass: each tensor's storage once, parameters not.

    Args:
        module: In training mode, on the images' device. Its running statistics move.
        images: N C H W.
    """
    kept, _ = _kept(module, images)
    return sum(kept.values())


def _kept(module: nn.Module, images: Tensor) -> tuple[dict[int, int], bool]:
    """Returns the bytes of each storage that a forward pass keeps, and whether what comes out is among them."""
    own = {_storage(tensor) for tensor in (*module.parameters(), *module.buffers())}
    kept: dict[int, Tensor] = {}

    def pack(tensor: Tensor) -> Tensor:
        if _storage(tensor) not in own:
            kept[_storage(tensor)] = tensor  # holding it keeps another from taking its place
        return tensor

    with saved_tensors_hooks(pack, lambda tensor: tensor):
        out = module(images)
    keeps_output = isinstance(out, Tensor) and _storage(out) in kept
    return {storage: tensor.untyped_storage().nbytes() for storage, tensor in kept.items()}, keeps_output


def _storage(tensor: Tensor) -> int:
    return int(tensor.untyped_storage()._cdata)


class Observed(NamedTuple):
    """What a module does to a map of C H W.

    Attributes:
        output: C H W that it puts out.
        row: Its costs; what it keeps of its input left aside.
        keeps_input, keeps_output: Whether the backward pass needs what goes in, and what comes out.
    """

    output: Shape
    row: Row
    keeps_input: bool
    keeps_output: bool


def observe(build: Callable[[], nn.Module], shape: Shape) -> Observed:
    """Runs somebody's module on the meta device, and says what it did.

    Raises:
        InfeasibleSpec: If it can't be built or fails there, puts out no map of N C H W, or adds two maps of unequal
            shapes, which torch would broadcast.
    """
    try:
        with torch.device("meta"):
            module = build()
            with _Counter(strict=True) as counter:
                out = module(torch.empty(BATCH, *shape))
            images = [torch.empty(batch, *shape, requires_grad=True) for batch in (BATCH, BATCH + 1)]
            kept, keeps_output = zip(*(_kept(module, batch) for batch in images), strict=True)
    except InfeasibleSpec:
        raise
    except Exception as error:  # whatever a user's code may raise
        given = "x".join(map(str, shape))
        raise InfeasibleSpec(f"its module fails on a map of {given}: {type(error).__name__}: {error}") from error
    if not isinstance(out, Tensor) or out.dim() != 4 or out.shape[0] != BATCH:
        told = tuple(out.shape) if isinstance(out, Tensor) else type(out).__name__
        raise InfeasibleSpec(f"its module should put out a map of N C H W, not {told}")
    params = sum(parameter.numel() for parameter in module.parameters())
    keeps_input = _storage(images[0]) in kept[0]
    saved = [
        sum(storages.values()) - storages.get(_storage(batch), 0) for storages, batch in zip(kept, images, strict=True)
    ]
    each = saved[1] - saved[0]
    row = ("block", counter.macs // BATCH, params, counter.activations // BATCH, each, saved[0] - BATCH * each)
    _, channels, height, width = out.shape
    return Observed((channels, height, width), row, keeps_input, keeps_output[0])


def fingerprint(build: Callable[[], nn.Module], channels: int) -> str:
    """Returns a text that modules share if they compute the same: the hash of what they make of a fixed random map.

    Both start from the same values, and from the same random numbers, so that what they drop in training is the same
    too. Empty for a module that fails on small and on ample maps alike.
    """
    for side in SIDES:
        try:
            with seeded(0):
                module = build()
                initialise(module, 0)
                torch.manual_seed(0)
                images = torch.randn(BATCH, channels, side, side)
                with torch.no_grad():
                    outs = [module.train(training)(images) for training in (True, False)]
        except Exception:  # whatever a user's code may raise; that it fails, tracing says
            continue
        return hash_tensors({"train": outs[0], "eval": outs[1], **module.state_dict()}, str(side))
    return ""


class _Counter(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Adds up the operations that pass by, for the whole batch; if strict, refuses sums that broadcast maps."""

    def __init__(self, *, strict: bool = False) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.macs = self.activations = 0
        self.strict = strict

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        if self.strict and func.overloadpacket in SUMS:
            _demand_equal_maps(args)
        out = func(*args, **(kwargs or {}))
        rule = RULES.get(func.overloadpacket)
        if rule is not None:
            macs, activations = rule(args, out)
            self.macs += macs
            self.activations += activations
        return out


def _demand_equal_maps(args: tuple[Any, ...]) -> None:
    maps = [arg.shape for arg in args[:2] if isinstance(arg, Tensor) and arg.dim() == 4 and arg.shape[0] == BATCH]
    if len(maps) == 2 and maps[0] != maps[1]:
        one, other = ("x".join(map(str, shape[1:])) for shape in maps)
        raise InfeasibleSpec(f"a residual sum needs equal shapes, but its module adds maps of {one} and {other}")


def _convolution(args: tuple[Any, ...], out: Tensor) -> tuple[int, int]:
    images, weight, transposed = args[0], args[1], args[6]
    multiplied = images if transposed else out
    return multiplied.numel() * prod(weight.shape[1:]), out.numel()


def _linear(args: tuple[Any, ...], out: Tensor) -> tuple[int, int]:
    left = args[-2]  # addmm has the bias before it
    return out.numel() * left.shape[-1], out.numel()


def _product(args: tuple[Any, ...], out: Tensor) -> tuple[int, int]:
    return out.numel() * args[-2].shape[-1], 0


def _attention(args: tuple[Any, ...], out: Any) -> tuple[int, int]:
    queries, keys, values = args[:3]  # N heads positions channels
    return queries.numel() * keys.shape[-2] + queries[..., 0].numel() * values.shape[-2] * values.shape[-1], 0


def _pool(args: tuple[Any, ...], out: Any) -> tuple[int, int]:
    return 0, (out[0] if isinstance(out, tuple) else out).numel()


aten = torch.ops.aten
SUMS = {aten.add, aten.add_, aten.sub, aten.sub_}
RULES: dict[Any, Callable[[tuple[Any, ...], Any], tuple[int, int]]] = {
    aten.convolution: _convolution,
    aten.mm: _linear,
    aten.addmm: _linear,
    aten.bmm: _product,
    aten.baddbmm: _product,
    aten.max_pool2d_with_indices: _pool,
    aten.avg_pool2d: _pool,
    aten._scaled_dot_product_flash_attention: _attention,
    aten._scaled_dot_product_flash_attention_for_cpu: _attention,
    aten._scaled_dot_product_efficient_attention: _attention,
    aten._scaled_dot_product_cudnn_attention: _attention,
}


def _on_meta(tensor: Tensor) -> Tensor:
    return torch.empty_like(tensor, device="meta")
