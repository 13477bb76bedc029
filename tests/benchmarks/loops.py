"""Three ways to train one network on the same images: a trial of ours, the plain loop, and the same made by hand.

All crop, flip, normalise, and step SGD by a cosine over the same number of steps, in batches of 128.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from time import perf_counter
from typing import Any, Protocol

import torch
from PIL import Image
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset
from torchvision import datasets, transforms

from blocks import NetworkSpec
from search.data import Images, Splits
from search.train import TrainSpec
from search.train.chance import seeded_layers
from search.train.feed import Feed, training_batches
from search.train.loop import Trial
from search.train.measure import measure
from search.train.settings import trial_settings

BATCH, SIZE, LOADER_WORKERS, CROP = 128, 32, 2, 4
RECIPE = {"lr": 0.1, "momentum": 0.9, "weight_decay": 1e-4}


class Loop(Protocol):
    """Trains a network, a step or an epoch at a time."""

    network: nn.Module

    def steps(self, count: int) -> float:
        """Takes so many steps; returns the seconds."""
        ...

    def epoch(self) -> float:
        """Goes over the training split once; returns the seconds."""
        ...


class Ours:
    """A trial, as a worker runs it."""

    def __init__(self, network: NetworkSpec, splits: Splits, device: torch.device, settings: Any) -> None:
        self.device, self.threads = device, settings.threads
        self.recipe = TrainSpec.model_validate(
            {
                "batch_size": BATCH,
                "epochs": settings.epochs,
                "augment": {"crop": CROP, "flip": True},
                "optimizer": {"kind": "sgd", **RECIPE, "decay_norm_and_bias": True},
                "threads": self.threads,
                "precision": settings.precision,
            }
        )
        with trial_settings(self.threads), seeded_layers(settings.seed, device):
            self.trial = Trial(network, self.recipe, splits, settings.seed, device)
        self.network: nn.Module = self.trial.network

    def steps(self, count: int) -> float:
        """An epoch over as many images as the steps take, with all that an epoch does beside its steps."""
        whole = self.trial.training
        part = Feed(whole.pixels[: count * BATCH], whole.labels[: count * BATCH], whole.mean, whole.std)
        self.trial.training = part
        try:
            return self.epoch()
        finally:
            self.trial.training = whole

    def epoch(self) -> float:
        with trial_settings(self.threads):
            started = perf_counter()
            self.trial.learn()  # ends by waiting for the device
            return perf_counter() - started


class Plain:
    """What a good engineer writes first: PIL, torchvision's transforms, a DataLoader of two workers, float32, NCHW."""

    def __init__(
        self, network: NetworkSpec, splits: Splits, device: torch.device, settings: Any, folder: Path | None
    ) -> None:
        self.device, self.threads = device, settings.threads
        self.network = network.build(seed=settings.seed).to(device)
        torch.manual_seed(settings.seed)
        transform = transforms.Compose(
            [
                *([transforms.Resize(SIZE), transforms.CenterCrop(SIZE)] if folder else []),
                transforms.RandomCrop(SIZE, padding=CROP),
                transforms.RandomHorizontalFlip(),
                transforms.ToTensor(),
                transforms.Normalize(splits.mean, splits.std),
            ]
        )
        dataset = datasets.ImageFolder(folder, transform) if folder else Pictures(splits.train, transform)
        self.loader = DataLoader(
            dataset,
            BATCH,
            shuffle=True,
            num_workers=LOADER_WORKERS,
            pin_memory=device.type == "cuda",
            persistent_workers=True,
            drop_last=True,
        )
        self.optimizer = torch.optim.SGD(self.network.parameters(), **RECIPE)
        self.schedule = cosine(self.optimizer, settings, len(self.loader))
        self.batches = self._endless()

    def steps(self, count: int) -> float:
        torch.set_num_threads(self.threads)
        self.network.train()
        running = 0.0
        started = perf_counter()
        for _ in range(count):
            images, labels = (each.to(self.device, non_blocking=True) for each in next(self.batches))
            loss = nn.functional.cross_entropy(self.network(images), labels)
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            self.schedule.step()
            running += loss.item()
        return perf_counter() - started

    def epoch(self) -> float:
        return self.steps(len(self.loader))

    def _endless(self) -> Iterator[Any]:
        while True:
            yield from self.loader


