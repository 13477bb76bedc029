"""Studies mutated at random, and hostile files: does anything end in a traceback, hang, or eat memory?

    python -m tests.benchmarks.fuzz                                # 10,000 mutations, 200 files
    python -m tests.benchmarks.fuzz --mutations 500 --files 20     # a look at it

Mutations are read, validated and planned in this process; files go through the real command line, which trains
nothing, since it is asked for a trial that there isn't. Goal: 0 tracebacks, 0 hangs, 0 over 500 MB beyond the imports.
A hang is over 2 s of a CPU for what is refused, and over 10 s for a study that is valid all the same: networks are
drawn for a population until enough meet its constraints. What goes wrong is printed, with the seed that makes it again.
"""

from __future__ import annotations

import argparse
import io
import json
import platform
import random
import resource
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from copy import deepcopy
from itertools import pairwise
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from blocks.source import InputError, parse_yaml
from search.data.spec import DataError
from search.draw import feasible_arms
from search.plan import Plan
from search.study import resolve_study
from tests.search.command import Process, write_study

STUDIES = sorted(path for path in Path("studies").glob("*.yaml") if "cifar10" not in path.name)
SECONDS, PLANNING, BYTES, PATIENCE = 2.0, 10.0, 500e6, 20
NASTY: tuple[Any, ...] = (
    0, -1, 1, 2, 3, 7, 1.5, True, False, None, "", "x", "nan", ".inf", "1e-3", 10**6, 10**12, 10**19, -(10**19), 1e308,
    1e-308, [], {}, [[]], [{}], {"": ""}, {"kind": "x"}, {"kind": None}, ["basic"] * 50, "basic", "os.system", "../x",
    "\u202e", "🧪" * 50, "network.stages[*].width", "network.stages[99].width", {"path": "train"}, {"levels": []},
    {"scale": [0.5]}, {"low": 5, "high": 1}, {"low": 0, "high": 10**9, "log": True}, "a" * 10_000,
)  # fmt: skip


def main() -> int:
    """Prints what went wrong, and one JSON line; exits with 1 if a goal is missed."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.fuzz")
    parser.add_argument("--mutations", type=int, default=10_000)
    parser.add_argument("--files", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    texts = [path.read_text() for path in STUDIES]
    found = [mutations(options, texts), files(options, texts)]
    total = Counter[str]()
    for each in found:
        total.update(each)
    met = not (total["tracebacks"] or total["hangs"] or total["memory"])
    machine = {"python": platform.python_version(), "seed": options.seed}
    print(json.dumps({"benchmark": "fuzz", **machine, "mutations": found[0], "files": found[1], "met": met}))
    return 0 if met else 1


def mutations(options: argparse.Namespace, texts: list[str]) -> Counter[str]:
    """Reads, validates and plans mutated studies; returns how each ended."""
    ends: Counter[str] = Counter(valid=0, refused=0, tracebacks=0, hangs=0, memory=0)
    signal.signal(signal.SIGPROF, _too_long)
    plan_of(texts[0])  # what is imported is imported
    for number in range(options.mutations):
        seed = f"{options.seed}/{number}"
        draw = random.Random(seed)
        text = mutated(draw.choice(texts), draw)
        began, before = time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        signal.setitimer(signal.ITIMER_PROF, PATIENCE)  # of a CPU: other work on the machine aside
        try:
            end = plan_of(text)
        except TimeoutError:
            end = "hangs"
        except Exception:
            end = "tracebacks"
            traceback.print_exc(limit=-4, file=sys.stdout)
        signal.setitimer(signal.ITIMER_PROF, 0)
        if (seconds := time.process_time() - began) > (PLANNING if end == "valid" else SECONDS):
            end = "hangs"
        if (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 > BYTES:
            end = "memory"
        ends[end] += 1
        if end in ("tracebacks", "hangs", "memory"):
            print(f"--- {end}, {seconds:.1f} s, seed {seed}:\n{text}\n---", flush=True)
    print(f"{options.mutations:,} mutations: {dict(ends)}", flush=True)
    return ends


def plan_of(text: str) -> str:
    try:
        plan = Plan(resolve_study(parse_yaml(text, "studies/fuzz.yaml")))
        if plan.adaptive:
            feasible_arms(plan)
    except (InputError, DataError):
        return "refused"
    return "valid"


def files(options: argparse.Namespace, texts: list[str]) -> Counter[str]:
    """Gives hostile files to the real command; returns how each ended."""
    ends: Counter[str] = Counter(refused=0, tracebacks=0, hangs=0, memory=0)
    with tempfile.TemporaryDirectory(prefix="fuzz-") as name:
        folder = Path(name)
        command = ("study.yaml", "--inline", "--only", "nothing", "--set", "name=fuzz")
        write_study(folder, texts[0])
        idle = Process(folder, "--help")
        idle.wait()
        for number in range(options.files):
            seed = f"{options.seed}/file {number}"
            draw = random.Random(seed)
            content = hostile(draw.choice(texts), draw)
            (folder / "study.yaml").write_bytes(content)
            process = Process(folder, *command)
            done = process.wait()
            end = "refused"
            if done.returncode != 2 or "Traceback" in done.stderr:
                end = "tracebacks"
            elif process.seconds - idle.seconds > SECONDS:
                end = "hangs"
            elif process.bytes - idle.bytes > BYTES:
                end = "memory"
            ends[end] += 1
            if end != "refused":
                print(
                    f"--- {end}, {process.seconds:.1f} s, {process.bytes / 1e6:.0f} MB, seed {seed}, exit code",
                    done.returncode,
                )
                print(done.stderr[-3000:], content[:2000], "---", sep="\n", flush=True)
    print(f"{options.files:,} hostile files: {dict(ends)}", flush=True)
    return ends


def mutated(text: str, draw: random.Random) -> str:
    """Returns a study's text with one to four mutations of its data, or of the text itself."""
    if draw.random() < 0.25:
        return _mutated_text(text, draw)
    yaml = YAML(typ="safe", pure=True)
    data = yaml.load(text)
    for _ in range(draw.randint(1, 4)):
        _mutate(data, draw)
    out = io.StringIO()
    yaml.dump(data, out)
    return out.getvalue()


