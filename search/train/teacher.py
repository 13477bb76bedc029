"""A trained network that teaches another."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from blocks import Network, TrainedNetwork
from blocks.errors import WeightsError
from search.data.images import Splits
from search.train.distill import Distill
from search.train.features import Watched, difference
from search.train.precision import autocast
from search.train.preparation import trained
from search.train.settings import on_device

IMAGENET: tuple[tuple[float, ...], tuple[float, ...]] = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
"""Mean and deviation of the channels that torchvision's published weights were trained with."""


class Teacher:
    """Answers for the images of a student, which are normalised as the student's are.

    Args:
        published: Whether a preset's published weights are fetched, and classes compared; see ``Trial``.

    Raises:
        WeightsError: If its file isn't what it was, or tells apart other classes.
    """

    def __init__(
        self, spec: Distill, splits: Splits, device: torch.device, precision: str, *, published: bool = True
    ) -> None:
        if published or spec.teacher.preset is None:
            network, labels = trained(spec.teacher)
        else:
            network, labels = spec.teacher.spec().build(0), ()
        if published and (wrong := spec.strange(labels, splits.classes)) is not None:
            raise WeightsError(wrong)
        self.spec, self.precision, self.device = spec, precision, device
        self.network = on_device(network, device).eval().requires_grad_(False)
        self._seen: tuple[Watched, Watched] | None = None
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

    def watch(self, student: Network) -> None:
        """Looks into a student from now on, and into the teacher, where features are learned from."""
        if (features := self.spec.features) is not None:
            pairs = features.pairs(len(student.spec.stages), len(self.network.spec.stages))
            ours, theirs = zip(*pairs, strict=True)
            self._seen = Watched(student, ours, only_training=True), Watched(self.network, theirs)

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
        loss = (1 - weight) * own + weight * temperature**2 * soft
        if self._seen is None or self.spec.features is None:
            return loss
        return loss + self.spec.features.weight * difference(self._seen[0].take(), self._seen[1].take())
