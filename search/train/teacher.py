"""A trained network that teaches another."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from blocks import TrainedNetwork
from blocks.errors import WeightsError
from search.data.images import Splits
from search.train.distill import Distill
from search.train.precision import autocast
from search.train.preparation import trained
from search.train.settings import on_device

IMAGENET: tuple[tuple[float, ...], tuple[float, ...]] = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
"""Mean and deviation of the channels that torchvision's published weights were trained with."""


class Teacher:
    """Answers for the images of a student, which are normalised as the student's are.

    Raises:
        WeightsError: If its file isn't what it was, or tells apart other classes.
    """

    def __init__(self, spec: Distill, splits: Splits, device: torch.device, precision: str) -> None:
        network, labels = trained(spec.teacher)
        if labels and labels != splits.classes:
            raise WeightsError(
                f"the teacher tells apart {', '.join(labels[:5])}, ..., and the images are of "
                f"{', '.join(splits.classes[:5])}, ...: other classes, or another order"
            )
        self.spec, self.precision, self.device = spec, precision, device
        self.network = on_device(network, device).eval().requires_grad_(False)
        mean, std = IMAGENET
        height, width = splits.train.pixels.shape[2:]
        if isinstance(network, TrainedNetwork):
            mean, std, (_, height, width) = network.metadata.mean, network.metadata.std, network.metadata.input
        self._size = (height, width)
        our_mean, our_std, their_mean, their_std = (
            torch.tensor(numbers, dtype=torch.float32, device=device).view(1, -1, 1, 1)
            for numbers in (splits.mean, splits.std, mean, std)
        )
        self._scale, self._shift = our_std / their_std, (our_mean - their_mean) / their_std

    @torch.no_grad()
    def answer(self, images: Tensor) -> Tensor:
        """Returns logits, float32, of images as the student is given them: N C H W."""
        images = images * self._scale + self._shift
        if tuple(images.shape[2:]) != self._size:
            images = functional.interpolate(images, self._size, mode="bilinear", antialias=True)
        with autocast(self.precision, self.device):
            logits: Tensor = self.network(images)
        return logits.float()

    def loss(self, own: Tensor, logits: Tensor, images: Tensor) -> Tensor:
        """Returns the recipe's own loss mixed with what the teacher's answers say of the student's logits."""
        temperature, weight = self.spec.temperature, self.spec.weight
        student = functional.log_softmax(logits / temperature, dim=1)
        teacher = functional.log_softmax(self.answer(images) / temperature, dim=1)
        soft = functional.kl_div(student, teacher, reduction="batchmean", log_target=True)
        return (1 - weight) * own + weight * temperature**2 * soft