def _mutate(data: Any, draw: random.Random) -> None:
    """Changes one place of plain data: another value, a key less, a key more, a value from elsewhere."""
    places = list(_places(data))
    if not places:  # earlier ones left nothing
        return
    parent, key = draw.choice(places)
    other_parent, other_key = draw.choice(places)
    what = draw.random()
    if what < 0.5:
        parent[key] = deepcopy(draw.choice(NASTY))
    elif what < 0.65:
        parent[key] = deepcopy(other_parent[other_key])
    elif what < 0.8:
        del parent[key]
    elif isinstance(parent, dict):
        name = draw.choice([str(other_key), "kind", "x", "path", "levels", "stages"])
        parent[name] = deepcopy(draw.choice(NASTY))
    else:
        parent.append(deepcopy(draw.choice(NASTY)))


def _places(data: Any) -> Any:
    for key, value in list(data.items()) if isinstance(data, dict) else list(enumerate(data)):
        yield data, key
        if isinstance(value, (dict, list)):
            yield from _places(value)


def _mutated_text(text: str, draw: random.Random) -> str:
    for _ in range(draw.randint(1, 6)):
        at, end = sorted(draw.randrange(len(text) + 1) for _ in range(2))
        end = min(end, at + 20)
        token = draw.choice(
            [
                "{",
                "}",
                "[",
                "]",
                ":",
                "- ",
                "&a ",
                "*a",
                "!!int ",
                "\t",
                "\n",
                "'",
                '"',
                "#",
                "%",
                "0",
                "9" * 30,
                ",",
                "?",
            ]
        )
        text = text[:at] + draw.choice([token, "", text[at:end] * 2]) + text[end:]
    return text


def hostile(text: str, draw: random.Random) -> bytes:
    """Returns the content of a file that means harm: garbage, bombs, depths, lengths, or a study gone wrong."""
    kind = draw.randrange(8)
    if kind == 0:
        return draw.randbytes(draw.randint(1, 2_000_000))
    if kind == 1:
        raw = bytearray(text.encode())
        for _ in range(draw.randint(1, 50)):
            raw[draw.randrange(len(raw))] = draw.randrange(256)
        return bytes(raw)
    if kind == 2:
        return text.encode()[: draw.randrange(len(text))]
    if kind == 3:
        width, levels = draw.randint(2, 20), draw.randint(3, 26)
        names = "abcdefghijklmnopqrstuvwxyz"[:levels]
        bomb = "".join(f"{n}: &{n} [{','.join([f'*{o}'] * width)}]\n" for o, n in pairwise(names))
        return (f"a: &a [{','.join('x' * width)}]\n" + bomb + text).encode()
    if kind == 4:
        opener = draw.choice(["[", "{a: ", "- ", "? ", "a:\n "])
        return ("a: " + opener * draw.randint(10, 200_000)).encode()[:990_000]
    if kind == 5:
        return text.replace(draw.choice(["1", "8", "16"]), "9" * draw.randint(5, 400_000)).encode()[:990_000]
    if kind == 6:
        return (text + "\n" + "# " * draw.randint(1, 490_000)).encode() + draw.choice(
            [b"", b"\x00", b"\xff", b"\n---\na: 1\n"]
        )
    return mutated(text, draw).encode("utf-8", "surrogatepass")


def _too_long(*_: Any) -> None:
    raise TimeoutError


if __name__ == "__main__":
    sys.exit(main())
