"""A study's answer as Markdown, for a comment on a pull request."""

from __future__ import annotations

from collections.abc import Sequence

from reports import sections
from reports.answer import answer, question
from reports.exchange import markdown, plain_markdown
from reports.findings import Findings

TABLES = ("ablation", "cost", "confirm")  # the sections whose tables are evidence enough for a comment


def as_markdown(findings: Findings) -> str:
    """Returns the question, the answer, its caveats, the winner, and the tables behind them."""
    said, counts = answer(findings), findings.counts
    parts = [f"## {plain_markdown(question(findings.table))}", f"**{plain_markdown(said.headline)}**"]
    parts.append(quoted(said.caveats))
    if said.winner:
        parts.append(f"### {said.winner.role}: {plain_markdown(said.winner.label)}")
        parts.append("\n".join(f"- {plain_markdown(sentence)}" for sentence in said.winner.sentences))
    for module in sections.discover():
        if module.ID in TABLES:
            parts += [
                f"### {grid.caption}\n\n{markdown(grid)}\n{plain_markdown(grid.note)}"
                for grid in module.build(findings).grids
            ]
    name = findings.table.study.get("name", findings.table.folder.name)
    done = f"{counts.of('completed'):,} of {counts.planned:,} planned trials completed"
    parts.append(f"{plain_markdown(str(name))}: {done}. The whole report is report.html in the run directory.")
    return "\n\n".join(part.strip() for part in parts if part) + "\n"


def quoted(sentences: Sequence[str]) -> str:
    """Returns sentences as a quotation, a line each."""
    return "\n>\n".join(f"> {plain_markdown(sentence)}" for sentence in sentences)
