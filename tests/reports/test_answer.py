"""The sentences of the first screen."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from reports.answer import Answer, answer, question
from reports.findings import find
from reports.numbers import could_have_been
from reports.table import Table, read
from tests.reports import runs


@pytest.fixture
def said(table: Callable[[str], Table]) -> Callable[[str], Answer]:
    return lambda name: answer(find(table(name)))


def plain(text: object) -> str:
    return str(text).replace("\u00a0", " ")


def test_an_ablation_is_answered_raw_and_at_equal_cost(said: Callable[[str], Answer]) -> None:
    reply = said("ablation")
    assert plain(reply.headline) == (
        "2 of 4 changes moved validation accuracy detectably: expansion 4 → 1 (−4.41 pp) and expansion 4 → 2 "
        "(−1.44 pp). At equal MACs, 1 of 3 did: expansion 4 → 1 (−1.50 pp)."
    )
    assert plain(reply.statements[2]) == (
        "expansion 4 → 6: +0.59 pp [−0.10, 1.28] at +48% MACs, 5 paired seeds: not detected (1.60 pp could have been). "
        "At equal MACs (gap −2.1%): +0.30 pp [−0.44, 1.04], 5 paired seeds: not detected (1.71 pp could have been)."
    )
    assert plain(reply.statements[3]).endswith("That is at equal MACs already (gap +1.4%).")
    assert reply.caveats == ()


def test_a_factorial_says_whether_its_factors_act_together(said: Callable[[str], Answer], tmp_path: Path) -> None:
    assert plain(said("factorial").headline).endswith(" No interaction of expansion and depth was detected.")
    assert plain(said("linked").headline).endswith(" No interaction of width & groups and depth was detected.")
    sketch = runs.factorial()
    deepest = {arm["arm"] for arm in sketch.arms if arm["levels"] == {"expansion": "2", "depth": "3"}}
    for row in sketch.trials:
        row["val_accuracy"] = float(row["val_accuracy"]) - 0.2 * (row["arm"] in deepest)
    headline = plain(answer(find(read(sketch.write(tmp_path)))).headline)
    step = re.search(r" What one factor gives hangs on another: expansion and depth \(−(\d+\.\d+) pp\)\.$", headline)
    assert step is not None
    assert 19 < float(step[1]) < 21.5


def test_the_winner_comes_with_choice_test_cost_and_how_to_load_it(said: Callable[[str], Answer]) -> None:
    winner = said("ablation").winner
    assert winner is not None
    assert winner.label == "expansion=6"
    assert winner.load == 'load_model("winner.safetensors")'
    text = plain(" ".join(winner.sentences))
    assert "By both phases together, free of the luck of being chosen, it is worth 9" in text
    assert "97.4% [96.3, 98.5] on validation over 3 fresh seeds" in text
    assert "97.0% [95.9, 98.1] on the sealed test split, opened once on 2026-11-22 05:00 UTC" in text
    assert "chosen among 3 finalists and the baseline" in text
    assert "334 k MACs (+48% against the baseline), 12.4 k parameters." in text


def test_the_winners_seed_is_the_lowest_only_where_seeds_tie(tmp_path: Path) -> None:
    sketch = runs.finished_ablation()
    assert sketch.winner is not None
    mine = [row for row in sketch.trials if row["phase"] == "confirm" and row["arm"] == sketch.winner["arm"]]
    for row in mine[1:]:
        row["val_accuracy"] = 0.99
    sketch.winner["seed"] = mine[1]["seed"]
    winner = answer(find(read(sketch.write(tmp_path)))).winner
    assert winner is not None
    assert "The file holds seed 1001, the lowest of 2 that tie on validation, which has" in plain(winner.sentences)


def test_one_seed_is_no_verdict_and_says_so(said: Callable[[str], Answer]) -> None:
    reply = said("one seed")
    assert plain(reply.headline).startswith("One seed: no interval, no verdict. The largest difference from the ")
    text = plain(reply.statements[2])
    assert "at +48% MACs, one seed: no verdict (one seed: no interval)" in text
    assert "do not vary" not in text
    assert "nan" not in text


def test_what_no_test_could_find_is_said_in_words() -> None:
    assert plain(could_have_been(0.0142)) == "1.42 pp could have been"
    for beyond in (1.01, math.inf, math.nan):
        assert could_have_been(beyond) == "nothing could have been, at this noise"


def test_mishaps_are_told(said: Callable[[str], Answer]) -> None:
    reply = said("broken")
    statements = {statement.subject: plain(statement) for statement in reply.statements}
    assert "3 of 5 paired seeds (2 diverged): suggestive" in statements["expansion 4 → 1"]
    assert "At equal MACs: unmatched: the smallest gap" in statements["attention none → wide"]
    assert plain(reply.caveats[0]).startswith("Trials without a result: 1 failed and 2 diverged")


def test_a_margin_allows_equivalence(said: Callable[[str], Answer]) -> None:
    reply = said("list")
    assert plain(reply.headline).endswith("silu (+2.14 pp); 1 is equivalent to the baseline.")
    assert "at the same MACs, 6 paired seeds: equivalent (within ±1.00 pp)" in plain(reply.statements[0])


def test_an_unfinished_run_detects_nothing_and_says_so(said: Callable[[str], Answer]) -> None:
    reply = said("unfinished")
    assert plain(reply.headline).startswith("None of 2 changes compared (4 declared) moved")
    assert plain(reply.caveats[0]).startswith("Unfinished: 12 of 40 planned trials have ended.")
    assert not any("detected." in plain(statement).replace("not detected", "") for statement in reply.statements)


@pytest.mark.parametrize(
    ("name", "headline"),
    [
        ("failed", "No trial completed, so there is no answer: 40 failed of 40 trials."),
        ("empty", "No trial has finished yet, so there is no answer: 40 trials planned."),
        (
            "train",
            "The network reaches 96.8% [96.8, 96.8] on validation over 3 seeds, at 226 k MACs and 8.37 k parameters.",
        ),
    ],
)
def test_runs_without_comparisons_are_honest(name: str, headline: str, said: Callable[[str], Answer]) -> None:
    reply = said(name)
    assert plain(reply.headline) == headline
    assert reply.statements == ()


def test_a_search_is_answered_by_its_front(said: Callable[[str], Answer]) -> None:
    reply = said("search")
    assert plain(reply.headline).startswith("16 arms of 54 measured make the Pareto front: from 92.0% at 104 k MACs")
    assert reply.statements[-1].subject == "At any cost"
    again = [plain(str(clause)) for each in reply.statements for clause in each.clauses if "fresh" in clause.text]
    assert again == ["On 3 fresh seeds it reached 97.5% [96.4, 98.6]."]
    assert any("scatters by" in caveat for caveat in reply.caveats)
    assert reply.winner is not None


def test_a_question_is_made_of_the_factors_if_none_was_asked(table: Callable[[str], Table]) -> None:
    assert question(table("ablation")).startswith("Does a wider expansion")
    assert question(table("train")) == "How accurate is this network, and what does it cost?"


def test_of_many_factors_and_spaces_the_first_are_named_and_the_others_counted(tmp_path: Path) -> None:
    names = [f"factor{number}" for number in range(12)]
    sketch = runs.Sketch(
        "many", "one_at_a_time", {name: ["0", "1"] for name in names}, dict.fromkeys(names, "0"), [0, 1]
    )
    sketch.arm({}, 0.9, 1000)
    asked = question(read(runs.run_all(sketch).write(tmp_path)))
    assert asked == "What does changing factor0, factor1, factor2 and 9 more do to validation accuracy?"
    drawn = runs.populations(name="seven_spaces")
    of = {entry["arm"]: place % 7 for place, entry in enumerate(drawn.arms[1:])}
    spaces: list[list[str]] = [[arm for arm in of if of[arm] == place] for place in range(7)]
    drawn.design["spaces"] = [
        {"name": f"space{place}", "arms": own, "drawn": 20, "accepted": len(own)} for place, own in enumerate(spaces)
    ]
    for row in drawn.trials[1:]:
        row["val_accuracy"] -= 0.02 * of[row["arm"]]
    headline = plain(answer(find(read(drawn.write(tmp_path)))).headline)
    assert [headline.count(f"of space{place} (") for place in range(1, 7)] == [0, 0, 0, 1, 1, 1]
    assert "3 more spaces differ from space0." in headline


def test_without_a_margin_the_page_says_what_seeds_would_find_and_promises_no_decision(
    said: Callable[[str], Answer],
) -> None:
    text = plain(" ".join(said("ablation").prospects))
    assert re.search(r"A true difference of [\d.]+ pp would be found with the 5 seeds an arm has", text)
    found = [float(each) for each in re.findall(r"(?:difference|one) of ([\d.]+) pp", text)]
    assert len(found) == 3
    assert found == sorted(found, reverse=True)
    assert text.endswith("The study states no margin, so which difference matters is left to the reader.")


def test_a_baseline_outside_the_constraints_is_said_to_be_a_reference(tmp_path: Path) -> None:
    sketch = runs.finished_search()
    sketch.arms[0]["reason"] = "outside the constraints, as a reference only: macs 226,000 above the limit of 200,000"
    headline = plain(answer(find(read(sketch.write(tmp_path)))).headline)
    assert headline.endswith(
        "it is outside the constraints, as a reference only: macs 226,000 above the limit of 200,000."
    )


def test_what_a_winner_is_worth_is_not_told_across_recipes(tmp_path: Path) -> None:
    sketch = runs.finished_ablation()
    sketch.study = {"confirm": {"epochs": 40}}
    winner = answer(find(read(sketch.write(tmp_path)))).winner
    assert winner is not None
    assert "By both phases together" not in " ".join(winner.sentences)
    assert "on validation over 3 fresh seeds" in plain(" ".join(winner.sentences))
