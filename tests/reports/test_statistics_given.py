"""The public face as a researcher tries it: lists, arrays, single numbers, odd tables, and mistakes told in words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from reports import statistics as s
from tests.reports.evidence import findable

SHORT, FULL = [0.61, 0.64, 0.66, 0.6, 0.7, 0.69], [0.9, 0.93, 0.92, 0.89, 0.95, 0.96]


def test_single_numbers_lists_arrays_and_series_are_all_the_same() -> None:
    one = s.detectable(0.01, 5)
    assert isinstance(one, float)
    assert one == pytest.approx(0.01 * findable(5, 0.05), rel=1e-3)
    named = pd.Series([0.01, 0.02], index=["a", "b"])
    for sd, pairs in (([0.01, 0.02], 5), (np.array([0.01, 0.02]), [5, 5]), (named, 5), (named, [5, 5])):
        found = s.detectable(sd, pairs)
        assert found.tolist() == pytest.approx([one, 2 * one])
        assert list(found.index) == (["a", "b"] if isinstance(sd, pd.Series) else [0, 1])
    assert s.detectable(0.01, [1, 5]).isna().tolist() == [True, False]
    p = [0.01, 0.04, float("nan"), 0.03]
    assert s.holm(np.array(p)).equals(s.holm(p))
    assert s.holm(p).tolist() == pytest.approx([0.04, 0.09, np.nan, 0.09], nan_ok=True)
    assert s.holm(0.02, family=3).tolist() == pytest.approx([0.06])
    values = [0.1, 0.2, 0.4]
    row = s.means(values).iloc[0]
    assert (row["low"], row["high"]) == pytest.approx(stats.t.interval(0.95, 2, np.mean(values), stats.sem(values)))
    assert s.means({"a": values, "b": [1, 2, 3]}).index.tolist() == ["a", "b"]
    arms = list("uvwxyz")
    agreed = s.rank_agreement(SHORT, FULL)
    assert agreed == s.rank_agreement(pd.Series(SHORT, arms), pd.Series(FULL, arms))
    assert agreed == s.rank_agreement(np.array(SHORT), dict(enumerate(FULL)))
    assert agreed.tau == pytest.approx(stats.kendalltau(SHORT, FULL).statistic)
    tested = s.paired(values).iloc[0]
    assert tested["p"] == pytest.approx(stats.ttest_1samp(values, 0).pvalue)
    assert s.standardised(0.01, 0.02, 6)["standardised"].iloc[0] == pytest.approx(
        s.standardised([0.01, 0.01], [0.02, 0.02], 6)["standardised"].iloc[1]
    )
    assert s.chances([0.9, 0.8], 0.01, [2, 1]).shape == (2, 2)
    assert s.edf([0.3, 0.1, 0.2])["error"].tolist() == [0.1, 0.2, 0.3]
    assert s.effective_size([1, 1, 2]) == pytest.approx(16 / 6)
    assert s.equalising_weights([1, 2, 1, 2], ["a", "a", "b", "b"], bins=1).tolist() == [0.5] * 4
    assert s.mcnemar([1, 0, 1, 1], [1, 1, 1, 0]) == s.mcnemar(
        np.array([True, False, True, True]), np.array([True, True, True, False])
    )
    assert s.noise([[[1, 0, 1], [1, 1, 0]], [[0, 0, 1], [1, 1, 1]]], baseline=0)["seeds"].tolist() == [2]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: s.detectable("much", 5), "sd: numbers are wanted, not 'much'"),
        (lambda: s.detectable([0.01, 0.02], [5, 5, 5]), "pairs: 2 numbers are wanted, not 3"),
        (lambda: s.detectable(-0.01, 5), "a standard deviation is at least 0, not -0.01"),
        (lambda: s.detectable(0.01, 5, level=5), "lies between 0 and 1: 5 does not"),
        (lambda: s.detectable(np.ones((2, 2)), 5), "sd: one dimension is wanted, not 2"),
        (lambda: s.power(0.01, [0.01], 5), r"a standard deviation is one number here, not \[0.01\]"),
        (lambda: s.pairs_needed(0.01, "0.01"), "a standard deviation is one number here, not '0.01'"),
        (lambda: s.more_pairs(0.01, 5, [-1]), "numbers of further pairs are at least 0"),
        (lambda: s.sd_interval(0.01, 1), "a paired test needs at least 2 pairs, not 1"),
        (lambda: s.holm(["a"]), "p values: numbers are wanted"),
        (lambda: s.holm([1.2]), "p values lie from 0 to 1: 1.2 does not"),
        (lambda: s.holm([0.1, 0.2], family=1), "a family of 1 cannot hold 2"),
        (lambda: s.means(["a", "b"]), "means: numbers are wanted"),
        (lambda: s.means([1, 2], confidence=95), "a confidence lies between 0 and 1: 95 does not"),
        (lambda: s.rank_agreement([1, 2, 3], [1, 2]), "3 short scores and 2 full ones"),
        (lambda: s.rank_agreement("abc", [1, 2]), "short scores: numbers are wanted, not 'abc'"),
        (lambda: s.paired([0.1, "x"]), "differences: numbers are wanted"),
        (lambda: s.chances([0.9, 0.8], 0.01, [1]), "cost: 2 numbers are wanted, not 1"),
        (lambda: s.edf([0.1, 0.2], [1]), "weights: 2 numbers are wanted, not 1"),
        (lambda: s.effective_size([0, 0]), "weights of at least 0, one of them above, are wanted"),
        (lambda: s.equalising_weights([1, 2], ["a"]), "2 costs and 1 names of spaces"),
        (lambda: s.mcnemar([1, 2], [0, 1]), "true or false, 1 or 0, is wanted for every image"),
        (lambda: s.noise([[1, 0]]), r"arms x seeds x images are wanted.* the shape is \(1, 2\)"),
        (lambda: s.group_means(pd.DataFrame({"a": [1]}), by="b", value="a"), "the table has no column 'b'"),
    ],
)
def test_mistakes_are_told_in_a_sentence(call: Callable[[], Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()


def tidy() -> pd.DataFrame:
    rows = [(width, seed, 0.9 + 0.01 * width + 0.003 * seed * width) for width in (1, 2, 3) for seed in (0, 1, 2, 3)]
    return pd.DataFrame(rows, columns=["width", "seed", "val_accuracy"])


def test_effects_take_levels_and_pairs_of_any_kind() -> None:
    table = tidy()
    expected = s.effects(table, baseline=1, by="width", pair="seed")
    assert expected["width"].tolist() == [2, 3]
    variants = [
        (table.assign(width=table["width"].map({1: "one", 2: "two", 3: "three"})), "one"),
        (table.assign(width=table["width"].astype(str).astype("category")), "1"),
        (table.assign(width=table["width"] > 1).drop_duplicates(["width", "seed"]), False),
        (table.assign(seed=table["seed"].map("run {}".format)), 1),
        (table.astype({"val_accuracy": "Float64", "width": "Int64"}), 1),
        (table.sample(frac=1, random_state=0), 1),
        (table.set_index(table["seed"] * 10), 1),
    ]
    for given, baseline in variants:
        found = s.effects(given, baseline=baseline, by="width")
        assert found["p"].min() == pytest.approx(expected["p"].min())
    hole = table[~((table["width"] == 2) & (table["seed"] == 3))]
    rows = s.effects(hole, baseline=1, by="width").set_index("width")
    assert (rows.loc[2, "pairs"], rows.loc[2, "planned"], rows.loc[3, "pairs"]) == (3, 4, 4)
    assert rows.loc[2, "verdict"] != s.Verdict.DETECTED
    assert s.effects(table[table["width"] == 1], baseline=1, by="width").empty


@pytest.mark.parametrize(
    ("change", "given", "message"),
    [
        (lambda t: t, {"baseline": "1"}, "the baseline '1' is not in the column 'width': it has 1, 2, 3"),
        (lambda t: t.astype({"val_accuracy": str}), {}, "not numbers, but texts: pandas.to_numeric makes them such"),
        (lambda t: t.assign(val_accuracy=["x", *t["val_accuracy"].astype(str)[1:]]), {}, "not numbers: 'x' in row 0"),
        (lambda t: pd.concat([t, t[:1]]), {}, "width 1 has more than one row for seed 0"),
        (lambda t: t.rename(columns={"seed": "run"}), {}, "no column 'seed': it has width, run, val_accuracy"),
        (lambda t: t.assign(width=t["width"].where(t["seed"] > 0)), {}, "the column 'width' has a missing value"),
        (lambda t: t, {"pair": "width"}, "three different columns are wanted"),
        (lambda t: t, {"margin": -1}, "a margin is a positive number, not -1"),
        (lambda t: t, {"family": 1}, "a family of 1 cannot hold 2 comparisons"),
        (lambda t: t.to_dict("list"), {}, "a pandas DataFrame, not dict"),
        (lambda t: t.assign(val_accuracy=t["val_accuracy"].where(t["seed"] > 0, np.inf)), {}, "is infinite at width 1"),
    ],
)
def test_tables_that_will_not_do_are_told_why(change: Any, given: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        s.effects(change(tidy()), **{"baseline": 1, "by": "width", **given})
