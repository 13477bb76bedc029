"""The section of what trials tell, from files written for it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

import reports
from reports.diagnosis import lesions, sentences
from reports.figures import diagnosis_gradients, diagnosis_lesions
from reports.findings import find
from reports.sections import diagnosis as section
from reports.table import Table, read
from tests.reports import runs


@pytest.fixture
def told(tmp_path: Path) -> Table:
    return read(runs.diagnosed_ablation().write(tmp_path))


def test_sentences_are_counted_and_the_worst_is_said(told: Table) -> None:
    (row,) = sentences(told).to_dict("records")
    assert row["text"] == "6 of 16 units of stage 1 never fire"
    assert row["n"] == 2


def test_blocks_that_can_be_removed_are_named(told: Table) -> None:
    assert lesions(told)["change"].tolist() == pytest.approx([-0.4, -0.001])
    lead = section.build(find(told)).lead[-1]
    assert re.search(r"stage 1 block 2 \(−0\.10.pp without it\) can be removed", lead)
    assert "without stage 1 block 1 it loses 40.00" in lead


def test_a_network_that_loses_nothing_is_not_said_to_lose(told: Table) -> None:
    path = told.folder / "diagnosis.json"
    content = json.loads(path.read_text())
    content["lesions"][0]["blocks"] = {"stages.0.0": 0.95, "stages.0.1": 0.9}
    path.write_text(json.dumps(content))
    lead = section.build(find(read(told.folder))).lead[-1]
    assert "stage 1 block 1 (+5.00" in lead
    assert "loses" not in lead


def test_figures_show_means_over_seeds(told: Table) -> None:
    assert diagnosis_gradients.data(told)["value"].tolist() == pytest.approx([2.0])
    assert diagnosis_lesions.data(told)["name"].tolist() == ["stage 1 block 1", "stage 1 block 2"]


def test_runs_of_before_have_no_section(tmp_path: Path) -> None:
    built = section.build(find(read(runs.finished_ablation().write(tmp_path))))
    assert (built.lead, built.grids, built.facts) == ((), (), ())


def test_the_record_holds_what_the_section_says(told: Table) -> None:
    record = json.loads(reports.build(told.folder).with_suffix(".json").read_bytes())["diagnosis"]
    assert [(row["text"], row["n"], row["of"]) for row in record["sentences"]] == [
        ("6 of 16 units of stage 1 never fire", 2, 5)
    ]
    raw = json.loads((told.folder / "diagnosis.json").read_bytes())["lesions"][0]
    assert [row["without"] for row in record["lesions"]] == list(raw["blocks"].values())
    assert [row["change"] for row in record["lesions"]] == pytest.approx([0.5 - 0.9, 0.899 - 0.9])
    assert record["data"] == json.loads((told.folder / "diagnosis.json").read_bytes())["data"]
