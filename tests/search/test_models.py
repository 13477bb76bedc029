"""Models of a run: verified, exported, and refused with one message where they aren't what they should be."""

from __future__ import annotations

import importlib
import json
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy
import plotly.graph_objects
import pytest
import torch

from blocks import load_model, save_model
from reports.figures import latency as figure
from reports.table import read
from search import audit, export, latency, prune, record, timing, verify
from search.run import refresh
from tests.search.command import arms, rows
from tests.search.models import small_run


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_run(tmp_path_factory.mktemp("models"))


def confirmed(run: Path) -> list[dict[str, str]]:
    return [row for row in rows(run / "results.csv") if row["phase"] == "confirm"]


def unconfirmed(run: Path) -> str:
    """Returns an arm of which no weights were kept."""
    return next(arm["arm"] for arm in arms(run)["arms"] if arm["arm"] not in {row["arm"] for row in confirmed(run)})


def test_the_winner_carries_its_figures_and_reproduces_them(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = load_model(run / "winner.safetensors")
    own = [row for row in confirmed(run) if row["arm"] == model.provenance["arm"]]
    (shipped,) = [row for row in own if row["trial"] == model.provenance["trial"]]
    metrics = model.metrics
    assert (metrics["val_accuracy"], metrics["test_accuracy"]) == tuple(
        float(shipped[name]) for name in ("val_accuracy", "test_accuracy")
    )
    assert metrics["test_accuracy_mean"] == pytest.approx(sum(float(row["test_accuracy"]) for row in own) / len(own))
    low, high = metrics["test_accuracy_interval"]
    assert low <= metrics["test_accuracy_mean"] <= high
    assert (metrics["macs"], metrics["params"]) == (int(shipped["macs"]), int(shipped["params"]))
    assert model.provenance["versions"]["torch"] == torch.__version__.split("+")[0]
    assert verify.main([str(run / "winner.safetensors")]) == 0
    said = capsys.readouterr().out
    assert "test: " in said
    assert said.count("as recorded") == 2


def test_what_does_not_come_out_as_recorded_is_exit_3(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = load_model(run / "winner.safetensors")
    metrics = {**model.metrics, "test_accuracy": 0.123}
    save_model(tmp_path / "boast.safetensors", model, model.metadata.replace(metrics=metrics))
    assert verify.main([str(tmp_path / "boast.safetensors")]) == 3
    assert "NOT the recorded 12.3000%" in capsys.readouterr().out


def test_a_confirmed_arm_is_exported_and_an_explored_one_is_trained_again(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    baseline = arms(run)["baseline"]
    assert export.main([str(run), "--arm", "baseline"]) == 0
    path = Path(capsys.readouterr().out.strip())
    assert load_model(path).provenance["arm"] == baseline
    assert verify.main([str(path)]) == 0
    arm = unconfirmed(run)
    assert export.main([str(run), "--arm", arm]) == 2
    assert "weights weren't kept: --retrain trains its best seed" in capsys.readouterr().err
    assert export.main([str(run), "--arm", arm, "--retrain"]) == 0
    assert "as recorded" in capsys.readouterr().out
    model = load_model(run / "exports" / f"{arm}.safetensors")
    assert model.metrics["test_accuracy"] is None
    assert verify.main([str(run / "exports" / f"{arm}.safetensors")]) == 0
    assert "test: not recorded; the split was not opened" in capsys.readouterr().out
    assert export.main([str(run), "--arm", "width=13"]) == 2
    assert "did you mean 'width=12'?" in capsys.readouterr().err


def test_the_best_under_each_limit_is_kept(run: Path) -> None:
    names = {path.name: load_model(path) for path in (run / "best_under").iterdir()}
    assert set(names) == {"params_6000.safetensors", "params_9000.safetensors"}
    means: dict[str, list[float]] = {}
    params = {row["arm"]: int(row["params"]) for row in confirmed(run)}
    for row in confirmed(run):
        means.setdefault(row["arm"], []).append(float(row["val_accuracy"]))
    for limit in (6000, 9000):
        fitting = [sum(means[arm]) / 2 for arm in means if params[arm] <= limit]
        model = names[f"params_{limit}.safetensors"]
        assert params[model.provenance["arm"]] <= limit
        assert sum(means[model.provenance["arm"]]) / 2 == max(fitting)


def test_source_and_hugging_face_layout(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "hub"
    assert export.main([str(run), "--to", "huggingface", "--out", str(folder)]) == 0
    assert "logits differ by 0.0e+00" in capsys.readouterr().out
    model = load_model(folder / "model.safetensors")
    scope: dict[str, Any] = {"__name__": "network"}
    exec((folder / "network.py").read_text(), scope)
    network = scope["Network"]()
    network.load_state_dict(model.state_dict())
    images = torch.randint(0, 256, (3, 1, 8, 8), dtype=torch.uint8)
    assert torch.equal(network.eval()(scope["preprocess"](images)), model(model.preprocess(images)))
    config = json.loads((folder / "config.json").read_text())
    assert list(config["id2label"].values()) == list(model.labels)
    card = (folder / "README.md").read_text()
    for said in (f"{model.metrics['test_accuracy']:.2%}", f"{model.metrics['params']:,}", "## Limits"):
        assert said in card
    assert "in int8" not in card
    train = {**model.provenance["train"], "evaluation": {"flip": False, "int8": True}}
    save_model(
        tmp_path / "int8.safetensors", model, model.metadata.replace(provenance={**model.provenance, "train": train})
    )
    assert export.main([str(tmp_path / "int8.safetensors"), "--to", "huggingface", "--out", str(folder)]) == 0
    card = (folder / "README.md").read_text()
    assert "test accuracy of these weights in int8" in card
    assert "The weights here are the float32 ones that it is made from" in card
    # pruned and trained on, it is measured in float32, and says what it is
    pruned = str(tmp_path / "pruned.safetensors")
    assert prune.main([str(tmp_path / "int8.safetensors"), "--fraction", "0.25", "--out", pruned]) == 0
    assert verify.main([pruned]) == 0
    assert export.main([pruned, "--to", "huggingface", "--out", str(folder)]) == 0
    card = (folder / "README.md").read_text()
    assert ", pruned by 25%" in card
    assert "in int8" not in card
    assert card.startswith("---\nlicense: unknown")
    assert "seeds" not in card  # it is one network: no mean, no interval
    assert "pruned by 0.25 of its channels (uniform) and not trained since. That one: study `small`, arm" in card
    assert '"epochs": 0' in card


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["onnx", "pt2", "int8"])
def test_graphs(run: Path, kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, model = tmp_path / f"model.{kind}", load_model(run / "winner.safetensors")
    assert export.main([str(run), "--to", kind, "--out", str(path)]) == 0
    said = capsys.readouterr().out
    assert ("batches 1, 2, 7 of 8x8 and 16x16" in said) == (kind != "int8")
    assert path.stat().st_size > 1000
    if kind == "pt2":
        inside = {"model.json": ""}
        torch.export.load(path, extra_files=inside)
        told = json.loads(inside["model.json"])
    else:
        told = {entry.key: entry.value for entry in importlib.import_module("onnx").load(path).metadata_props}
        told = {name: value if name == "images" else json.loads(value) for name, value in told.items()}
    assert told["labels"] == list(model.labels)
    assert (told["input"], told["mean"]) == ([1, 8, 8], list(model.metadata.mean))


def test_tensorrt_has_its_labels_beside_it(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a stand-in for torch-tensorrt that compiles nothing: there is no GPU."""

    def save(compiled: Any, path: str, inputs: Any) -> None:
        Path(path).write_bytes(b"compiled")

    fake = types.ModuleType("torch_tensorrt")
    fake.Input = lambda **shapes: shapes  # type: ignore[attr-defined]
    fake.dynamo = types.SimpleNamespace(compile=lambda program, inputs: program.module())  # type: ignore[attr-defined]
    fake.save = save  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "torch_tensorrt", fake)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.Tensor, "cuda", lambda self: self)
    assert export.main([str(run), "--to", "tensorrt"]) == 0
    model, told = load_model(run / "winner.safetensors"), json.loads((run / "winner.ts.json").read_text())
    assert (run / "winner.ts").read_bytes() == b"compiled"
    assert (told["labels"], told["input"], told["mean"]) == (list(model.labels), [1, 8, 8], list(model.metadata.mean))


def test_tensorrt_says_what_it_lacks(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert export.main([str(run), "--to", "tensorrt"]) == 2
    assert "torch-tensorrt" in capsys.readouterr().err


USELESS = {
    "prune": {
        "--lr nan": "'nan' is not a number above 0",
        "--lr 0.1": "--epochs says for how long",
        "--fraction 1": "'1' is not a number above 0 and below 1",
    },
    "export": {
        "--retrain": "--retrain trains an arm again: name it with --arm",
        "--to source --provider CPUExecutionProvider": "it goes with --to onnx and --to int8",
        "--to onnx --provider CPU": "did you mean 'CPUExecutionProvider'?",
    },
    "latency": {
        "--seconds nan": "'nan' is not a number above 0",
        "--runtime onnxruntime --provider CPUExecutionProvidr": "did you mean 'CPUExecutionProvider'?",
        "--provider CPUExecutionProvider": "--runtime onnxruntime goes with it",
        "--runtime onnxruntime --precision bfloat16": "--precision is torch's",
    },
}


@pytest.mark.parametrize("command", USELESS)
def test_an_option_that_would_do_nothing_is_refused(
    run: Path, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    module, path = {"prune": prune, "export": export, "latency": latency}[command], str(run / "winner.safetensors")
    for options, said in USELESS[command].items():
        fraction = ["--fraction", "0.3"] if command == "prune" and "--fraction" not in options else []
        try:
            code = module.main([path, *fraction, *options.split()])
        except SystemExit as ended:  # argparse's
            code = int(ended.code or 0)
        assert (code, said in (told := capsys.readouterr().err)) == (2, True), (options, told)


def test_what_answers_in_int8_is_not_timed_in_torch(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model, path = load_model(run / "winner.safetensors"), tmp_path / "int8.safetensors"
    train = {**model.provenance["train"], "evaluation": {"flip": False, "int8": True}}
    save_model(path, model, model.metadata.replace(provenance={**model.provenance, "train": train}))
    assert latency.main([str(path), "--runtime", "torch"]) == 2
    assert "it answers in int8, which torch doesn't run: say --runtime onnxruntime" in capsys.readouterr().err


def test_pruning_makes_an_ordinary_model(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "pruned.safetensors"
    arguments = [str(run), "--fraction", "0.5", "--steps", "2", "--epochs", "1"]
    assert prune.main([*arguments, "--scope", "global", "--out", str(out)]) == 0
    told = capsys.readouterr()
    said = told.out
    assert "step 2: trained on for 1 epoch" in said
    assert f"the winner of {run}: {run / 'winner.safetensors'}" in told.err
    before, model = load_model(run / "winner.safetensors"), load_model(out)
    assert model.metrics["macs"] == model.spec.cost((1, 8, 8)).macs < before.metrics["macs"]
    assert f"{model.metrics['val_accuracy']:.2%}" in said
    assert "test accuracy" not in said
    assert model.metrics["test_accuracy"] is None
    assert verify.main([str(out)]) == 0
    assert export.main([str(out), "--to", "source"]) == 0
    capsys.readouterr()
    assert prune.main([str(run / "winner.safetensors"), "--fraction", "0.99"]) == 2
    assert capsys.readouterr().err == "search.prune: 1.0% of a width of 8 channels leaves nothing\n"


def test_the_test_split_is_opened_when_asked_and_the_record_says_so_first(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = small_run(tmp_path)
    assert prune.main([str(run / "winner.safetensors"), "--fraction", "0.5", "--test"]) == 0
    model = load_model(run / "winner_pruned_50.safetensors")
    said = f"test accuracy {model.metrics['test_accuracy']:.2%} of {model.metrics['test_images']} images"
    assert f"{said}; the record of run notes that it was opened" in capsys.readouterr().out
    opened = [entry for entry in record.read(run / "trials.jsonl")[0] if entry["event"].startswith("test_opened")]
    assert len(opened) == 2
    assert opened[1]["why"] == "for winner_pruned_50.safetensors, pruned by 0.5 of the channels"
    assert opened[1]["winner"] == opened[0]["winner"]
    assert audit.main([str(run)]) == 0
    assert model.provenance["train"]["epochs"] == 0
    assert model.provenance["train"]["init"]["prune"]["fraction"] == 0.5
    parent = load_model(run / "winner.safetensors").provenance
    assert "seed" not in model.provenance
    assert (model.provenance["derived_from"]["seed"], model.provenance["derived_from"]["arm"]) == (
        parent["seed"],
        parent["arm"],
    )
    refresh(run)
    assert opened[1]["why"] in (run / "report.html").read_text()


def test_latency_is_measured_with_its_circumstances(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert latency.main([str(run), "--batch", "1", "2", "--seconds", "0.01"]) == 0
    capsys.readouterr()
    measured = rows(run / "latency.csv")
    assert {row["arm"] for row in measured} == {arm["arm"] for arm in arms(run)["arms"]}
    for row in measured:
        assert 0 < float(row["low"]) <= float(row["median"]) <= float(row["high"])
        assert (row["threads"], row["precision"], row["runtime"]) == ("1", "float32", "torch")
        assert int(row["runs"]) >= 20
        assert int(row["bytes"]) == 4 * int(row["params"])
    frame = figure.data(read(run))
    assert sorted(frame["median"]) == pytest.approx(sorted(float(row["median"]) for row in measured))
    assert set(figure.draw(frame)) == {"batch 1", "batch 2", "size"}
    for drawn in figure.draw(frame).values():
        plotly.graph_objects.Figure(drawn.data, drawn.layout)
    assert "with 1 thread" in figure.caption(frame)


def test_the_interval_of_a_median_covers_it() -> None:
    draw = numpy.random.default_rng(0)
    covered = 0
    for _ in range(400):
        median, low, high = timing.middle(draw.exponential(size=41).tolist())
        assert low <= median <= high
        covered += low <= numpy.log(2) <= high
    assert 0.93 <= covered / 400 <= 0.99


def flipped(raw: bytes) -> bytes:
    return raw[:-3] + bytes([raw[-3] ^ 4]) + raw[-2:]


def newer(raw: bytes) -> bytes:
    return raw.replace(b'"schema":"1"', b'"schema":"2"')


DAMAGES: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "cut": (lambda raw: raw[: len(raw) // 2], "not a whole safetensors file"),
    "flipped": (flipped, "damaged: tensors and metadata don't match the hash"),
    "newer": (newer, "its schema is 2, newer than the 1"),
    "pickle": (lambda raw: b"\x80\x02}q\x00.", "not a whole safetensors file"),
    "empty": (lambda raw: b"", "not a whole safetensors file"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_is_one_message_and_nothing_written(
    run: Path, damage: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    change, said = DAMAGES[damage]
    path = tmp_path / "winner.safetensors"
    path.write_bytes(change((run / "winner.safetensors").read_bytes()))
    for command, arguments in ((verify.main, []), (export.main, ["--to", "source"])):
        assert command([str(path), *arguments]) == 2
        told = capsys.readouterr()
        assert said in told.err
        assert "Traceback" not in told.err
        assert told.err.count("\n") == 1
        assert told.out == ""
    assert [each.name for each in tmp_path.iterdir()] == ["winner.safetensors"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--data", "{kind: synthetic, image_size: 10}"], "takes images of 1x8x8, and these data are"),
        (["--data", "{images: 200}"], "these are not the images that it was trained and tested on"),
        (["--data", "{kind: synthetik}"], "unknown data set 'synthetik'"),
    ],
)
def test_other_data_are_refused(run: Path, arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert verify.main([str(run / "winner.safetensors"), *arguments]) == 2
    assert said in capsys.readouterr().err


def test_what_is_no_run_and_no_order(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert export.main([str(tmp_path), "--arm", "baseline"]) == 2
    assert "no run directory" in capsys.readouterr().err
    assert export.main([str(run)]) == 2
    assert "say --to huggingface|int8|onnx|pt2|source|tensorrt" in capsys.readouterr().err
    assert export.main([str(tmp_path / "none.safetensors"), "--to", "source"]) == 2
    assert "can't be read: No such file" in capsys.readouterr().err


def test_nothing_of_the_users_is_written_over(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "README.md").write_text("mine")
    (tmp_path / "file").touch()
    orders = {
        ("huggingface", "mine"): "that folder holds something else; name an empty or a new one",
        ("huggingface", "file"): "that is a file; name a folder",
        ("source", "mine"): "that is a folder; name a file",
        ("source", "no/where"): "there is no folder",
    }
    for (kind, out), said in orders.items():
        assert export.main([str(run), "--to", kind, "--out", str(tmp_path / out)]) == 2
        assert said in capsys.readouterr().err
    assert prune.main([str(run / "winner.safetensors"), "--fraction", "0.5", "--out", str(tmp_path / "mine")]) == 2
    assert "that is a folder; name a file" in capsys.readouterr().err
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["README.md", "file", "mine"]
    assert (tmp_path / "mine" / "README.md").read_text() == "mine"
