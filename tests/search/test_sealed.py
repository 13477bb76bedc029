"""The test split: sealed until the winner is on record, through every phase that a study can have."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from search.data.images import Images
from search.data.prepare import prepare
from search.engine import Inline
from search.interrupts import Interrupts
from search.outputs import selection
from search.progress import Talk
from search.record import Record
from search.session import Session
from search.shelf import Shelf
from search.trial import Job
from tests.search.studies import plan


class Sealed:
    """A test split that can't be read before the record names a winner."""

    def __init__(self, images: Images, record: Record) -> None:
        self._images, self._record = images, record
        self.read = 0

    def __getattr__(self, name: str) -> Any:
        assert any(entry["event"] == "winner" for entry in self._record.entries), f"the test split's {name} was read"
        self.read += 1
        return getattr(self._images, name)

    def __len__(self) -> int:
        return len(self._images)


def test_the_test_split_is_not_read_before_the_winner_is_on_record(tmp_path: Path) -> None:
    found = plan(
        'factors: {expansion: {path: "network.stages[*].block.expansion", levels: [1, 2, 3, 4, 5]}}',
        "design: {kind: one_at_a_time, seeds: 1}",
        "tune: {train.optimizer.lr: {low: 0.01, high: 1, log: true}, trials: 2}",
        "fidelity: {arms: 5, epochs: [1, 2]}",
        "confirm: {finalists: 1, seeds: 1}",
    )
    with Record(tmp_path) as record:
        splits = prepare(found.baseline.configuration.data)
        sealed: Any = Sealed(splits.test, record)

        def splits_of(job: Job) -> Any:
            return replace(splits, test=sealed)

        executor = Inline(splits_of)
        Session(found, tmp_path, record, lambda: executor, Talk(quiet=True), Shelf(), Interrupts()).run()
        (opening,) = selection(record.entries)["ledger"]
        phases = {entry["phase"] for entry in record.entries if entry["event"] == "finished"}
    assert sealed.read > 0
    assert phases == {"tune", "explore", "fidelity", "confirm"}
    assert opening["why"].startswith("the winner was chosen: ")
    assert opening["trials"] == len(opening["arms"])
