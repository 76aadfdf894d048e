"""Plots, as small SVG files that are the same for the same numbers. Horizontal axes are logarithmic."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from xml.sax.saxutils import escape

from bench.results import Chart, Spread

_WIDTH, _HEIGHT = 640, 320
_LEFT, _RIGHT, _TOP, _BOTTOM = 60, 160, 30, 45
_COLOURS = ("#4477aa", "#ee6677", "#228833", "#ccbb44", "#66ccee", "#aa3377", "#999933", "#bbbbbb", "#332288")
_OURS = "aos"
_TICKS = 5


class Axis:
    """Places values between two ends of a line, in pixels."""

    def __init__(self, values: Sequence[float], begin: float, end: float, *, logarithmic: bool) -> None:
        self._logarithmic = logarithmic
        self._begin, self._end = begin, end
        if logarithmic:
            low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
            self._low, self._high = float(low), float(max(high, low + 1))
            self.ticks = [10.0**power for power in range(low, int(self._high) + 1)]
        else:
            step = _round_step(max(values) / _TICKS)
            self._low, self._high = 0.0, step * math.ceil(max(values) / step)
            self.ticks = [step * number for number in range(round(self._high / step) + 1)]

    def place(self, value: float) -> float:
        """Return where a value is, in pixels."""
        found = math.log10(value) if self._logarithmic else value
        share = (found - self._low) / (self._high - self._low)
        return round(self._begin + share * (self._end - self._begin), 1)


def _round_step(least: float) -> float:
    """Return the least of 1, 2, 5, 10, 20 and so on that is not under `least`."""
    power = 10.0 ** math.floor(math.log10(least))
    return next(power * digit for digit in (1, 2, 5, 10) if power * digit >= least)


def draw(chart: Chart, file: Path) -> None:
    """Draw a chart into a file: a line for each system, with the spread of each point."""
    points = [point for line in chart.lines.values() for point in line]
    across = Axis([x for x, _ in points], _LEFT, _WIDTH - _RIGHT, logarithmic=True)
    heights = [height for _, spread in points for height in (spread.low, spread.high)]
    up = Axis(heights, _HEIGHT - _BOTTOM, _TOP, logarithmic=chart.logarithmic)
    parts = [*_frame(chart, across, up)]
    for index, (system, line) in enumerate(chart.lines.items()):
        parts += _line(line, across, up, _COLOURS[index % len(_COLOURS)], 3 if system == _OURS else 1.5)
        parts += _legend(system, index)
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" font-family="sans-serif"'
    text = [head + ' font-size="11">', f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="white"/>', *parts, "</svg>"]
    file.write_text("\n".join(text) + "\n")


def _frame(chart: Chart, across: Axis, up: Axis) -> list[str]:
    bottom, right = _HEIGHT - _BOTTOM, _WIDTH - _RIGHT
    parts = [_text(_LEFT, 18, chart.title, size=13)]
    for tick in across.ticks:
        x = across.place(tick)
        parts += [_stroke(x, bottom, x, _TOP), _text(x, bottom + 15, f"{tick:,g}", anchor="middle")]
    for tick in up.ticks:
        y = up.place(tick)
        parts += [_stroke(_LEFT, y, right, y), _text(_LEFT - 6, y + 4, f"{tick:,g}", anchor="end")]
    middle = (_TOP + bottom) / 2
    parts.append(_text((_LEFT + right) / 2, _HEIGHT - 10, chart.x, anchor="middle"))
    turned = f'transform="rotate(-90 14 {middle})"'
    return [*parts, _text(14, middle, chart.y, anchor="middle", more=turned)]


def _line(line: Sequence[tuple[float, Spread]], across: Axis, up: Axis, colour: str, width: float) -> list[str]:
    places = [(across.place(x), up.place(spread.median)) for x, spread in line]
    path = " ".join(f"{x},{y}" for x, y in places)
    parts = [f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="{width}"/>']
    parts += [f'<circle cx="{x}" cy="{y}" r="3" fill="{colour}"/>' for x, y in places]
    for (x, _), (_, spread) in zip(places, line, strict=True):
        parts.append(_stroke(x, up.place(spread.low), x, up.place(spread.high), colour=colour))
    return parts


def _legend(system: str, index: int) -> list[str]:
    x, y = _WIDTH - _RIGHT + 15, _TOP + 10 + 16 * index
    colour = _COLOURS[index % len(_COLOURS)]
    return [f'<rect x="{x}" y="{y - 8}" width="10" height="8" fill="{colour}"/>', _text(x + 16, y, system)]


def _stroke(x1: float, y1: float, x2: float, y2: float, *, colour: str = "#dddddd") -> str:
    return f'<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" stroke="{colour}"/>'


def _text(x: float, y: float, text: str, *, anchor: str = "start", size: int = 11, more: str = "") -> str:
    return f'<text x="{x}" y="{y}" text-anchor="{anchor}" font-size="{size}" {more}>{escape(text)}</text>'
