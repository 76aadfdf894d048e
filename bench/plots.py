"""Plots, as small SVG files that are the same for the same numbers. Horizontal axes are logarithmic."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from bench.results import Chart

if TYPE_CHECKING:
    from matplotlib.typing import RcKeyType

# matplotlib leaves the types of its further options open.
# pyright: reportUnknownMemberType=false

_OURS = "aos"
_INCHES = (7.5, 3.6)
# Text stays text, and nothing in the file depends on when it was made.
_SVG: dict[RcKeyType, object] = {"svg.fonttype": "none", "svg.hashsalt": "aos", "font.size": 9}


def draw(chart: Chart, file: Path) -> None:
    """Draw a chart into an SVG file: a line for each system, with the spread of each point."""
    # It takes seconds to load, which runs that draw nothing should not pay.
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context(rc=_SVG):
        figure = Figure(figsize=_INCHES, layout="constrained")
        axes = figure.subplots()
        for system, line in chart.lines.items():
            sizes = [x for x, _ in line]
            medians = [spread.median for _, spread in line]
            below = [spread.median - spread.low for _, spread in line]
            above = [spread.high - spread.median for _, spread in line]
            width = 2.5 if system == _OURS else 1.2
            errors = (below, above)
            axes.errorbar(sizes, medians, errors, label=system, lw=width, elinewidth=1, marker="o", markersize=4)
        axes.set_xscale("log")
        if chart.logarithmic:
            axes.set_yscale("log")
        else:
            axes.set_ylim(bottom=0)
        axes.set(title=chart.title, xlabel=chart.x, ylabel=chart.y)
        axes.grid(visible=True, color="#dddddd")
        figure.legend(loc="outside right upper", frameon=False)
        figure.savefig(file, metadata={"Date": None})
