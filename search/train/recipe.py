"""The recipe of a trial: everything about training that is not the network, the data or the seed."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Any, Literal, Self

from pydantic import ConfigDict, Field, model_validator

from blocks.base import Count, Flag, Fraction, Natural, Number, Positive
from search.content import ContentSpec
from search.train import rates
from search.train.augmentations import Augment
from search.train.distill import Distill
from search.train.extras import EarlyStopping, Ema, EvaluationSpec, QuantisationAware
from search.train.initial import InitialField
from search.train.optimizers import OPTIMIZERS, OptimizerSpec
from search.train.schedules import SCHEDULES, ScheduleSpec

UNTRAINED: dict[str, Any] = {
    "if": {"properties": {"epochs": {"const": 0}}, "required": ["epochs"]},
    "then": {"required": ["init"]},
}
"""What a schema says of a recipe without epochs: it is for weights that are there already."""


class TrainSpec(ContentSpec):
    """How a network is trained. Every field can be a factor of a study."""

    model_config = ConfigDict(json_schema_extra=UNTRAINED)

    epochs: Natural = 10
    """Passes over the training split. 0 leaves first weights (``init``) as they are, and evaluates them."""
    batch_size: Count = 128
    """Images a step. Every step has exactly this many: the images left over at the end of an epoch are left out of
    it, others each time. It can be no larger than the training split."""
    optimizer: Annotated[OptimizerSpec, OPTIMIZERS] = Field(default_factory=lambda: OPTIMIZERS.parse("sgd"))
    schedule: Annotated[ScheduleSpec, SCHEDULES] = Field(default_factory=lambda: SCHEDULES.parse("cosine"))
    """How the learning rate changes from step to step."""
    label_smoothing: Annotated[Number, Field(ge=0, lt=1)] = 0.0
    """The share of each target that is spread evenly over all classes (Szegedy et al., arXiv:1512.00567)."""
    augment: Augment = Augment()
    target_accuracy: Fraction | None = None
    """The validation accuracy whose first epoch is reported as ``epochs_to_target``."""
    checkpointing: Flag = False
    """Whether blocks are run again in the backward pass instead of being remembered: less memory for more time
    (Chen et al. 2016, https://arxiv.org/abs/1604.06174)."""
    precision: Literal["auto", "float32", "bfloat16", "float16"] = "float32"
    """What convolutions and matrix products compute in, in training and in evaluation; weights, losses and tallies are
    float32 in any case. ``auto`` takes the fastest that keeps float32's range, measured once a study, before its first
    trial. float16 scales its loss (Micikevicius et al. 2018, https://arxiv.org/abs/1710.03740)."""
    micro_batch: Count | Literal["auto"] | None = None
    """How many images go through the network at a time, if not the whole batch: gradients of its parts are added up
    before the weights change. Batch norm sees the parts. ``auto`` takes the most that fits the memory, for all arms."""
    compile: Literal["off", "auto", "on"] = "off"
    """Whether blocks are compiled by Inductor, equal blocks once: 20 to 40 s an architecture on a CPU. ``auto``
    measures whether a trial of this study is long enough for that to pay."""
    cuda_graphs: Flag = False
    """Whether forward and backward passes on a GPU are recorded once and replayed, which saves small networks the time
    to start each kernel. Not with ``compile`` or ``checkpointing``."""
    deterministic: Flag = False
    """Whether a GPU uses none but deterministic operations, so that a rerun gives the same bits; slower. On a CPU it
    does in any case."""
    threads: Count = 1
    """CPU threads of a trial. They change the order of sums, hence the last digits: a part of the recipe."""
    diagnosis: Literal["off", "sampled", "full"] = "sampled"
    """How often a trial looks at its own gradients, updates and activations: now and then, at a cost of about a
    hundredth of its time; at every step and epoch; or not at all. It changes no number of the training."""

    accumulation: Count = 1
    """In how many parts a batch goes through the network, another way to give ``micro_batch``. Each part's gradient
    weighs by the images in it; ``batch_size`` is the whole."""
    clip_norm: Positive | None = None
    """Gradients whose common L2 norm is larger are scaled down to it, once all parts of a batch are added up (Pascanu
    et al., arXiv:1211.5063)."""
    clip_value: Positive | None = None
    """Every gradient's entry is cut off at this size, either way, before any ``clip_norm``."""
    ema: Ema | None = None
    """``{decay: 0.999}``: a moving average of the weights is evaluated, and kept."""
    init: InitialField | None = None
    """Trained weights to start from: ``../runs/NAME/winner.safetensors`` (as seen from the study's folder), or a
    preset with its ``weights``."""
    distill: Distill | None = None
    """``{teacher: ../runs/NAME/winner.safetensors, temperature: 4, weight: 0.9}``: a trained network's answers are
    learned from beside the labels."""
    freeze: tuple[Literal["stem"] | Natural, ...] = ()
    """Parts that are not trained, batch norms' statistics included: ``[stem, 0, 1]``, stages by their index."""
    freeze_batch_norm: Literal["none", "statistics", "affine", "both"] = "none"
    """What of all batch norms stays as it is: the running ``statistics``, which are then used in training too; the
    ``affine`` scale and shift; or ``both``."""
    early_stopping: EarlyStopping | None = None
    """``{patience: 5}``: training ends when validation has told nothing better for so long."""
    quantisation_aware: QuantisationAware | None = None
    """``{start: 0.5}``: from that share of training on, the forward pass rounds as the int8 graph will that answers
    (``evaluation.int8``)."""
    evaluation: EvaluationSpec = EvaluationSpec()

    @model_validator(mode="before")
    @classmethod
    def _resolve_rates(cls, given: Any) -> Any:
        if not isinstance(given, Mapping) or "optimizer" not in given:
            return given
        batch_size = given.get("batch_size", cls.model_fields["batch_size"].default)
        if isinstance(batch_size, bool) or not isinstance(batch_size, int) or batch_size < 1:
            return given  # which is said of the batch size itself
        return {**given, "optimizer": rates.resolved(given["optimizer"], batch_size)}

    @model_validator(mode="after")
    def _graphs_stand_alone(self) -> Self:
        if self.cuda_graphs and (self.compile != "off" or self.checkpointing):
            raise ValueError("cuda_graphs records plain steps: it goes neither with compile nor with checkpointing")
        return self

    @model_validator(mode="after")
    def _rounds_alone(self) -> Self:
        if self.quantisation_aware is None:
            return self
        if not self.evaluation.int8:
            raise ValueError("quantisation_aware is for answers in int8: set evaluation: {int8: true} too")
        others = {
            "compile": self.compile != "off",
            "cuda_graphs": self.cuda_graphs,
            "checkpointing": self.checkpointing,
            f"precision: {self.precision}": self.precision != "float32",
            "freeze": bool(self.freeze),
            "freeze_batch_norm": self.freeze_batch_norm != "none",
            "distill.features": self.distill is not None and self.distill.features is not None,
        }
        if wrong := [name for name, there in others.items() if there]:
            raise ValueError(f"quantisation_aware trains an exported graph of the network: not with {wrong[0]}")
        if self.micro_batch != "auto" and 1 in (self.images_at_once(), self.batch_size % self.images_at_once()):
            raise ValueError("quantisation_aware trains on two images at a time, at least")
        return self

    @model_validator(mode="after")
    def _features_are_seen(self) -> Self:
        features = self.distill is not None and self.distill.features is not None
        if features and (self.compile != "off" or self.cuda_graphs or self.checkpointing):
            raise ValueError(
                "distill.features are read off the blocks as they run: not with compile, cuda_graphs or checkpointing"
            )
        return self

    @property
    def batch_seen(self) -> int:
        """How many images a layer sees at a time; the whole batch while that is still to be found out."""
        return self.batch_size if self.micro_batch == "auto" else self.images_at_once()

    def images_at_once(self, halvings: int = 0) -> int:
        """Returns how many images go through the network at a time, after so many halvings for want of memory.

        Raises:
            ValueError: If that is still to be found out.
        """
        if self.micro_batch == "auto":
            raise ValueError("micro_batch 'auto' was not settled before the trial")
        most = min(self.micro_batch or -(-self.batch_size // self.accumulation), self.batch_size)
        return max(1, -(-most // (1 << halvings)))

    @model_validator(mode="after")
    def _parts_of_a_batch(self) -> Self:
        if self.accumulation > 1 and self.micro_batch is not None:
            raise ValueError("'accumulation' and 'micro_batch' say the same thing: give one of them")
        if self.accumulation > self.batch_size:
            raise ValueError(f"a batch of {self.batch_size} has no {self.accumulation} parts")
        return self

    @model_validator(mode="after")
    def _untrained_is_trained_before(self) -> Self:
        if self.epochs == 0 and self.init is None:
            raise ValueError("0 epochs train nothing: they are for weights that are there already, named by 'init'")
        return self

    @model_validator(mode="after")
    def _long_enough(self) -> Self:
        last = self.schedule.last_epoch()
        if last > self.epochs:
            raise ValueError(
                f"the schedule counts to epoch {last:g} (epochs, not batches), and training ends after {self.epochs}"
            )
        return self

    def content(self) -> dict[str, Any]:
        """Returns the plain data that tell one recipe from another: without the later fields that are at their
        defaults, so that recipes written before there were such fields keep their identity."""
        return dict(self._content)

    @cached_property
    def _content(self) -> dict[str, Any]:
        defaults = TrainSpec().plain()
        kept = {name: value for name, value in self.plain().items() if name in FIRST or value != defaults[name]}
        optimizer = rates.content(self.optimizer.plain())
        if self.init is not None:
            kept["init"] = self.init.content()
        if self.distill is not None:
            kept["distill"] = self.distill.content()
        if "evaluation" in kept:
            kept["evaluation"] = self.evaluation.content()
        return {**kept, "optimizer": optimizer, "schedule": self.schedule.content(), "augment": self.augment.content()}


FIRST = {
    "epochs", "batch_size", "optimizer", "schedule", "label_smoothing", "augment", "target_accuracy", "checkpointing",
    "threads",
}  # fmt: skip
"""The fields that are part of every recipe's identity; others are where they differ from their defaults."""
