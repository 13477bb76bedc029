"""Every number of the page, for machines."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from itertools import starmap
from typing import Any

import msgspec
import pandas as pd

from reports import diagnosis
from reports.answer import Answer, question
from reports.findings import Findings
from reports.model import model
from reports.table import Table

SCHEMA = 1


class Encoded(str):
    """JSON already: thousands of rows are not to be decoded and encoded again."""


def record(findings: Findings, said: Answer, frames: Mapping[str, pd.DataFrame], panels: Encoded) -> dict[str, Any]:
    """Returns what goes into report.json: accuracies and differences as fractions, null where a number is missing.

    Args:
        findings: What was computed.
        said: The answer that was made of it.
        frames: The data of each figure, by its name.
        panels: What opens from an arm (:func:`reports.details.details`), as the page has it too.
    """
    table, counts = findings.table, findings.counts
    return {
        "schema": SCHEMA,
        "name": table.study.get("name", table.folder.name),
        "question": question(table),
        "answer": {
            "headline": said.headline,
            "statements": [str(statement) for statement in said.statements],
            "caveats": list(said.caveats),
            "prospects": list(said.prospects),
            "winner": None if said.winner is None else asdict(said.winner),
        },
        "baseline": table.baseline,
        "selection": {
            "finalists": table.finalists,
            "winner": table.winner,
            "test_openings": table.test_openings,
            "ledger": list(table.ledger),
        },
        "additions": list(table.additions),
        "margin": table.margin,
        "comparisons": rows_of(findings.comparisons),
        "bands": rows_of(findings.bands),
        "unmet": rows_of(findings.unmet),
        "arms": rows_of(findings.arms.reset_index(names="arm")),
        "confirmed": rows_of(findings.confirmed.reset_index(names="arm")),
        "tuning": rows_of(findings.tuning),
        "outlook": {
            "open": rows_of(findings.outlook.open),
            "seeds": rows_of(findings.outlook.seeds),
            "arms": findings.outlook.arms,
            "trial_seconds": _number(findings.outlook.trial_seconds),
            "level": findings.outlook.level,
        },
        "interactions": rows_of(findings.interactions),
        "terms": _terms(table),
        "shrinkage": rows_of(findings.shrinkage.reset_index(names="arm")) if len(findings.shrinkage) else [],
        "inflation": None if findings.inflation is None else asdict(findings.inflation),
        "noise": _noise(findings),
        "fidelity": _fidelity(findings),
        "population": _population(findings),
        "counts": {
            "trials": {
                "planned": counts.planned,
                "not_run": counts.not_run,
                "earlier": counts.earlier,
                "all": counts.trials.sum().to_dict(),
                "by_phase": counts.trials.to_dict("index"),
                "planned_by_phase": counts.by_phase,
            },
            "arms": {"listed": counts.listed, **counts.arms, "unmatched": counts.unmatched},
            "adds_up": counts.adds_up,
            "reasons": rows_of(counts.reasons),
        },
        "environment": table.environment,
        "figures": {name: rows_of(frame) for name, frame in frames.items()},
        "diagnosis": _diagnosis(table),
        "panels": panels,
    }


def as_text(content: Mapping[str, Any]) -> str:
    """Returns the record as JSON, a line a part: indenting it all would double the time of a large page."""
    parts = [f"{json.dumps(name)}: {_encoded(part)}" for name, part in content.items()]
    return "{\n" + ",\n".join(parts) + "\n}\n"


def _encoded(value: Any) -> str:
    if isinstance(value, Encoded):
        return value
    if isinstance(value, dict):
        return f"{{{', '.join(f'{json.dumps(name)}: {_encoded(inner)}' for name, inner in value.items())}}}"
    return encoded(value)


def _terms(table: Table) -> Encoded | list[Any]:
    fitted = model(table)
    return [] if fitted is None or fitted.fit is None else rows_of(fitted.fit.terms)


def _diagnosis(table: Table) -> dict[str, Any]:
    said, without = diagnosis.sentences(table), diagnosis.lesions(table)
    return {"sentences": rows_of(said), "lesions": rows_of(without), "data": diagnosis.data(table)}


def _noise(findings: Findings) -> dict[str, Any] | None:
    found = findings.noises
    if found is None:
        return None
    where = {"split": found.split, "phase": found.phase, "seeds": found.seeds, "images": found.images}
    frames = {"arms": found.arms, "differences": found.differences}
    return where | {name: rows_of(frame.reset_index(names="arm")) for name, frame in frames.items()}


def _fidelity(findings: Findings) -> dict[str, Any] | None:
    found = findings.fidelity
    if found is None:
        return None
    agreement = {
        name: _number(value) if isinstance(value, float) else value if isinstance(value, str | int) else bool(value)
        for name, value in asdict(found.agreement).items()
    }
    return {"epochs": list(found.epochs), "arms": rows_of(found.arms), "agreement": agreement}


def _population(findings: Findings) -> dict[str, Any] | None:
    found = findings.population
    if found is None:
        return None
    spaces, differences = rows_of(found.spaces), rows_of(found.differences)
    return {"cost": found.cost, "unequal": found.unequal, "spaces": spaces, "differences": differences}


def _number(value: float) -> float | None:
    return None if value != value else value


def rows_of(frame: pd.DataFrame) -> Encoded:
    """Returns a frame as JSON, an object a row, null where a value is missing."""
    fields = {f"column{place}": str(name) for place, name in enumerate(frame.columns)}
    row = msgspec.defstruct("Row", list(fields), rename=fields, gc=False)  # half the time of a dictionary a row
    return encoded(list(starmap(row, zip(*(frame[name].tolist() for name in frame), strict=True))))


def encoded(value: Any) -> Encoded:
    """Returns plain data as JSON, null where a number is missing."""
    return Encoded(msgspec.json.encode(value, enc_hook=lambda value: value.item()).decode())
