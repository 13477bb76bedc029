"""A folder as the Hugging Face Hub has models: config, weights, preprocessing, source, and a card with real figures."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from blocks import TrainedNetwork, save_model
from search.described import in_int8
from search.formats import Order, source
from search.run_directory import write_atomically

SUFFIX = ""


def write(order: Order) -> list[str]:
    """Writes the folder; nothing is uploaded. Its weights are a whole model's file too: ``load_model`` reads it."""
    folder, model = order.out, order.model
    folder.mkdir(parents=True, exist_ok=True)
    said = source.write(order._replace(out=folder / "network.py"))
    save_model(folder / "model.safetensors", model, model.metadata)
    for name, content in (("config.json", _config(model)), ("preprocessor_config.json", _preprocessing(model))):
        write_atomically(folder / name, json.dumps(content, indent=2, ensure_ascii=False) + "\n")
    write_atomically(folder / "README.md", card(model))
    return [
        said[0].replace("the source", "network.py"),
        "its model card has the study's figures and no licence: choose one in its first lines before you upload it",
    ]


def _config(model: TrainedNetwork) -> dict[str, Any]:
    _, height, _ = model.metadata.input
    return {
        "architectures": ["Network"],
        "model_type": "residual_search",
        "num_labels": model.spec.head.num_classes,
        "id2label": {str(index): label for index, label in enumerate(model.labels)},
        "label2id": {label: index for index, label in enumerate(model.labels)},
        "num_channels": model.spec.in_channels,
        "image_size": height,
        "spec": model.spec.plain(),
    }


def _preprocessing(model: TrainedNetwork) -> dict[str, Any]:
    _, height, width = model.metadata.input
    return {
        "do_rescale": True,
        "rescale_factor": 1 / 255,
        "do_resize": True,
        "size": {"height": height, "width": width},
        "do_normalize": True,
        "image_mean": list(model.metadata.mean),
        "image_std": list(model.metadata.std),
    }


def card(model: TrainedNetwork) -> str:
    """Returns the model card: every figure in it is one that the model's file records."""
    whence, (channels, height, width) = model.provenance, model.metadata.input
    data = _data(model)
    stages = "; ".join(f"{stage.depth} x {stage.block.kind} of width {stage.width}" for stage in model.spec.stages)
    return "\n".join(
        [
            *_front_matter(model, data),
            f"# {whence.get('study', 'A residual network')}: {whence.get('label', 'a network')}",
            "",
            f"An image classifier for {model.spec.head.num_classes} classes; images of {channels}x{height}x{width}.",
            f"Its stages: {stages}.",
            "",
            "## Figures",
            "",
            "| what | value |",
            "| --- | --- |",
            *(f"| {name} | {value} |" for name, value in _figures(model)),
            "",
            *_of_the_figures(model),
            "## Use",
            "",
            "```python",
            "from safetensors.torch import load_file",
            "from network import Network, labels, preprocess",
            "",
            "network = Network()",
            'network.load_state_dict(load_file("model.safetensors"))',
            "logits = network.eval()(preprocess(images))  # uint8 of 0..255 or floats of 0..1, N C H W",
            "```",
            "",
            "## Intended use",
            "",
            f"Research, and images like those that it was trained on: {data}, {whence.get('train_images', '?')} "
            f"training images, resized to {height}x{width}. Classes: {', '.join(model.labels) or 'unnamed'}.",
            "",
            "## Limits",
            "",
            "* It answers with one of its classes whatever it is shown; it can't say that an image is none of them.",
            "* Its probabilities were not calibrated, and it was not tested on images from another source, on damaged",
            "  ones, or for fairness between groups of people.",
            *_limits(model),
            "",
            "## Where it comes from",
            "",
            f"{_origin(model)}; data checksum `{str(whence.get('data_checksum', '?'))[:16]}`; recipe:",
            "",
            "```json",
            json.dumps(whence.get("train", {}), indent=2),
            "```",
            "",
        ]
    )


