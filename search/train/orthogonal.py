"""The optimiser behind ``muon``; torch's own takes matrices only, and one at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer

COEFFICIENTS = (3.4445, -4.7750, 2.0315)
"""Of the polynomial that brings singular values near to 1 in five iterations (Jordan et al. 2024); torch's own."""


class OrthogonalMomentum(Optimizer):
    """Muon for matrices and convolutions, another optimiser for the rest, as one.

    Args:
        matrices: Weights of two or more dimensions; the first counts rows, all others columns.
        rest: The optimiser of the other parameters, if there are any. Its groups follow the matrices' group, and its
            learning rates are set there.
        lr: The learning rate, of matrices no taller than wide; others take sqrt(rows / columns) times as much.
        momentum: How much of the running sum of gradients is kept a step.
        nesterov: Whether the gradient looks a step ahead.
        iterations: Of Newton-Schulz.
        weight_decay: Each step shrinks a weight by this share, times the learning rate.
    """

    def __init__(
        self,
        matrices: list[Tensor],
        rest: Optimizer | None,
        *,
        lr: float,
        momentum: float,
        nesterov: bool,
        iterations: int,
        weight_decay: float,
    ) -> None:
        defaults = {"lr": lr, "momentum": momentum, "nesterov": nesterov, "weight_decay": weight_decay}
        super().__init__([{"params": matrices}], defaults)
        self._iterations = iterations
        self._rest = rest
        if rest is not None:
            self.param_groups += rest.param_groups
            rest.state = self.state

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> None:  # type: ignore[override]
        """Changes all parameters that have gradients."""
        group = self.param_groups[0]
        trained = [matrix for matrix in group["params"] if matrix.grad is not None]
        updates = self._momentum(trained, group)
        if group["weight_decay"] and trained:
            torch._foreach_mul_(trained, 1 - group["lr"] * group["weight_decay"])
        by_shape: dict[tuple[int, int], list[int]] = {}
        for index, update in enumerate(updates):
            by_shape.setdefault((update.shape[0], update.numel() // update.shape[0]), []).append(index)
        for (rows, columns), indices in by_shape.items():
            flat = torch.stack([updates[index].reshape(rows, columns) for index in indices])
            scale = -group["lr"] * max(1.0, rows / columns) ** 0.5
            for index, direction in zip(indices, orthogonal(flat, self._iterations), strict=True):
                trained[index].add_(direction.view(trained[index].shape), alpha=scale)
        if self._rest is not None:
            self._rest.step()

    def _momentum(self, trained: list[Tensor], group: dict[str, Any]) -> list[Tensor]:
        """Adds the gradients to their running means; returns what is to be made orthogonal."""
        if not trained:
            return []
        gradients = [matrix.grad for matrix in trained if matrix.grad is not None]
        for matrix in trained:
            if "momentum" not in self.state[matrix]:
                self.state[matrix]["momentum"] = torch.zeros_like(matrix)
        means = [self.state[matrix]["momentum"] for matrix in trained]
        torch._foreach_lerp_(means, gradients, 1 - group["momentum"])
        return list(torch._foreach_lerp(gradients, means, group["momentum"])) if group["nesterov"] else means


def orthogonal(matrices: Tensor, iterations: int) -> Tensor:
    """Returns matrices, N R C, with the singular vectors of the given ones and singular values near to 1."""
    a, b, c = COEFFICIENTS
    tall = matrices.shape[1] > matrices.shape[2]
    x = matrices.bfloat16()
    x = x.mT if tall else x
    x = x / x.norm(dim=(1, 2), keepdim=True).clamp(min=1e-7)
    for _ in range(iterations):
        square = x @ x.mT
        x = torch.baddbmm(x, torch.baddbmm(square, square, square, beta=b, alpha=c), x, beta=a)
    return (x.mT if tall else x).to(matrices.dtype)
