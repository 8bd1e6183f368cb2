"""Draws the pictures of an answer as SVG: bars with the range of the runs on top."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.results import Picture, Spread

COLOURS = (
    *("#1f5fa8", "#7fb2e5", "#c9562c", "#e9a37f", "#3c8d53", "#7d5aa6"),
    *("#a8891f", "#5b6770", "#b0447a", "#2a9d9d"),
)
"""The first two are for this bot."""

SETTINGS = {
    "svg.fonttype": "none",  # letters stay letters: smaller, and found by a search
    "svg.hashsalt": "leadsquared-notifier",  # the same numbers give the same file
    "font.family": "sans-serif",
    "font.size": 10,
}


def draw(picture: Picture, folder: Path) -> Path:
    """Write one picture, and return where it is."""
    import matplotlib

    matplotlib.use("svg")
    from matplotlib import pyplot

    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{picture.name}.svg"
    with matplotlib.rc_context(SETTINGS):
        figure, axes = pyplot.subplots(figsize=(9, 4), layout="constrained")
        _draw_series(axes, picture)
        _label(axes, picture)
        figure.savefig(path, metadata={"Date": None})
        pyplot.close(figure)
    return path


def _draw_series(axes: Any, picture: Picture) -> None:
    width = 0.8 / len(picture.series)
    for number, (name, spreads) in enumerate(picture.series.items()):
        offset = (number - (len(picture.series) - 1) / 2) * width
        known = [(at, spread) for at, spread in enumerate(spreads) if spread is not None]
        axes.bar(
            [at + offset for at, _ in known],
            [spread.median for _, spread in known],
            width * 0.9,
            yerr=_find_errors([spread for _, spread in known]),
            label=name,
            color=COLOURS[number % len(COLOURS)],
            error_kw={"elinewidth": 1, "capsize": 2},
        )
        for at, spread in known:
            if spread.high == 0:  # a bar that cannot be seen
                axes.text(at + offset, 0, "0", ha="center", va="bottom", fontsize=8)


def _find_errors(spreads: Sequence[Spread]) -> list[list[float]]:
    below = [spread.median - spread.low for spread in spreads]
    above = [spread.high - spread.median for spread in spreads]
    return [below, above]


def _label(axes: Any, picture: Picture) -> None:
    axes.set_title(picture.title)
    axes.set_ylabel(picture.unit)
    axes.set_xticks(range(len(picture.groups)), picture.groups)
    if picture.logarithmic:
        axes.set_yscale("log")
    if picture.line is not None:
        what, height = picture.line
        axes.axhline(height, color="black", linestyle="--", linewidth=1, label=what)
    axes.spines[["top", "right"]].set_visible(False)
    axes.figure.legend(frameon=False, fontsize=8, ncols=3, loc="outside lower center")
