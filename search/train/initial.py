"""Where a network's first weights come from, if not from chance: what fine-tuning starts from."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, ValidationError, ValidationInfo, field_validator, model_validator

from blocks import NetworkSpec, preset
from blocks.base import Count, Number, Spec, Text
from blocks.narrowing import uniform
from blocks.parts.norm import NORMS, NormSpec
from blocks.presets import preset_family
from blocks.renorming import renormed
from search.paths import differences

if TYPE_CHECKING:
    from blocks import Metadata


class Unfit(ValueError):
    """Weights that a network can't start from; the message says why.

    Attributes:
        field: Of ``init``, which it is about; None where it is all of it.
    """

    def __init__(self, message: str, field: str | None = None) -> None:
        super().__init__(message, field)
        self.field = field

    def __str__(self) -> str:
        return str(self.args[0])


class Prune(Spec):
    """Channels taken out by the L1 norms of their filters (Li et al. 2016, arXiv:1608.08710)."""

    fraction: Annotated[Number, Field(gt=0, lt=1)]
    """Of the channels."""
    scope: Literal["uniform", "global"] = "uniform"
    """Whether every width loses it, or most those whose filters are smallest against the mean of their layer."""
    multiple_of: Count = 1
    """What every width stays a multiple of, by losing less: engines are fast at multiples of 8."""


class Initial(Spec):
    """Trained weights: a model's file, or a preset's published ones. The head is kept if it says the same classes, and
    begins anew else. A bare path is shorthand for ``file``."""

    file: Text | None = None
    """A model that a study or ``save_model`` wrote, as seen from the study's folder:
    ``../runs/NAME/winner.safetensors``."""
    sha256: Text | None = None
    """Of the file; filled in when the study is read. It is what tells two files apart, not where they lie."""
    preset: Text | None = None
    """A preset's name, such as ``resnet50``."""
    weights: Text | None = None
    """Of the preset: ``torchvision:IMAGENET1K_V2``. They are downloaded at their first use."""
    prune: Prune | None = None
    """``{fraction: 0.3}``: channels that are taken out of it first. The arm's network is the pruned one then."""
    norm: Annotated[NormSpec, NORMS] | None = None
    """``group``: what takes the place of every batch norm, in the arm's network too. Its scales and shifts are kept,
    channel by channel; running statistics are left behind."""

    @model_validator(mode="before")
    @classmethod
    def _read(cls, given: Any) -> Any:
        """Takes the hash of a file that is there."""
        if not isinstance(given, Mapping) or not isinstance(given.get("file"), str):
            return given
        path, known = Path(given["file"]).absolute(), given.get("sha256")
        try:
            there = path.is_file()
        except OSError as error:  # a name longer than names can be
            raise ValueError(f"there can't be such a file: {error.strerror}") from None
        if not there and known is None:
            raise ValueError(f"there is no file {path}: run the study that writes it first, or name another")
        if not there:
            return given
        found = _sha256(path, path.stat().st_mtime_ns)
        if known not in (None, found):
            raise ValueError(f"{path} is not the file that it was: its SHA-256 is {found}, not {known}")
        return {**given, "file": str(path), "sha256": found}

    @field_validator("preset")
    @classmethod
    def _known(cls, name: str | None) -> str | None:
        """Looks a preset up, so that a wrong name is told at its own place."""
        if name is not None:
            preset_family(name)
        return name

    @field_validator("weights")
    @classmethod
    def _published(cls, weights: str | None, info: ValidationInfo) -> str | None:
        """Looks published weights up by their name; nothing is downloaded."""
        if weights is not None and info.data.get("preset") is not None:
            _demand_published(info.data["preset"], weights)
        return weights

    @model_validator(mode="after")
    def _one_or_the_other(self) -> Self:
        if (self.file is None) == (self.preset is None) or (self.preset is None) != (self.weights is None):
            raise ValueError("weights come from a 'file', or from a 'preset' with its 'weights'")
        return self

    def content(self) -> dict[str, Any]:
        """Returns the plain data that tell one origin from another: not where a file lies."""
        left_out = {"file", *(name for name in ("prune", "norm") if getattr(self, name) is None)}
        return {name: value for name, value in self.plain().items() if name not in left_out}

    def spec(self) -> NetworkSpec:
        """Returns the network whose weights they are, pruned and with other norms where that is asked for; weights are
        read only if what is pruned depends on them.

        Raises:
            ValueError: If the preset, or a spec in the file, isn't there, or can't be changed so.
        """
        return self._normed(self._pruned())

    def narrowed(self, network: NetworkSpec) -> NetworkSpec:
        """Returns what pruning and other norms make of an arm's network; the network itself where neither is asked for.

        Raises:
            Unfit: If the weights are of another network, or it can't be changed so.
        """
        if self.prune is None and self.norm is None:
            return network
        with _at():
            if (wrong := self._misfit(self._whole(), network)) is not None:
                raise ValueError(wrong)
        with _at("prune"):
            pruned = self._pruned()
        head, theirs = network.head.plain(), pruned.head.plain()
        if head["kind"] == theirs["kind"] and "width" in head:
            head["width"] = theirs["width"]
        with _at("norm"):
            return self._normed(pruned.replace(head=head, drop_path=network.drop_path))

    def labels(self) -> tuple[str, ...]:
        """Returns the names of the classes that a file's network tells apart; none where they aren't known."""
        known = self._described()
        return () if known is None else known[1].labels

    def input(self) -> tuple[int, int, int] | None:
        """Returns C H W of the images that a file's network was trained on; None where they aren't known."""
        known = self._described()
        return None if known is None else known[1].input

    def _described(self) -> tuple[NetworkSpec, Metadata] | None:
        """Returns what a file says of itself, if it is whole: what is wrong with it is said of its spec."""
        try:
            return None if self.file is None else _read(self.file, self.sha256)
        except ValueError:
            return None

    def _pruned(self) -> NetworkSpec:
        if self.prune is None:
            return self._whole()
        if self.prune.scope == "uniform":
            return _uniform(self._whole(), self.prune.fraction, self.prune.multiple_of)
        return _pruned(self.replace(norm=None))

    def _normed(self, spec: NetworkSpec) -> NetworkSpec:
        if self.norm is None:
            return spec
        try:
            return renormed(spec, self.norm)
        except ValidationError as error:
            said = error.errors(include_url=False)[0]["msg"].removeprefix("Value error, ")
            raise ValueError(f"its batch norms can't be {self.norm.kind} norms: {said}") from None

    def _whole(self) -> NetworkSpec:
        if self.preset is not None:
            return preset(self.preset)
        assert self.file is not None
        return _read(self.file, self.sha256)[0]

    def unfit(self, network: NetworkSpec) -> str | None:
        """Returns why a network can't start from these weights, in a sentence; None if it can."""
        try:
            theirs = self.spec()
        except (OSError, ValueError) as error:
            return str(error)
        return self._misfit(theirs, network)

    @staticmethod
    def _misfit(theirs: NetworkSpec, network: NetworkSpec) -> str | None:
        there, here = theirs.plain(), network.plain()
        if theirs.replace(head=here["head"], drop_path=here["drop_path"]).structure == network.structure:
            return None
        for place, first, second in differences(there, here):
            if place[0] not in ("head", "drop_path"):
                where = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in place).lstrip(".")
                return f"the weights are of another network: its {where} is {first}, here it is {second}"
        return "the weights are of another network"