def _data(model: TrainedNetwork) -> str:
    data = model.provenance.get("data")
    return str(data.get("kind", "unknown data") if isinstance(data, dict) else data or "unknown data")


def _origin(model: TrainedNetwork) -> str:
    """Says which trial the weights are of, or which one's model they were made from."""
    whence = model.provenance
    parent = whence.get("derived_from")
    trial = whence if parent is None else parent
    said = f"Study `{whence.get('study', '?')}`, arm `{trial.get('arm', '?')}`, seed {trial.get('seed', '?')}"
    if parent is None:
        return said
    made = whence.get("prune") or {}
    epochs = made.get("epochs")
    after = f"and trained on for {epochs} epoch{'s' * (epochs != 1)}" if epochs else "and not trained since"
    how = f"pruned by {made['fraction']:.3g} of its channels ({made.get('scope', '?')}) {after}" if made else "changed"
    sha256 = f"file SHA-256 `{str(parent.get('sha256', '?'))[:16]}`"
    return f"Made from the model of another network, {how}. That one: {said[0].lower()}{said[1:]}, {sha256}"


def _of_the_figures(model: TrainedNetwork) -> Iterator[str]:
    """Says what the figures are of, as far as there is something to say."""
    if (model.metrics.get("seeds") or 0) > 1:
        yield "The interval is a t interval over seeds: it tells how much another training run would differ, not how"
        yield "other images would. These are the weights of the seed with the best validation accuracy."
        yield ""


def _front_matter(model: TrainedNetwork, data: str) -> Iterator[str]:
    yield from ("---", "license: unknown  # none was chosen yet: name yours, and mind that of the data")
    yield from ("library_name: pytorch", "pipeline_tag: image-classification", "tags: [residual-search]")
    accuracy = model.metrics.get("test_accuracy")
    if accuracy is not None:
        yield "model-index:"
        yield f"- name: {json.dumps(str(model.provenance.get('study', 'network')))}"
        yield "  results:"
        yield "  - task: {type: image-classification}"
        yield f"    dataset: {{name: {json.dumps(data)}, type: {json.dumps(data)}, split: test}}"
        yield f"    metrics: [{{type: accuracy, value: {accuracy!r}}}]"
    yield "---"


def _figures(model: TrainedNetwork) -> Iterator[tuple[str, str]]:
    metrics, int8 = model.metrics, " in int8" if in_int8(model) else ""
    for split in ("test", "val"):
        own, mean = metrics.get(f"{split}_accuracy"), metrics.get(f"{split}_accuracy_mean")
        name, images = {"test": "test", "val": "validation"}[split], metrics.get(f"{split}_images")
        if own is not None:
            yield f"{name} accuracy of these weights{int8}", f"{own:.2%}" + (f" of {images:,} images" if images else "")
        if mean is not None and (metrics.get("seeds") or 0) > 1:
            low_high = metrics.get(f"{split}_accuracy_interval")
            between = f" [{low_high[0]:.2%}, {low_high[1]:.2%}]" if low_high else ""
            yield f"{name} accuracy{int8}, mean of {metrics.get('seeds', '?')} seeds [95%]", f"{mean:.2%}{between}"
    cost = model.spec.cost(model.metadata.input)
    yield "multiply-adds of one image", f"{cost.macs:,}"
    yield "parameters", f"{cost.params:,}"


def _limits(model: TrainedNetwork) -> Iterator[str]:
    if in_int8(model):
        yield "* Its accuracies are those of an int8 graph (`--to int8` writes it, calibrated on training images)."
        yield "  The weights here are the float32 ones that it is made from, and answer a little otherwise."
    if model.metrics.get("test_accuracy") is None:
        yield "* No test accuracy is known: the test split was not opened for it."
    elif images := model.metrics.get("test_images"):
        yield f"* Its test accuracy rests on {images:,} images; it was chosen on validation images, not on those."
