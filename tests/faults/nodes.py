"""A real cluster on this machine, whose second node comes later and is killed: ``python -m tests.faults.nodes``.

Prints the address of its first node. Then it reads lines from standard input and answers each with ``done``: ``add``
starts a second node, ``kill`` kills it, and the end of input ends all.
"""

from __future__ import annotations

import sys

from ray.cluster_utils import Cluster


def main() -> None:
    cluster = Cluster(
        initialize_head=True,
        head_node_args={"num_cpus": 1, "include_dashboard": False, "labels": {"kind": "first"}},
    )
    print(cluster.address, flush=True)  # noqa: T201
    second = None
    for line in sys.stdin:
        if line.strip() == "add":
            second = cluster.add_node(num_cpus=1, labels={"kind": "second"})
        elif line.strip() == "kill":
            cluster.remove_node(second, allow_graceful=False)
        print("done", flush=True)  # noqa: T201
    cluster.shutdown()


if __name__ == "__main__":
    main()
