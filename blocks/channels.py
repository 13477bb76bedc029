"""Which channels of a network belong together, and what is left of its tensors when some are taken out.

A network and a narrower one of the same layers are walked side by side. Every channel of a map is a node; what adds
two maps, or scales one by another, joins their nodes to classes. Each map of the narrower network says how many of the
classes that meet in it stay.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any, NamedTuple, Self

import torch
from torch import Tensor, nn

from blocks import modules as own
from blocks import positions
from blocks.errors import InfeasibleSpec
from blocks.network import Network
from blocks.parts import modules as parts

Nodes = list[int]
"""The node of each channel of a map."""


class Cut(NamedTuple):
    """How a tensor is cut: along ``dim``, whose entries are ``repeat`` to a node.

    Attributes:
        groups: Of a convolution: each group of its filters has entries for its own inputs only.
    """

    dim: int
    nodes: Nodes
    repeat: int = 1
    groups: int = 1


class Channels:
    """The classes of channels of a network, and how many of each kind a narrower one keeps."""

    def __init__(self) -> None:
        self._parents: list[int] = []
        self._maps: list[tuple[Nodes, int]] = []
        self._cuts: dict[str, list[Cut]] = {}
        self._filters: list[tuple[str, Nodes]] = []

    @classmethod
    def of(cls, network: Network, smaller: Network) -> Self:
        """Walks both networks. Raises ``InfeasibleSpec`` at a layer that can't be pruned."""
        found = cls()
        nodes = found._fresh(network.spec.in_channels, network.spec.in_channels)
        for name, module in (("stem", network.stem), ("stages", network.stages), ("head", network.head)):
            nodes = found._walk(name, module, smaller.get_submodule(name), nodes)
        return found

    def cut(self, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Returns the tensors of the narrower network: of each class those channels that have the largest filters."""
        kept = self._kept(tensors)
        result: dict[str, Tensor] = {}
        for name, tensor in tensors.items():
            for dim, nodes, repeat, groups in self._cuts.get(name, ()):
                stay = torch.tensor([self._class(node) in kept for node in nodes], dtype=torch.bool)
                if groups > 1:
                    tensor = _cut_grouped(tensor, stay, groups)
                    continue
                places = torch.arange(len(nodes) * repeat)[stay.repeat_interleave(repeat)]
                tensor = tensor.index_select(dim, places.to(tensor.device))
            result[name] = tensor.clone()
        return result

    def shrinking(self, tensors: Mapping[str, Tensor]) -> Tensor:
        """Returns the norms of all classes of which the narrower network keeps fewer."""
        norms = self._norms(tensors)
        counts = self._counts()
        members = self._members()
        chosen = [
            norms[one] for key, ones in members.items() if counts[key] < len(ones) for one in ones if one in norms
        ]
        return torch.tensor(chosen)

    # Choosing

    def _kept(self, tensors: Mapping[str, Tensor]) -> set[int]:
        norms, counts = self._norms(tensors), self._counts()
        kept: set[int] = set()
        for key, ones in self._members().items():
            largest = sorted(ones, key=lambda one: (-norms.get(one, 0.0), one))
            kept |= set(largest[: counts[key]])
        return kept

    def _norms(self, tensors: Mapping[str, Tensor]) -> dict[int, float]:
        """Returns each class's mean L1 norm, over the mean of the layer, of the filters that make its channels."""
        sums: dict[int, list[float]] = {}
        for name, nodes in self._filters:
            norms = tensors[name].flatten(1).abs().sum(1)
            for node, norm in zip(nodes, (norms / norms.mean().clamp_min(1e-12)).tolist(), strict=True):
                sums.setdefault(self._class(node), []).append(norm)
        return {one: sum(values) / len(values) for one, values in sums.items()}

    def _signatures(self) -> dict[int, frozenset[int]]:
        """Returns the maps in which each class is found."""
        found: dict[int, set[int]] = {}
        for index, (nodes, _) in enumerate(self._maps):
            for node in nodes:
                found.setdefault(self._class(node), set()).add(index)
        return {one: frozenset(maps) for one, maps in found.items()}

    def _members(self) -> dict[frozenset[int], list[int]]:
        """Returns the classes that are found in the same maps, which are chosen among, in order."""
        members: dict[frozenset[int], list[int]] = {}
        for one, maps in sorted(self._signatures().items()):
            members.setdefault(maps, []).append(one)
        return members

    def _counts(self) -> dict[frozenset[int], int]:
        """Returns how many of the classes with the same maps stay: what each map keeps is the sum over them, each of
        as many channels as it has there."""
        keys = list(self._members())
        unknown = [(self._sizes(nodes), left) for nodes, left in self._maps]
        counts: dict[frozenset[int], int] = {}
        while len(counts) < len(keys):
            solved = False
            for sizes, left in unknown:
                open_ = [key for key in sizes if key not in counts]
                if len(open_) == 1:
                    channels = left - sum(counts[key] * size for key, size in sizes.items() if key in counts)
                    counts[open_[0]], rest = divmod(channels, sizes[open_[0]])
                    solved = True
                    if rest:
                        raise InfeasibleSpec(f"{left} channels are no whole number of groups that go together")
            if not solved:
                raise InfeasibleSpec("which channels go together can't be told apart in this network")
        if any(count < 0 for count in counts.values()):
            raise InfeasibleSpec("the narrower network keeps channels that the wider one doesn't have")
        return counts

    def _sizes(self, nodes: Nodes) -> dict[frozenset[int], int]:
        """Returns how many channels of a map a class of each kind is."""
        signatures, sizes = self._known_signatures, dict[frozenset[int], int]()
        for one, size in Counter(self._class(node) for node in nodes).items():
            if sizes.setdefault(signatures[one], size) != size:
                raise InfeasibleSpec("groups of several sizes meet in one map: it can't be told which of them go")
        return sizes

    @cached_property
    def _known_signatures(self) -> dict[int, frozenset[int]]:
        return self._signatures()

    # Walking

    def _walk(self, name: str, module: nn.Module, smaller: nn.Module, nodes: Nodes) -> Nodes:
        """Returns the nodes of the map that a module puts out."""
        for kind, walk in _WALKS.items():
            if isinstance(module, kind):
                return walk(self, name, module, smaller, nodes)
        if any(True for _ in module.children()) or any(True for _ in module.parameters()):
            raise InfeasibleSpec(f"{name}: a {type(module).__name__} can't be pruned")
        return nodes  # it does the same to every channel

    def _fresh(self, count: int, left: int) -> Nodes:
        """Returns new nodes for a map of so many channels, of which so many are left."""
        first = len(self._parents)
        self._parents += range(first, first + count)
        nodes = list(range(first, first + count))
        self._maps.append((nodes, left))
        return nodes

    def _class(self, node: int) -> int:
        while self._parents[node] != node:
            self._parents[node] = self._parents[self._parents[node]]
            node = self._parents[node]
        return node

    def _join(self, first: Nodes, second: Nodes) -> None:
        for one, other in zip(first, second, strict=True):
            roots = sorted((self._class(one), self._class(other)))
            self._parents[roots[1]] = roots[0]

    def _slice(self, name: str, module: nn.Module, nodes: Nodes) -> Nodes:
        """Cuts every tensor of a module that has one number a channel."""
        for tensor, value in {**dict(module.named_parameters()), **dict(module.named_buffers())}.items():
            if value.ndim:
                self._cuts[f"{name}.{tensor}"] = [Cut(0, nodes)]
        return nodes

    def _convolution(self, name: str, module: nn.Conv2d, smaller: nn.Conv2d, nodes: Nodes) -> Nodes:
        groups, weight = module.groups, f"{name}.weight"
        if groups == module.in_channels == module.out_channels:  # depthwise: each channel goes its own way
            out = nodes
            self._maps.append((nodes, smaller.out_channels))
            self._cuts[weight] = [Cut(0, out)]
        elif groups != smaller.groups:
            out = self._whole_groups(name, module, smaller, nodes)
        else:
            out = self._fresh(module.out_channels, smaller.out_channels)
            self._cuts[weight] = [Cut(1, nodes, groups=groups), Cut(0, out)]
            for given, left in ((nodes, smaller.in_channels), (out, smaller.out_channels)) if groups > 1 else ():
                self._maps += [(part, left // groups) for part in _parts(given, groups)]
        if module.bias is not None:
            self._cuts[f"{name}.bias"] = [Cut(0, out)]
        self._filters.append((weight, out))
        return out

    def _whole_groups(self, name: str, module: nn.Conv2d, smaller: nn.Conv2d, nodes: Nodes) -> Nodes:
        """Takes the groups of a convolution as units, of which there are to be fewer: what a group sees and what it
        puts out go together."""
        groups = module.groups
        for given, less in ((module.in_channels, smaller.in_channels), (module.out_channels, smaller.out_channels)):
            if given // groups != less // smaller.groups:
                raise InfeasibleSpec(
                    f"{name}: groups of {given // groups} channels would have {less // smaller.groups}"
                )
        out = self._fresh(module.out_channels, smaller.out_channels)
        self._maps.append((nodes, smaller.in_channels))
        for inputs, outputs in zip(_parts(nodes, groups), _parts(out, groups), strict=True):
            for node in (*inputs[1:], *outputs):
                self._join(inputs[:1], [node])
        self._cuts[f"{name}.weight"] = [Cut(0, out)]  # a group's filters see all of it as before
        return out

    def _linear(self, name: str, module: nn.Linear, smaller: nn.Linear, nodes: Nodes) -> Nodes:
        out = self._fresh(module.out_features, smaller.out_features)
        self._cuts[f"{name}.weight"] = [Cut(1, nodes, repeat=module.in_features // len(nodes)), Cut(0, out)]
        self._cuts[f"{name}.bias"] = [Cut(0, out)]
        self._filters.append((f"{name}.weight", out))
        return out

    def _chain(self, name: str, module: nn.Sequential, smaller: nn.Sequential, nodes: Nodes) -> Nodes:
        for child, part in module.named_children():
            nodes = self._walk(f"{name}.{child}", part, smaller.get_submodule(child), nodes)
        return nodes

    def _residual(self, name: str, module: own.ResidualSum, smaller: own.ResidualSum, nodes: Nodes) -> Nodes:
        def walk(part: str, given: Nodes) -> Nodes:
            return self._walk(f"{name}.{part}", module.get_submodule(part), smaller.get_submodule(part), given)

        ready = nodes if module.before is None else walk("before", nodes)
        out = walk("branch", ready)
        if module.shortcut is not None:
            self._join(out, walk("shortcut", ready if module.shared else nodes))
        return walk("activation", out)

    def _sum(self, name: str, module: nn.Module, smaller: nn.Module, nodes: Nodes) -> Nodes:
        outs = [
            self._walk(f"{name}.{child}", part, smaller.get_submodule(child), nodes)
            for child, part in module.named_children()
        ]
        for other in outs[1:]:
            self._join(outs[0], other)
        return outs[0]

    def _concatenated(self, name: str, module: own.Concatenated, smaller: own.Concatenated, nodes: Nodes) -> Nodes:
        return [*nodes, *self._walk(f"{name}.branch", module.branch, smaller.branch, nodes)]

    def _scaled(self, name: str, module: own.Scaled, smaller: own.Scaled, nodes: Nodes) -> Nodes:
        gate = self._walk(f"{name}.gate", module.gate, smaller.gate, nodes)
        if len(gate) == len(nodes) > 1:  # else one number a position, for all channels
            self._join(nodes, gate)
        return nodes

    def _padded(self, name: str, module: own.ZeroPadding, smaller: own.ZeroPadding, nodes: Nodes) -> Nodes:
        return [*nodes, *self._fresh(module.channels, smaller.channels)]

    def _mean_and_max(self, name: str, module: parts.MeanAndMax, smaller: nn.Module, nodes: Nodes) -> Nodes:
        return nodes if module.over == "positions" else self._fresh(2, 2)

    def _refused(self, name: str, module: nn.Module, smaller: nn.Module, nodes: Nodes) -> Nodes:
        raise InfeasibleSpec(f"{name}: a {type(module).__name__} can't be pruned: its channels aren't alike")

    def _as_it_is(self, name: str, module: nn.Module, smaller: nn.Module, nodes: Nodes) -> Nodes:
        """Keeps tensors that belong to no channel; they must be of the same size in the narrower network."""
        for (tensor, value), other in zip(module.named_parameters(), smaller.parameters(), strict=True):
            if value.shape != other.shape:
                raise InfeasibleSpec(f"{name}.{tensor} depends on the number of channels: it can't be pruned")
        return nodes


def _parts(nodes: Nodes, groups: int) -> list[Nodes]:
    size = len(nodes) // groups
    return [nodes[start : start + size] for start in range(0, len(nodes), size)]


def _cut_grouped(weight: Tensor, stay: Tensor, groups: int) -> Tensor:
    """Cuts a grouped convolution's input channels: each group of filters sees those of its own group."""
    filters, inputs = weight.chunk(groups), stay.chunk(groups)
    return torch.cat([part[:, chosen.to(part.device)] for part, chosen in zip(filters, inputs, strict=True)])


_WALKS: dict[Any, Callable[..., Nodes]] = {
    nn.Sequential: Channels._chain,
    nn.Conv2d: Channels._convolution,
    nn.Linear: Channels._linear,
    (nn.BatchNorm2d, nn.GroupNorm, nn.LayerNorm, own.LayerScale): lambda channels, name, module, _, nodes: (
        channels._slice(name, module, nodes)
    ),
    own.ResidualSum: Channels._residual,
    own.SumOf: Channels._sum,
    own.Concatenated: Channels._concatenated,
    own.Scaled: Channels._scaled,
    own.ZeroPadding: Channels._padded,
    parts.MeanAndMax: Channels._mean_and_max,
    own.ChannelConvolution: Channels._as_it_is,
    (own.DotProductAttention, positions.SinePositions): Channels._refused,
}