WEIGHTS = ("init", "teacher")
"""The fields that name trained weights."""


def located(study: Any, folder: Path) -> Any:
    """Returns a study's plain data with every file under ``init`` or ``teacher`` found from the study's own folder.

    That is ``train.init``, levels of a factor whose path is ``train.init``, and patches that set it; and likewise.
    """
    if isinstance(study, list):
        return [located(item, folder) for item in study]
    if not isinstance(study, Mapping):
        return study
    found = {
        key: _absolute(value, folder) if str(key).split(".")[-1] in WEIGHTS else located(value, folder)
        for key, value in study.items()
    }
    levels = study.get("levels")
    if str(study.get("path")).split(".")[-1] in WEIGHTS and isinstance(levels, list):
        found["levels"] = [_absolute(level, folder) for level in levels]
    elif str(study.get("path")).split(".")[-1] in WEIGHTS and isinstance(levels, Mapping):
        found["levels"] = {name: _absolute(level, folder) for name, level in levels.items()}
    return found


def _bare(initial: Any) -> Any:
    return {"file": initial} if isinstance(initial, str) else initial


InitialField = Annotated[Initial, BeforeValidator(_bare, json_schema_input_type=Initial | Text)]
"""An ``Initial`` as a study writes it: a bare path too."""


def _absolute(initial: Any, folder: Path) -> Any:
    if isinstance(initial, str):
        return str((folder / initial).absolute())
    if isinstance(initial, Mapping) and isinstance(initial.get("file"), str):
        return {**initial, "file": str((folder / initial["file"]).absolute())}
    return located(initial, folder)


@lru_cache(maxsize=64)
def _read(path: str, sha256: str | None) -> tuple[NetworkSpec, Metadata]:
    """Reads a model's file as the loader does, so that what is wrong with it is said in the same words."""
    from blocks.weights import read_description  # torch is imported only where there is a file

    return read_description(path)


@lru_cache(maxsize=64)
def _demand_published(name: str, weights: str) -> None:
    """Raises ``ValueError`` if torchvision has no such weights of a preset."""
    from blocks.torchvision_weights import demand_published

    demand_published(name, weights)


@contextmanager
def _at(field: str | None = None) -> Iterator[None]:
    """Tells of what goes wrong inside which field it is about."""
    try:
        yield
    except ValueError as error:
        raise Unfit(str(error), field) from None


@lru_cache(maxsize=64)
def _uniform(spec: NetworkSpec, fraction: float, multiple_of: int) -> NetworkSpec:
    return uniform(spec, fraction, multiple_of)


@lru_cache(maxsize=64)
def _pruned(initial: Initial) -> NetworkSpec:
    from search.train.preparation import trained

    network, _ = trained(initial)
    return network.spec


@lru_cache(maxsize=64)
def _sha256(path: Path, modified: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
