"""What trials tell about themselves: how many say so, gradients by stage, and what single blocks are worth."""

from __future__ import annotations

import json

import pandas as pd
from scipy import stats

from tests.reports.evidence import Row, Run


def check(run: Run) -> None:
    path = run.folder / "diagnosis.json"
    told = json.loads(path.read_bytes()) if path.is_file() else {"findings": [], "lesions": [], "data": None}
    assert run.record["diagnosis"]["data"] == told["data"]
    _sentences(run, told["findings"])
    _lesions(run, told["lesions"])
    _gradients(run)
    run.seen |= {(part, name) for part, name in _places(run.record["diagnosis"]["data"] or {}, "diagnosis.data")}


def _places(data: Row, path: str) -> list[tuple[str, str]]:
    inner = [
        place for name, part in data.items() if isinstance(part, dict) for place in _places(part, f"{path}.{name}")
    ]
    return [(path, name) for name in data] + inner


def _sentences(run: Run, findings: list[Row]) -> None:
    own = [each for each in findings if each["phase"] == run.main and each["arm"] in run.entries]
    rows = run.rows("diagnosis", "sentences")
    assert {(row["arm"], row["kind"]) for row in rows} == {(each["arm"], each["kind"]) for each in own}
    for row in rows:
        same = [each for each in own if (each["arm"], each["kind"]) == (row["arm"], row["kind"])]
        trials = run.trials[(run.trials["arm"] == row["arm"]) & (run.trials["phase"] == run.main)]
        run.check_row("diagnosis.sentences", row, {"n": len({each["trial"] for each in same}), "of": len(trials)})
        assert row["text"] in {each["text"] for each in same}


def _lesions(run: Run, lesions: list[Row]) -> None:
    every = {(each["arm"], block): each for each in lesions for block in each["blocks"]}
    assert {(row["arm"], row["block"]) for row in run.rows("diagnosis", "lesions")} == set(every)
    named = {f"stage {int(b.split('.')[1]) + 1} block {int(b.split('.')[2]) + 1}": b for _, b in every}
    for where in ("diagnosis.lesions", "figures.diagnosis_lesions"):
        for row in run.rows(*where.split(".")):
            block = row["block"] if "block" in row else named[row["name"]]
            source = every[row["arm"], block]
            own = {"accuracy": source["accuracy"], "images": source["images"], "without": source["blocks"][block]}
            own |= {"seed": source["seed"]} if "seed" in row else {}
            run.check_row(where, row, own | {"change": own["without"] - own["accuracy"]})


def _gradients(run: Run) -> None:
    rows, where = run.rows("figures", "diagnosis_gradients"), "figures.diagnosis_gradients"
    if not rows:
        return
    raw = pd.read_csv(run.folder / "diagnosis.csv")
    raw = raw[(raw["name"] == "gradient_norm") & (raw["phase"] == run.main) & (raw["value"] > 0)]
    groups = raw.groupby(["arm", "stage", "epoch"])["value"]
    for row in rows:
        own = groups.get_group((row["arm"], row["stage"], row["epoch"]))
        run.check_row(where, row, {"value": float(stats.gmean(own)), "n": len(own)})
    run.seen.add((where, "epoch"))