class ByHand:
    """The plain loop made as good as a hand can: tensors in memory, whole batches augmented, channels innermost, the
    faster precision, a fused optimiser, and no look at the loss."""

    def __init__(self, network: NetworkSpec, splits: Splits, device: torch.device, settings: Any) -> None:
        self.device, self.threads, self.precision = device, settings.threads, settings.precision
        self.network = network.build(seed=settings.seed).to(device=device, memory_format=torch.channels_last)
        torch.manual_seed(settings.seed)
        mean, std = (torch.tensor(value, device=device).view(1, -1, 1, 1) for value in (splits.mean, splits.std))
        pixels = torch.from_numpy(splits.train.pixels.copy()).to(device).float() / 255
        self.images = nn.functional.pad((pixels - mean) / std, (CROP,) * 4)
        self.labels = torch.from_numpy(splits.train.labels).to(device)
        self.optimizer = torch.optim.SGD(self.network.parameters(), fused=True, **RECIPE)
        self.schedule = cosine(self.optimizer, settings, len(self.labels) // BATCH)

    def steps(self, count: int) -> float:
        torch.set_num_threads(self.threads)
        torch.backends.cudnn.benchmark = True
        self.network.train()
        started = perf_counter()
        order = torch.randperm(len(self.labels), device=self.device)
        for start in range(0, count * BATCH, BATCH):
            chosen = order[start : start + BATCH]
            images = self._augmented(self.images[chosen])
            with torch.autocast(self.device.type, torch.bfloat16, enabled=self.precision == "bfloat16"):
                loss = nn.functional.cross_entropy(self.network(images), self.labels[chosen])
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            self.schedule.step()
        if self.device.type == "cuda":
            torch.cuda.synchronize()
        return perf_counter() - started

    def epoch(self) -> float:
        return self.steps(len(self.labels) // BATCH)

    def _augmented(self, padded: Tensor) -> Tensor:
        """One window an image, by a view of all windows; every other image mirrored."""
        windows = padded.unfold(2, SIZE, 1).unfold(3, SIZE, 1)  # N C 9 9 H W
        down, right = torch.randint(0, 2 * CROP + 1, (2, len(padded)), device=padded.device)
        images = windows[torch.arange(len(padded), device=padded.device), :, down, right]
        mirrored = torch.rand(len(padded), 1, 1, 1, device=padded.device) < 0.5
        return torch.where(mirrored, images.flip(3), images).contiguous(memory_format=torch.channels_last)


def cosine(
    optimizer: torch.optim.Optimizer, settings: Any, steps_per_epoch: int
) -> torch.optim.lr_scheduler.LRScheduler:
    """Returns a cosine to 0 over all epochs; where only speed is measured, over more steps than are taken."""
    learns = settings.train or settings.accuracy
    total = settings.epochs * steps_per_epoch if learns else 100_000
    return torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, total)


class Pictures(Dataset[tuple[Any, int]]):
    """Images from memory as torchvision's CIFAR10 gives them: PIL, transformed one by one."""

    def __init__(self, images: Images, transform: Any) -> None:
        self.pixels = images.pixels.transpose(0, 2, 3, 1)
        self.labels = images.labels
        self.transform = transform

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        return self.transform(Image.fromarray(self.pixels[index])), int(self.labels[index])


def accuracy(loop: Loop, images: Images, splits: Splits, device: torch.device) -> float:
    """Returns how many of some images a loop's network gets right, in float32 for all alike."""
    return measure(loop.network, Feed.of(images, splits, device))[0].accuracy


def seconds_to_first_step(make: Any) -> tuple[Any, float]:
    """Returns a loop, and the seconds from nothing to the end of its first step."""
    started = perf_counter()
    loop = make()
    if isinstance(loop, Ours):
        with trial_settings(loop.threads):
            trial = loop.trial
            trial.step.take(next(training_batches(trial.training, loop.recipe, trial.order, trial.augmentation))[0])
            if loop.device.type == "cuda":
                torch.cuda.synchronize()
    else:
        loop.steps(1)
    return loop, perf_counter() - started
