"""Paths into a study: what they name, and what they say when they name nothing."""

from __future__ import annotations

import copy

import pytest

from search import paths

DATA = {"network": {"stages": [{"width": 1, "block": {"e": 1}}, {"width": 2, "block": {"e": 2}}], "name": "x"}}


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("a", ("a",)),
        ("a.b", ("a", "b")),
        ("a[*].b", ("a", "*", "b")),
        ("a[each].b", ("a", "each", "b")),
        ("a[10]", ("a", 10)),
    ],
)
def test_parsing(text: str, parts: paths.Path) -> None:
    assert paths.parse(text) == parts


@pytest.mark.parametrize("text", ["", ".a", "a.", "a..b", "[0]", "a[-1]", "a[x]", "a b", "os.system('ls')", "a.*"])
def test_what_is_no_path(text: str) -> None:
    with pytest.raises(paths.PathError):
        paths.parse(text)


def test_a_star_names_every_item_and_each_one_path_an_item() -> None:
    star, each = paths.parse("network.stages[*].width"), paths.parse("network.stages[each].width")
    assert paths.values(star, DATA) == [(("network", "stages", 0, "width"), 1), (("network", "stages", 1, "width"), 2)]
    assert paths.each(star, DATA) == [star]
    assert paths.each(each, DATA) == [("network", "stages", 0, "width"), ("network", "stages", 1, "width")]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("network.stages.width", r"is a list: write \[\*\], \[each\] or an index"),
        ("network.stagez[*].width", "there are stages, name; did you mean 'stages'"),
        ("network.stages[5].width", r"has 2 items, so there is no \[5\]"),
        ("network.name[*]", "is not a list"),
        ("network.name.x", "is a single value"),
    ],
)
def test_paths_that_lead_nowhere(text: str, complaint: str) -> None:
    with pytest.raises(paths.PathError, match=complaint):
        paths.values(paths.parse(text), DATA)


def test_patching_replaces_mappings_whole_and_leaves_the_original_alone() -> None:
    before = copy.deepcopy(DATA)
    after = paths.patched(DATA, [(paths.parse("network.stages[*].block"), {"f": 3})])
    assert [stage["block"] for stage in after["network"]["stages"]] == [{"f": 3}, {"f": 3}]
    after["network"]["stages"][0]["block"]["f"] = 4
    assert after["network"]["stages"][1]["block"] == {"f": 3}
    assert before == DATA


def test_differences() -> None:
    found = list(paths.differences({"a": [1, 2], "b": 1, "c": True}, {"a": [1, 3, 4], "b": 1.0, "c": 1}))
    assert found == [(("a", 1), 2, 3), (("a", 2), None, 4), (("c",), True, 1)]


def test_a_bare_kind_on_the_way_is_the_mapping_that_it_stands_for() -> None:
    data = {"stages": [{"block": "basic"}, {"block": {"kind": "bottleneck"}}]}
    after = paths.patched(data, [(paths.parse("stages[*].block.norm"), "group")])
    assert after["stages"] == [
        {"block": {"kind": "basic", "norm": "group"}},
        {"block": {"kind": "bottleneck", "norm": "group"}},
    ]
    assert data["stages"][0] == {"block": "basic"}
