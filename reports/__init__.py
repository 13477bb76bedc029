"""What was learned: a run directory becomes one offline HTML page that answers the study's question.

    reports.build("runs/expansion_ablation")        # writes report.html and report.json there
    reports.statistics.effects(table, baseline="relu", by="activation", pair="seed", value="accuracy")

It reads files only, and imports neither torch nor the packages that wrote them.
"""

from reports import statistics
from reports.page import build
from reports.table import RunError

__all__ = ["RunError", "build", "statistics"]
