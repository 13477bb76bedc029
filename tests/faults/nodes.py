"""A real cluster on this machine, whose nodes come later and go: ``python -m tests.faults.nodes``.

Prints the address of its first node. Then it reads lines from standard input and answers each with ``done``: ``add``
starts another node, ``kill`` kills the last one, ``freeze`` stops all of its processes, as if its network were cut,
``thaw`` lets them go on, and the end of input ends all.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import Any

from ray.cluster_utils import Cluster

from search.reaper import descendants, processes


def main() -> None:
    cluster = Cluster(
        initialize_head=True,
        head_node_args={"num_cpus": 1, "include_dashboard": False, "labels": {"kind": "first"}},
    )
    print(cluster.address, flush=True)  # noqa: T201
    last = None
    for line in sys.stdin:
        if line.strip() == "add":
            last = cluster.add_node(num_cpus=1, labels={"kind": "later"})
        elif line.strip() == "kill":
            cluster.remove_node(last, allow_graceful=False)
        else:
            tell(last, signal.SIGSTOP if line.strip() == "freeze" else signal.SIGCONT)
        print("done", flush=True)  # noqa: T201
    cluster.shutdown()


def tell(node: Any, number: int) -> None:
    """Sends a signal to all processes of a node."""
    started = {info.process.pid for infos in node.all_processes.values() for info in infos}
    own = {process for process in processes() if process[0] in started}
    for found, _ in own.union(*map(descendants, own)):
        os.kill(found, number)


if __name__ == "__main__":
    main()
