from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from search.train.tally import Tally

CPU = torch.device("cpu")


def test_every_image_weighs_the_same_in_unequal_batches() -> None:
    logits, labels = torch.randn(100, 12), torch.randint(0, 12, (100,))
    tally = Tally(CPU)
    for part in (slice(0, 90), slice(90, 99), slice(99, 100)):
        tally.add(logits[part], labels[part])
    score = tally.score()
    assert score.loss == pytest.approx(functional.cross_entropy(logits, labels).item())
    assert score.accuracy == pytest.approx((logits.argmax(1) == labels).float().mean().item())
    likeliest = logits.argsort(1, descending=True)[:, :5]
    assert score.top5 == pytest.approx((likeliest == labels[:, None]).any(1).float().mean().item())


def test_a_network_that_always_says_the_same_is_not_right_more_often_than_chance() -> None:
    for logits in (torch.zeros(100, 10), torch.full((100, 10), torch.nan)):
        tally = Tally(CPU)
        correct = tally.add(logits, torch.arange(100) % 10)
        assert correct.sum() == 10


def test_five_likeliest_are_looked_at_from_ten_classes_on() -> None:
    for classes, looked in ((9, False), (10, True)):
        tally = Tally(CPU)
        tally.add(torch.randn(4, classes), torch.zeros(4, dtype=torch.long))
        assert (tally.score().top5 is not None) == looked
