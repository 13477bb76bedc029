"""Whether a job whose attempt came to nothing is tried again, and how. No processes here, only the rule.

A job that ran out of memory is not run again as it was: with half as many images at a time and twice as many parts
a step (the batch, and so the recipe, stay what they are), at most three times. But where trials share a GPU it may have
been a neighbour that took the memory, so that it is first run again alone there. A job whose process died, or whose
device was lost, is run again as it was; so is one whose node left, which counts apart. Every new try is one in a new
process.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from search.trial import Job

MAX_LOST = 2
"""How often a job is tried again after its process died or its device was lost."""

MAX_NODES = 10
"""How often a job is tried again after its node left: that is no fault of the job, unless it always happens."""

MAX_HALVINGS = 3
"""How often the images that go through the network at a time are halved."""


@dataclass(frozen=True)
class Attempt:
    """A try at a job.

    Attributes:
        lost: How many tries before this one lost their process or device.
        moved: How many lost their node.
        alone: Whether nothing else may run on the device meanwhile.
        notes: What became of the tries before, in words.
    """

    job: Job
    lost: int = 0
    moved: int = 0
    alone: bool = False
    notes: tuple[str, ...] = ()

    def after(self, reply: dict[str, Any], *, shared: bool) -> Attempt | None:
        """Returns the next try after a reply, or None if that reply stands.

        Args:
            reply: Of this try; its ``mishap`` tells why it failed.
            shared: Whether others were on the device.
        """
        mishap = reply.get("mishap")
        if mishap == "out_of_memory":
            if shared and not self.alone:
                return replace(self, alone=True, notes=(*self.notes, "ran out of memory beside others; tried alone"))
            if self.job.halvings < MAX_HALVINGS and self.job.images_at_once > 1:
                smaller = replace(self.job, halvings=self.job.halvings + 1)
                return replace(self, job=smaller, notes=(*self.notes, _smaller(self.job)))
        if mishap in ("died", "device_lost") and self.lost < MAX_LOST:
            said = "its process died" if mishap == "died" else "its device was lost"
            return replace(self, lost=self.lost + 1, notes=(*self.notes, f"{said}; tried again"))
        if mishap == "node_lost" and self.moved < MAX_NODES:
            return replace(self, moved=self.moved + 1, notes=(*self.notes, "its node left the cluster; run elsewhere"))
        return None

    def told(self, reply: dict[str, Any]) -> dict[str, Any]:
        """Returns the reply that stands, with what went before in its reason."""
        if not self.notes:
            return reply
        reason = "; ".join([*dict.fromkeys(self.notes), *filter(None, [reply.get("reason", "")])])
        return {**reply, "reason": reason, "halvings": self.job.halvings}


def _smaller(job: Job) -> str:
    return f"ran out of memory with {job.images_at_once:,} images at a time; tried with half as many"
