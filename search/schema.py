"""JSON Schemas of study and network files: ``python -m search.schema``.

An editor that speaks YAML completes and checks a file whose first line names its schema:

    # yaml-language-server: $schema=../search/study.schema.json
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import blocks
from blocks.plugins import load_plugins
from blocks.schema import Describer, network_schema, text, whole
from blocks.source import InputError
from search.study import StudySpec

SHIPPED = {
    "study": Path(__file__).with_name("study.schema.json"),
    "network": Path(blocks.__file__).with_name("network.schema.json"),
}
"""Where the packages keep them."""


def study_schema() -> dict[str, Any]:
    """Returns the schema of a study's file: what is filled in when it is read may be left out."""
    made = StudySpec.model_json_schema(schema_generator=Describer)
    definitions = made.pop("$defs")
    made["required"].remove("design")
    made["properties"]["network"] |= {"anyOf": [{"$ref": "#/$defs/preset"}, {"$ref": "#/$defs/network"}]}
    made["properties"]["design"]["default"] = "train"
    return whole("A study", {key: value for key, value in made.items() if key != "title"}, definitions)


MAKERS = {"study": study_schema, "network": network_schema}


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints a schema, or writes those that are shipped; returns the exit code: 0, or 2 where a plugin is wrong."""
    options = _parser().parse_args(arguments)
    try:
        load_plugins(options.plugin)
    except InputError as error:
        print(f"search.schema: {error}", file=sys.stderr)
        return 2
    if options.write:
        for name, path in SHIPPED.items():
            path.write_text(text(MAKERS[name]()), encoding="utf-8")
            print(path)
    else:
        print(text(MAKERS[options.file]()), end="")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m search.schema", description="Prints the JSON Schema of a study's or a network's file."
    )
    parser.add_argument("file", nargs="?", choices=list(MAKERS), default="study", help="of which file (default: study)")
    parser.add_argument(
        "--plugin", action="append", default=[], metavar="FILE", help="with kinds of your own; repeatable"
    )
    parser.add_argument("--write", action="store_true", help="write both to where the packages ship them")
    return parser


if __name__ == "__main__":
    sys.exit(main())
