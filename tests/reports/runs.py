"""Synthetic run directories in the shape that ``search`` writes, for the tests of ``reports`` and for nothing else."""

from __future__ import annotations

import base64
import csv
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from ruamel.yaml import YAML

ACCURACIES = ("train_accuracy", "train_loss", "val_accuracy", "val_loss")
COSTS = ("macs", "params", "activations", "inner_channels", "out_channels")
EFFORTS = ("epochs", "train_seconds", "images_per_second", "peak_memory", "threads")
DEVICE = ("precision", "device", "micro_batch", "accumulation")
FIXED = (
    *("trial", "arm", "seed", "match", "tuned", "phase", "status", "reason"),
    *ACCURACIES,
    *("test_accuracy", "epochs_to_target"),
    *COSTS,
    *EFFORTS,
    *DEVICE,
)
IMAGES = ("trial", "split", "images", "correct")
EPOCH = ("trial", "arm", "seed", "phase", "epoch", *ACCURACIES, "train_top5", "val_top5", "lr", "seconds")
GRADIENT = ("trial", "arm", "seed", "phase", "epoch", "stage", "name", "value")
CONFIRM_SEEDS = (1000, 1001, 1002)
TUNE_SEED, SPLIT = 3000, 360
Row = dict[str, Any]


@dataclass
class Sketch:
    """A run directory in the making: arms with a true accuracy, and the trials that were run of them."""

    name: str
    kind: str
    columns: dict[str, list[str]]
    baseline_levels: dict[str, str]
    seeds: list[int]
    question: str | None = None
    match: str | None = None
    margin: float | None = None
    epochs: int = 8
    noise: float = 0.004
    arms: list[Row] = field(default_factory=list)
    truth: dict[str, float] = field(default_factory=dict)
    trials: list[Row] = field(default_factory=list)
    curves: list[Row] = field(default_factory=list)
    finalists: list[str] = field(default_factory=list)
    confirm_seeds: list[int] = field(default_factory=lambda: list(CONFIRM_SEEDS))
    winner: Row | None = None
    planned: int | None = None
    warnings: list[str] = field(default_factory=list)
    family: int | None = None
    passed_over: dict[str, int] = field(default_factory=dict)
    linked: dict[str, str] = field(default_factory=dict)
    design: Row = field(default_factory=dict)
    study: Row = field(default_factory=dict)
    derived: list[Row] = field(default_factory=list)
    tuning: Row | None = None
    fidelity: Row | None = None
    additions: list[Row] = field(default_factory=list)
    images: list[Row] = field(default_factory=list)
    diagnosis: Row | None = None
    gradients: list[Row] = field(default_factory=list)
    latency: list[Row] = field(default_factory=list)

    def arm(self, levels: dict[str, str], accuracy: float, macs: int, **given: Any) -> str:
        """Adds an arm and returns its id; ``given`` overrides fields of its entry in arms.json."""
        everything = {**self.baseline_levels, **levels}
        label = given.pop("label", None) or ", ".join(f"{k}={v}" for k, v in levels.items()) or "baseline"
        name = given.pop("arm", None) or hashlib.sha256(f"{label}{given.get('match', '')}".encode()).hexdigest()[:12]
        cost = {"macs": macs, "params": macs // 27, "activations": macs // 90}
        self.truth[name] = accuracy
        self.arms.append(
            {
                "arm": name,
                "label": label,
                "levels": everything,
                "status": "run",
                "reason": "",
                "match": "none",
                "match_of": None,
                "twin": None,
                "unmatched": None,
                "tuned": None,
                "tuned_of": None,
                "multiplier": 1.0,
                "gap": 0.0,
                "cost": cost,
                "inner_channels": 16,
                "out_channels": 64,
                "network": {"in_channels": 1, "stages": [{"block": {"kind": "bottleneck", **everything}}]},
                "train": {"epochs": self.epochs},
                "data": {"kind": "digits"},
                "blocks": _blocks(cost),
                "diff": [],
                **given,
            }
        )
        return name

    def run(self, arm: str, seed: int, phase: str = "explore", status: str = "completed", reason: str = "") -> None:
        """Adds one trial of an arm, with its learning curve."""
        entry = next(entry for entry in [*self.arms, *self.derived] if entry["arm"] == arm)
        random = np.random.default_rng([seed, int(hashlib.sha256(arm.encode()).hexdigest()[:8], 16)])
        shared = float(np.random.default_rng(seed).normal(0, self.noise))
        final = min(0.9999, self.truth[arm] + shared + float(random.normal(0, self.noise)))
        trial = f"{arm}-{phase}-{seed}"
        finished = status == "completed"
        length = self.epochs if finished else {"stopped": 3, "diverged": 2}.get(status, 0)
        for epoch in range(1, length + 1):
            reached = final * (1 - 0.62 * float(np.exp(-4.2 * epoch / self.epochs)) + 0.0093)
            reached = final if epoch == self.epochs else min(0.9999, reached + float(random.normal(0, 0.004)))
            losses = {"train_loss": 2.3 * (1 - reached) + 0.02, "val_loss": 2.4 * (1 - reached) + 0.05}
            self.curves.append(
                {
                    "trial": trial, "arm": arm, "seed": seed, "phase": phase, "epoch": epoch, **losses,
                    "train_accuracy": min(1.0, reached + 0.01), "val_accuracy": reached, "train_top5": 0.999,
                    "val_top5": 0.998, "lr": 0.1 * (1 - epoch / self.epochs), "seconds": 0.31,
                }
            )  # fmt: skip
        self.trials.append(
            {
                "trial": trial, "arm": arm, "seed": seed, "match": entry.get("match", "none"), "phase": phase,
                "tuned": "yes" if entry.get("tuned_of") else "no", "status": status, "reason": reason,
                "train_accuracy": min(1.0, final + 0.01) if finished else "",
                "train_loss": 0.05 if finished else "", "val_accuracy": final if finished else "",
                "val_loss": 0.11 if finished else "",
                "test_accuracy": final - 0.004 if finished and phase == "confirm" else "",
                "epochs_to_target": 5 if finished else "", **entry["cost"],
                "inner_channels": entry.get("inner_channels", ""), "out_channels": entry.get("out_channels", ""),
                "epochs": length, "precision": "float32", "device": "cpu", "micro_batch": 64, "accumulation": 1,
                "train_seconds": 0.31 * length, "images_per_second": 3400.5 if length else "",
                "peak_memory": 412_000_000 if length else "", "threads": 1,
                **{column: entry.get("levels", {}).get(column, "") for column in self.columns},
            }
        )  # fmt: skip
        if finished:
            for split in ("validation", "test") if phase == "confirm" else ("validation",):
                self.images.append(
                    {"trial": trial, "split": split, "images": SPLIT, "correct": _correct(final, random)}
                )

    def derive(self, of: str, role: str, changes: Row, accuracy: float) -> str:
        """Adds a configuration that exists only to be tuned or to check the fidelity, and returns its id."""
        name = _digest(f"{of} {role} {changes}")
        parent = next(entry for entry in self.arms if entry["arm"] == of)
        self.truth[name] = accuracy
        self.derived.append({"arm": name, "of": of, "role": role, "changes": changes, "cost": parent["cost"]})
        return name

    def confirm(self, finalists: list[str], seeds: Sequence[int] = CONFIRM_SEEDS) -> None:
        """Runs finalists and the baseline on fresh seeds, and names the winner by its validation mean."""
        self.finalists, self.confirm_seeds = finalists, list(seeds)
        finalists = finalists or [self.arms[0]["arm"]]
        for arm in dict.fromkeys([*finalists, self.arms[0]["arm"]]):
            for seed in seeds:
                self.run(arm, seed, phase="confirm")
        rows = [row for row in self.trials if row["phase"] == "confirm" and row["arm"] in finalists]
        mean = {arm: np.mean([row["val_accuracy"] for row in rows if row["arm"] == arm]) for arm in finalists}
        best = max(finalists, key=lambda arm: mean[arm])
        seed = max((r for r in rows if r["arm"] == best), key=lambda r: r["val_accuracy"])["seed"]
        self.winner = {"arm": best, "seed": seed, "weights": "winner.safetensors"}

    def write(self, folder: Path) -> Path:
        """Writes the files of the run directory and returns its path."""
        run = folder / self.name
        run.mkdir(parents=True)
        study: Row = {
            "name": self.name,
            "data": {"kind": "digits"},
            "train": {"epochs": self.epochs},
            "design": {"kind": self.kind},
        }
        study |= self.study
        if self.linked:
            study["factors"] = {name: {"same_as": other, "times": 2} for name, other in self.linked.items()}
        study |= {} if self.question is None else {"question": self.question}
        study |= {} if self.margin is None else {"margin": self.margin}
        with (run / "study.yaml").open("w", encoding="utf-8") as stream:
            YAML(typ="safe").dump(study, stream)
        (run / "arms.json").write_text(json.dumps(self._arms()), encoding="utf-8")
        (run / "environment.json").write_text(json.dumps(self._environment()), encoding="utf-8")
        _write_csv(run / "results.csv", [*FIXED, *self.columns], self.trials)
        _write_csv(run / "epochs.csv", [*EPOCH], self.curves)
        _write_csv(run / "images.csv", [*IMAGES], self.images)
        if self.diagnosis is not None:
            (run / "diagnosis.json").write_text(json.dumps(self.diagnosis), encoding="utf-8")
            _write_csv(run / "diagnosis.csv", [*GRADIENT], self.gradients)
        if self.latency:
            _write_csv(run / "latency.csv", [*self.latency[0]], self.latency)
        return run

    def _arms(self) -> Row:
        factors = [
            {"name": name, "columns": [name], "levels": levels, "baseline": self.baseline_levels[name]}
            for name, levels in self.columns.items()
        ]
        return {
            "schema": 1,
            "baseline": self.arms[0]["arm"],
            "input": [1, 8, 8],
            "cost_unit": "MACs",
            "design": {
                "kind": self.kind,
                "seeds": self.seeds,
                "match": self.match,
                "tolerance": 0.05 if self.match else None,
                "family": self.family,
                "match_by": "width" if self.match else None,
                "vary": ["initialisation", "order", "augmentation"],
                "fraction": None,
                "spaces": None,
                "cost_band": None,
                "acceptance": None,
                **({"proposals_passed_over": self.passed_over} if self.passed_over else {}),
                **self.design,
            },
            "factors": factors,
            "arms": self.arms,
            "derived": self.derived,
            "tuning": self.tuning,
            "fidelity": self.fidelity,
            "additions": self.additions,
            "selection": {
                "finalists": self.finalists,
                "winner": self.winner,
                "test_opened": "2026-11-22T05:00:00Z" if self.winner else None,
                "ledger": [self._opening()] if self.winner else [],
            },
        }

    def _opening(self) -> Row:
        confirmed = [row for row in self.trials if row["phase"] == "confirm"]
        arms = list(dict.fromkeys(row["arm"] for row in confirmed))
        return {"time": "2026-11-22T05:00:00Z", "arms": arms, "trials": len(confirmed)}

    def _environment(self) -> Row:
        seeds = {
            phase: sorted({row["seed"] for row in self.trials if row["phase"] == phase})
            for phase in ("tune", "random", "fidelity")
        }
        return {
            "versions": {"python": "3.11.9", "torch": "2.15.0", "optuna": "5.0.0", "ray": "2.60.0", "numpy": "2.4.0"},
            "commit": "4d1f0c7a9be2",
            "hardware": {"cpu": "Xeon, 2.6 GHz", "cores": 2, "memory_gib": 7.7, "gpus": []},
            "threads": 1,
            "workers": 2,
            "engine": "ray",
            "seeds": {
                "explore": [] if self.kind == "train" else self.seeds,
                "confirm": self.confirm_seeds if self.winner else [],
                **{phase: used for phase, used in seeds.items() if used},
            },
            "varied": ["initialisation", "order", "augmentation"],
            "data": {
                "kind": "digits",
                "checksum": "sha256:6f2b0c",
                "train": 1077,
                "validation": 360,
                "test": 360,
                "classes": [str(digit) for digit in range(10)],
            },
            "command": f"python -m search.run studies/{self.name}.yaml",
            "wall_seconds": 61.2,
            "sessions": [{"started": "2026-11-22T04:58:59Z", "seconds": 61.2, "trials": len(self.trials)}],
            "warnings": self.warnings,
            "planned": {"trials": len(self.trials) if self.planned is None else self.planned, **self._by_phase()},
        }

    def _by_phase(self) -> Row:
        if self.planned is not None:
            return {}
        phases = [row["phase"] for row in self.trials]
        return {"by_phase": {phase: phases.count(phase) for phase in dict.fromkeys(phases)}}


def ablation(**changes: Any) -> Sketch:
    """One factor at a time with twins at equal MACs: the default study's shape. Trials: `run_all` it, or choose."""
    sketch = Sketch(
        **{
            "name": "expansion_ablation",
            "kind": "one_at_a_time",
            "columns": {"expansion": ["1", "2", "4", "6"], "attention": ["none", "se"]},
            "baseline_levels": {"expansion": "4", "attention": "none"},
            "seeds": [0, 1, 2, 3, 4],
            "question": "Does a wider expansion buy accuracy, and does it still when MACs are held equal?",
            "match": "macs",
            **changes,
        }
    )
    sketch.arm({}, 0.967, 226_000)
    pair(sketch, {"expansion": "1"}, (0.921, 61_000), (0.951, 231_000, 0.022))
    pair(sketch, {"expansion": "2"}, (0.951, 109_000), (0.962, 219_000, -0.031))
    pair(sketch, {"expansion": "6"}, (0.972, 334_000), (0.966, 221_200, -0.021))
    attention = sketch.arm({"attention": "se"}, 0.970, 229_100, gap=0.0137)
    sketch.arms[-1]["twin"] = attention
    sketch.family = sum(entry["arm"] != sketch.arms[0]["arm"] for entry in sketch.arms)
    return sketch


def pair(sketch: Sketch, levels: dict[str, str], raw: tuple[float, int], twin: tuple[float, int, float]) -> None:
    """Adds an arm, (accuracy, MACs), and its twin, (accuracy, MACs, gap)."""
    first = sketch.arm(levels, *raw, gap=raw[1] / sketch.arms[0]["cost"]["macs"] - 1)
    label = sketch.arms[-1]["label"] + " at equal MACs"
    twin_id = sketch.arm(
        levels, twin[0], twin[1], label=label, match="macs", match_of=first, gap=twin[2], multiplier=1.4
    )
    next(entry for entry in sketch.arms if entry["arm"] == first)["twin"] = twin_id


def run_all(sketch: Sketch) -> Sketch:
    """Runs every arm that was not rejected with every seed."""
    for entry in sketch.arms:
        for seed in sketch.seeds if entry["status"] == "run" else []:
            sketch.run(entry["arm"], seed)
    return sketch


def finished_ablation(**changes: Any) -> Sketch:
    """The default study, finished and confirmed."""
    sketch = run_all(ablation(**changes))
    sketch.confirm(
        [
            entry["arm"]
            for entry in sketch.arms
            if entry["levels"]["expansion"] == "6" or entry["levels"]["attention"] == "se"
        ]
    )
    return sketch


def one_fresh_seed() -> Sketch:
    """The default study, confirmed with a single seed: means without intervals."""
    sketch = run_all(ablation(name="one_fresh_seed"))
    sketch.confirm([entry["arm"] for entry in sketch.arms if entry["levels"]["expansion"] == "6"], seeds=[1000])
    return sketch


def diagnosed_ablation() -> Sketch:
    """The default study, whose trials told about themselves, and whose arms' answers were timed."""
    sketch = finished_ablation(name="diagnosed_ablation")
    arm, other = sketch.arms[0]["arm"], sketch.arms[1]["arm"]
    who = [{"trial": f"{arm}-explore-{seed}", "arm": arm, "seed": seed, "phase": "explore"} for seed in (0, 1)]
    findings = [
        {**own, "kind": "dead_units", "text": f"{5 + index} of 16 units of stage 1 never fire", "value": 0.3 + index}
        for index, own in enumerate(who)
    ]
    blocks = {"stages.0.0": 0.5, "stages.0.1": 0.899}
    lesion = {"trial": "x", "arm": other, "seed": 1000, "images": 360, "accuracy": 0.9, "blocks": blocks}
    data = {"mean": [0.305], "deviation": [0.376], "classes": {"train": [106, 110]}, "warnings": []}
    data |= {"duplicates": {"train": 1, "test": 0}, "leaks": {"train and validation": 0, "train and test": 2}}
    sketch.diagnosis = {"schema": 1, "data": data, "findings": findings, "lesions": [lesion]}
    sketch.gradients = [
        {**own, "epoch": 1, "stage": "stem", "name": "gradient_norm", "value": 4.0**index}
        for index, own in enumerate(who)
    ]
    machine = {"threads": 1, "loaded": 0.4, "machine": "Xeon", "date": "2026-11-22"}
    sketch.latency = [
        {
            "arm": each, "runtime": runtime, "precision": "float32", "batch": batch, "median": 0.21 * batch + place,
            "low": 0.2 * batch + place, "high": 0.23 * batch + place, "bytes": 40_000 + place, "provider": provider,
            **machine,
        }
        for place, each in enumerate((arm, other))
        for batch in (1, 64)
        for runtime, provider in (("torch", ""), *((name, "CPUExecutionProvider") for name in ("onnxruntime", "int8")))
    ]  # fmt: skip
    for place, entry in enumerate(sketch.arms):  # as a study has them that measures its own arms, in one runtime
        timed = {"runtime": "onnxruntime", "provider": "CPUExecutionProvider", "bytes": 51_000 + place}
        entry["cost"] |= {"latency_1": 0.2 + place / 90, "latency_64": 13.1 - place}
        entry["latency"] = dict.fromkeys(("latency_1", "latency_64"), timed)
    return sketch


def one_seed() -> Sketch:
    """The default study with a single seed: differences, and nothing to tell them from noise."""
    return run_all(ablation(name="one_seed", seeds=[0]))


def broken_ablation() -> Sketch:
    """An ablation with every kind of mishap: rejected, duplicate, unmatched, diverged, failed, stopped."""
    sketch = ablation(name="broken_ablation", warnings=["the working tree had uncommitted changes"])
    sketch.arm(
        {"expansion": "16"}, 0.9, 912_000, status="rejected", reason="macs 912,000 is over the constraint 500,000"
    )
    sketch.arm({"expansion": "4.0"}, 0.9, 226_000, status="duplicate", reason="the same network as the baseline")
    sketch.arm(
        {"attention": "wide"}, 0.958, 300_000, unmatched="the smallest gap to be had is 8.1%, over the tolerance of 5%"
    )
    for entry in sketch.arms:
        for seed in sketch.seeds if entry["status"] == "run" else []:
            status, reason = "completed", ""
            if entry["label"] == "expansion=1" and seed in (3, 4):
                status, reason = "diverged", "the training loss was nan in epoch 2"
            if entry["label"] == "expansion=6" and seed == 2:
                status, reason = "failed", "CUDA out of memory after 3 attempts"
            if entry["label"] == "attention=wide" and seed == 0:
                status, reason = "stopped", "below the median at epoch 3"
            sketch.run(entry["arm"], seed, status=status, reason=reason)
    return sketch


def unfinished_ablation() -> Sketch:
    """An ablation of which less than half has been run."""
    sketch = ablation(name="unfinished_ablation")
    for entry in sketch.arms[:4]:
        for seed in sketch.seeds[:3]:
            sketch.run(entry["arm"], seed)
    sketch.run(sketch.arms[4]["arm"], 0, status="running")
    sketch.planned = len(sketch.arms) * len(sketch.seeds)
    return sketch


def failed_ablation() -> Sketch:
    """An ablation in which no trial finished."""
    sketch = ablation(name="failed_ablation")
    for entry in sketch.arms:
        for seed in sketch.seeds:
            sketch.run(entry["arm"], seed, status="failed", reason="RuntimeError: no kernel image is available")
    return sketch


def empty_ablation() -> Sketch:
    """An ablation that was planned and not begun."""
    sketch = ablation(name="empty_ablation")
    sketch.planned = len(sketch.arms) * len(sketch.seeds)
    return sketch


HOSTILE = "</script><img src=x onerror=\"document.title='owned'\"><!--<script>\u2028 %{x} <a href='https://evil.example'>a</a>"


def hostile_ablation() -> Sketch:
    """An ablation whose every text tries to break out of the page."""
    sketch = ablation(
        name="hostile",
        question=f"What of {HOSTILE}?",
        columns={HOSTILE: ["4", HOSTILE]},
        baseline_levels={HOSTILE: "4"},
        warnings=[HOSTILE],
        match=None,
    )
    sketch.arms.clear()
    sketch.arm({}, 0.96, 226_000, label=HOSTILE)
    sketch.arm({HOSTILE: HOSTILE}, 0.97, 300_000, label=HOSTILE + "2")
    sketch.arm({HOSTILE: "8"}, 0.97, 310_000, status="rejected", reason=HOSTILE)
    run_all(sketch)
    sketch.trials[1].update(status="failed", reason=HOSTILE, val_accuracy="")
    sketch.confirm([sketch.arms[1]["arm"]])
    return sketch


def factorial() -> Sketch:
    """A full factorial of two factors with an interaction."""
    sketch = Sketch(
        name="depth_by_expansion",
        kind="factorial",
        columns={"expansion": ["2", "4"], "depth": ["1", "2", "3"]},
        baseline_levels={"expansion": "4", "depth": "1"},
        seeds=[0, 1, 2, 3],
        question="Do depth and expansion add up?",
    )
    for expansion in ("4", "2"):
        for depth in ("1", "2", "3"):
            accuracy = 0.93 + 0.012 * int(depth) + 0.005 * (expansion == "4")
            sketch.arm(
                {"expansion": expansion, "depth": depth}, accuracy, 50_000 * int(depth) * (1 + (expansion == "4"))
            )
    sketch.arms[0]["label"] = "baseline"
    return run_all(sketch)


def matched_factorial() -> Sketch:
    """A full factorial with twins at the baseline's MACs: one cell is its own twin, one has none, two share theirs."""
    sketch = factorial()
    sketch.name, sketch.match = "matched_factorial", "macs"
    sketch.trials, sketch.curves, sketch.images = [], [], []
    costs = {("4", "1"): 1.0, ("4", "2"): 1.55, ("4", "3"): 2.1, ("2", "1"): 1.03, ("2", "2"): 0.8, ("2", "3"): 1.3}
    for entry in list(sketch.arms):
        cell = entry["levels"]["expansion"], entry["levels"]["depth"]
        entry["cost"]["macs"] = round(100_000 * costs[cell])
        entry["gap"] = costs[cell] - 1
        if abs(entry["gap"]) <= 0.05:
            entry["twin"] = entry["arm"]
        elif cell == ("2", "3"):
            entry["unmatched"] = "the smallest gap to be had is 8.1%, over the tolerance of 5%"
        else:
            gap = {("4", "2"): -0.03, ("4", "3"): 0.041, ("2", "2"): 0.012}[cell]
            given = {"label": f"{entry['label']} at equal MACs", "match": "macs", "match_of": entry["arm"], "gap": gap}
            accuracy = sketch.truth[entry["arm"]] - 0.006
            entry["twin"] = sketch.arm(entry["levels"], accuracy, round(100_000 * (1 + gap)), **given)
    return run_all(sketch)


def lost_factorial(expansions: Sequence[str] = ("4", "2")) -> Sketch:
    """A factorial of which one rate diverged, but for a single seed."""
    sketch = Sketch(
        name="lost_factorial",
        kind="factorial",
        columns={"expansion": sorted(expansions), "rate": ["0.1", "0.3", "1.0", "10.0"]},
        baseline_levels={"expansion": "4", "rate": "0.1"},
        seeds=[0, 1, 2, 3, 4],
        question="Which rate does either expansion take?",
    )
    for expansion in expansions:
        for place, rate in enumerate(("0.1", "0.3", "1.0", "10.0")):
            levels = {"expansion": expansion, "rate": rate}
            own = {name: level for name, level in levels.items() if level != sketch.baseline_levels[name]}
            sketch.arm(own, 0.93 + 0.01 * place + 0.005 * (expansion == "4"), 50_000 * (1 + (expansion == "4")))
    for entry in sketch.arms:
        hot, narrow = entry["levels"]["rate"] == "10.0", entry["levels"]["expansion"] == "2"
        for seed in sketch.seeds:
            gone = hot and not (narrow and seed == 3)
            reason = "the training loss was nan in epoch 2" if gone else ""
            sketch.run(entry["arm"], seed, status="diverged" if gone else "completed", reason=reason)
    return sketch


def searched(arms: int = 60, seeds: int = 1, name: str = "depth_width_search") -> Sketch:
    """An Optuna search of accuracy against MACs, arms at random, most with one seed."""
    sketch = Sketch(
        name=name,
        kind="search",
        columns={"width": [], "depth[0]": [], "depth[1]": [], "block": []},
        baseline_levels={"width": "8", "depth[0]": "1", "depth[1]": "1", "block": "basic"},
        seeds=list(range(seeds)),
        question="Which network is best for its MACs?",
        noise=0.003,
    )
    random = np.random.default_rng(7)
    sketch.arm({}, 0.952, 310_000)
    for number in range(1, arms):
        width, first, second = (int(value) for value in random.integers([4, 1, 1], [25, 4, 4]))
        macs = int(900 * width**2 * (first + 2 * second) + 700 * width + number)
        accuracy = 0.985 - 0.055 * (macs / 1e5) ** -0.55 - abs(float(random.normal(0, 0.012)))
        levels = {"width": str(width), "depth[0]": str(first), "depth[1]": str(second)}
        levels["block"] = str(random.choice(["basic", "bottleneck"]))
        sketch.arm(levels, accuracy, macs, arm=f"{number:012x}")
    run_all(sketch)
    return sketch


def finished_search() -> Sketch:
    """A search of 60 arms with a confirm phase, some arms stopped early and some rejected."""
    sketch = searched()
    for row in sketch.trials[-6:]:
        row.update(status="stopped", reason="dominated at epoch 3", val_accuracy="")
    sketch.passed_over = {"rejected": 7, "duplicate": 12}
    best = sorted((row for row in sketch.trials if row["val_accuracy"] != ""), key=lambda row: -row["val_accuracy"])
    sketch.confirm([row["arm"] for row in best[:3]])
    return sketch


def raced_search() -> Sketch:
    """A search that stopped arms early, kept budget for a race, and knew an earlier run; random search beside it."""
    sketch = finished_search()
    sketch.name = "raced_search"
    sketch.design = {
        "rungs": [3],
        "eta": 3,
        "racing": 0.2,
        "sampler": {"kind": "evolution", "why": "of its reasons"},
        "known": [{"run": "../runs/earlier", "arms": 14}],
        "prescreen": {
            "proxy": "params",
            "candidates": 2,
            "scores": {entry["arm"]: entry["cost"]["params"] for entry in sketch.arms[1:]},
        },
    }
    sketch.study = {"confirm": {"best_under": {"cost": "params", "limits": [100, 5_000, 20_000]}}}
    for place, row in enumerate(row for row in sketch.trials if row["status"] == "stopped"):
        row["reason"] = f"after epoch 3 not among the best {3 + place} of {12 + place} arms that had come so far"
    sketch.seeds = [0, 1, 2]
    for arm in sketch.finalists:
        for seed in sketch.seeds[1:]:
            sketch.run(arm, seed)
    for entry in sketch.arms[:12]:
        sketch.run(entry["arm"], 3_000_000, phase="random")
    return sketch


def trained() -> Sketch:
    """A study of one arm."""
    sketch = Sketch("one_network", "train", {}, {}, [0, 1, 2], question=None)
    sketch.arm({}, 0.968, 226_000)
    sketch.confirm([])
    return sketch


def listed() -> Sketch:
    """Arms written out by name, two of them equivalent within a margin."""
    sketch = Sketch(
        "named_arms",
        "list",
        {"variant": ["gelu", "silu"]},
        {"variant": "baseline"},
        [0, 1, 2, 3, 4, 5],
        question="Which activation?",
        margin=0.01,
        noise=0.002,
    )
    sketch.arm({}, 0.95, 226_000, label="baseline")
    sketch.arm({"variant": "gelu"}, 0.95, 226_000, arm=_digest("gelu"))
    sketch.arm({"variant": "silu"}, 0.97, 226_000, arm=_digest("silu"))
    return run_all(sketch)


def linked_factorial() -> Sketch:
    """A factorial of two factors and one that moves with the first."""
    sketch = Sketch(
        name="linked",
        kind="factorial",
        columns={"width": ["8", "16"], "groups": ["2", "4"], "depth": ["1", "2", "4"]},
        baseline_levels={"width": "8", "groups": "2", "depth": "1"},
        seeds=[0, 1, 2],
        linked={"groups": "width"},
    )
    for width, groups in (("8", "2"), ("16", "4")):
        for depth in ("1", "2", "4"):
            accuracy = 0.92 + 0.0012 * int(width) + 0.003 * int(depth)
            levels = {} if (width, depth) == ("8", "1") else {"width": width, "groups": groups, "depth": depth}
            sketch.arm(levels, accuracy, 1000 * int(width) * int(depth))
    return run_all(sketch)


def fraction() -> Sketch:
    """Half of the cells of three two-level factors: each main effect is aliased with an interaction."""
    sketch = Sketch(
        name="half_fraction",
        kind="factorial",
        columns={"se": ["off", "on"], "gelu": ["off", "on"], "deep": ["off", "on"]},
        baseline_levels={"se": "off", "gelu": "off", "deep": "off"},
        seeds=[0, 1, 2, 3],
        design={
            "fraction": {
                "kind": "resolution",
                "resolution": 3,
                "runs": 4,
                "aliases": [["se", "gelu:deep"], ["gelu", "se:deep"], ["deep", "se:gelu"]],
            }
        },
    )
    for se, gelu, deep in (("off", "off", "off"), ("on", "on", "off"), ("on", "off", "on"), ("off", "on", "on")):
        accuracy = 0.93 + 0.01 * (se == "on") + 0.002 * (gelu == "on") + 0.015 * (deep == "on")
        own = {"se": se, "gelu": gelu, "deep": deep}
        levels = {name: level for name, level in own.items() if level == "on"}
        sketch.arm(levels, accuracy, 100_000 + 80_000 * (deep == "on"))
    return run_all(sketch)


def populations(arms: int = 40, name: str = "two_spaces") -> Sketch:
    """Two spaces sampled at random under a band of MACs, one of them better."""
    sketch = Sketch(
        name=name,
        kind="population",
        columns={"width": [], "depth[0]": [], "block": []},
        baseline_levels={"width": "8", "depth[0]": "1", "block": "basic"},
        seeds=[0],
        noise=0.002,
        study={"question": "Which space holds the better networks?"},
    )
    random = np.random.default_rng(11)
    sketch.arm({}, 0.952, 210_000)
    spaces: dict[str, list[str]] = {"basic": [], "bottleneck": []}
    for number in range(2 * arms):
        block = "basic" if number % 2 else "bottleneck"
        width, depth = int(random.integers(4, 25)), int(random.integers(1, 5))
        macs = int(random.uniform(150_000, 250_000))
        error = 0.03 + 0.00001 * (width - 12) ** 2 + 0.02 * float(random.beta(2, 4)) + 0.006 * (block == "basic")
        levels = {"width": str(width), "depth[0]": str(depth), "block": block}
        spaces[block].append(sketch.arm(levels, 1 - error, macs, arm=f"{number + 1:012x}"))
    sketch.design = {
        "spaces": [
            {"name": name, "arms": ids, "drawn": 90 + len(ids), "accepted": len(ids)} for name, ids in spaces.items()
        ],
        "cost_band": {"cost": "macs", "min": 150_000, "max": 250_000},
        "acceptance": {"drawn": 180 + 2 * arms, "accepted": 2 * arms},
    }
    return run_all(sketch)


def tuned_ablation() -> Sketch:
    """An ablation in which every arm found its own learning rate; the baseline's own value was the best for it."""
    sketch = ablation(name="tuned_ablation", match=None)
    sketch.arms = [entry for entry in sketch.arms if entry["match"] == "none"]
    sketch.tuning = {
        "trials": 3,
        "seed": TUNE_SEED,
        "paths": {"train.optimizer.lr": {"low": 0.01, "high": 1, "log": True}},
        "arms": {},
    }
    for entry in list(sketch.arms):
        _tune(sketch, entry)
    run_all(sketch)
    sketch.additions = [{"time": "2026-11-23T05:00:00Z", "what": "seeds 3, 4"}]
    sketch.confirm([entry["arm"] for entry in sketch.arms if entry["levels"]["expansion"] == "6"])
    return sketch


def _tune(sketch: Sketch, entry: Row) -> None:
    """Tries three rates of an arm, of which one may diverge, and gives it a tuned arm unless its own is the best."""
    path, own = "train.optimizer.lr", 0.1
    candidates = []
    for value, gain in ((0.1, 0.0), (0.03, 0.009 if entry["label"] != "baseline" else -0.01), (0.4, -0.012)):
        accuracy = sketch.truth[entry["arm"]] + gain
        name = entry["arm"] if value == own else sketch.derive(entry["arm"], "tune", {path: value}, accuracy)
        gone = value == 0.4 and entry["label"] == "expansion=1"
        reason = "the training loss was nan in epoch 2" if gone else ""
        sketch.run(name, TUNE_SEED, phase="tune", status="diverged" if gone else "completed", reason=reason)
        row = sketch.trials[-1]
        candidates.append(
            {
                "arm": name, "trial": row["trial"], "values": {path: value}, "status": row["status"],
                "val_accuracy": row["val_accuracy"],
            }
        )  # fmt: skip
    best = max(candidates, key=lambda candidate: candidate["val_accuracy"] or 0)
    tuned = entry["arm"]
    if best["arm"] != entry["arm"]:
        tuned = sketch.arm(
            {k: v for k, v in entry["levels"].items() if v != sketch.baseline_levels[k]},
            sketch.truth[best["arm"]],
            entry["cost"]["macs"],
            label=f"{entry['label']}, tuned",
            tuned_of=entry["arm"],
        )
    entry["tuned"] = tuned
    assert sketch.tuning is not None
    sketch.tuning["arms"][entry["arm"]] = {
        "tuned": tuned,
        "own": {path: own},
        "values": best["values"],
        "own_score": candidates[0]["val_accuracy"],
        "score": best["val_accuracy"],
        "candidates": candidates,
    }


def short_and_full(agreeing: bool = True) -> Sketch:
    """A search in which twelve arms were trained short and full, to see whether the short ranking can be trusted."""
    sketch = searched(arms=30, name="short_and_full")
    pairs = []
    for entry in sketch.arms[:12]:
        truth = sketch.truth[entry["arm"]]
        length = {"short": truth - 0.03, "full": truth if agreeing else 1.9 - truth}
        pair: Row = {"arm": entry["arm"]}
        for name, accuracy in length.items():
            own = sketch.derive(entry["arm"], "fidelity", {"train.epochs": {"short": 4, "full": 8}[name]}, accuracy)
            sketch.run(own, 2000, phase="fidelity")
            pair[name] = {"arm": own, "trials": [sketch.trials[-1]["trial"]]}
        pairs.append(pair)
    sketch.fidelity = {"epochs": [4, 8], "seeds": [2000], "arms": pairs}
    return sketch


def _blocks(cost: Row) -> list[Row]:
    """A stem, two stages of a block each, and a head, that share an arm's cost."""
    shares = (("stem", "conv3x3", [8, 8, 8], 0.1), ("stages.0.0", "bottleneck", [32, 8, 8], 0.4))
    shares += (("stages.1.0", "bottleneck", [64, 4, 4], 0.45), ("head", "linear", [10], 0.05))
    return [
        {"name": name, "kind": kind, "output": output, **{unit: int(part * n) for unit, n in cost.items()}}
        for name, kind, output, part in shares
    ]


def _correct(accuracy: float, random: np.random.Generator) -> str:
    """Packs which images were right: the hard ones fail more often, so that trials agree."""
    hardness = np.random.default_rng(3).random(SPLIT)
    noise = random.normal(0, 0.15, SPLIT)
    right = np.ones(SPLIT, dtype=bool)
    right[np.argsort(hardness + noise)[: round((1 - accuracy) * SPLIT)]] = False
    return base64.b64encode(np.packbits(right).tobytes()).decode()


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _write_csv(path: Path, columns: list[str], rows: list[Row]) -> None:
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows({key: _inert(value) for key, value in row.items()} for row in rows)


def _inert(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@") else value
