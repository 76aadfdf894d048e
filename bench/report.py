"""The report: a JSON file for each case, and Markdown with tables and plots that are made from those alone."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from bench.case import Case
from bench.measure import Sample
from bench.plots import draw
from bench.results import Measure, Spread, Target, cpu, cpu_total, fact, p50, p99, per_second, spread
from bench.runner import Outcome

RESULTS = Path(__file__).parent / "results"

_PARTS = ("server", "worker", "client", "database")
_FEW_DIGITS = 3


@dataclass
class Record:
    """What the JSON file of a case holds."""

    case: str
    quick: bool
    repetitions: int
    seconds: float
    environment: dict[str, str]
    missing: dict[str, str] = field(default_factory=dict[str, str])
    packages: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    samples: list[Sample] = field(default_factory=list[Sample])


def write_record(
    folder: Path, outcome: Outcome, environment: dict[str, str], packages: dict[str, list[str]], *, quick: bool
) -> None:
    """Write what came of a case into its file."""
    folder.mkdir(parents=True, exist_ok=True)
    record = Record(
        case=outcome.case,
        quick=quick,
        repetitions=outcome.repetitions,
        seconds=round(outcome.seconds, 1),
        environment=environment,
        missing=outcome.missing,
        packages=packages,
        samples=outcome.samples,
    )
    written = asdict(record)
    samples = [json.dumps(_rounded(sample)) for sample in written.pop("samples")]
    head = json.dumps(written, indent=1)[:-2]
    text = head + ',\n "samples": [\n  ' + ",\n  ".join(samples) + "\n ]\n}\n"
    (folder / f"{outcome.case}.json").write_text(text)


def read_record(folder: Path, case: str) -> Record | None:
    """Return what the file of a case holds, None without one."""
    file = folder / f"{case}.json"
    if not file.exists():
        return None
    read = json.loads(file.read_text())
    read["samples"] = [Sample(**sample) for sample in read["samples"]]
    return Record(**read)


def write_report(folder: Path, cases: Iterable[Case]) -> Path:
    """Write the report on all cases that have a file, with its plots, and return where it is."""
    found = [(case, record) for case in cases if (record := read_record(folder, case.name))]
    lines = ["# Results", ""]
    if found:
        lines += _environment([record for _, record in found])
    summary = [(case.name, target) for case, record in found for target in case.targets(record.samples)]
    lines += ["## Targets", "", *target_table(summary), ""]
    for case, record in found:
        lines += [f"## {case.name}", "", case.about, ""]
        lines += [f"{_repetitions(record)}; medians, and in brackets the least and the most.", ""]
        lines += [*sample_table(record.samples), ""]
        for chart in case.charts(record.samples):
            if chart.lines:
                draw(chart, folder / f"{chart.name}.svg")
                lines += [f"![{chart.title}]({chart.name}.svg)", ""]
        if record.missing:
            lines += ["Not measured, or not to the end:", ""]
            lines += [f"- {system}: {reason}" for system, reason in sorted(record.missing.items())] + [""]
    folder.mkdir(parents=True, exist_ok=True)
    report = folder / "README.md"
    report.write_text("\n".join(lines).rstrip() + "\n")
    return report


def _environment(records: Sequence[Record]) -> list[str]:
    lines = [f"- {name}: {value}" for name, value in records[0].environment.items()]
    packages = {name: made_of for record in records for name, made_of in record.packages.items()}
    lines += [f"- {name}: {', '.join(made_of)}" for name, made_of in sorted(packages.items()) if made_of]
    if any(record.quick for record in records):
        quick = ", ".join(record.case for record in records if record.quick)
        lines.append(f"- **quick run, which says little**: {quick}")
    return [*lines, ""]


def _repetitions(record: Record) -> str:
    times = "once" if record.repetitions == 1 else f"{record.repetitions} times, the systems in turn"
    return f"Measured {times}, in {record.seconds:.0f} s"


def target_table(targets: Iterable[tuple[str, Target]]) -> list[str]:
    """Return a table of what was aimed at and what was measured."""
    rows = [["case", "what", "target", "measured", ""]]
    for case, target in targets:
        measured = "" if target.measured is None else number(target.measured) + _unit(target)
        verdict = {None: "not measured", True: "ok", False: "**missed**"}[target.met]
        rows.append([case, target.what, _wanted(target), measured, verdict])
    return _table(rows)


def _wanted(target: Target) -> str:
    bounds = (("at least", target.at_least), ("at most", target.at_most))
    return ", ".join(f"{word} {number(bound)}{_unit(target)}" for word, bound in bounds if bound is not None)


def _unit(target: Target) -> str:
    return f" {target.unit}" if target.unit else ""


def sample_table(samples: Sequence[Sample]) -> list[str]:
    """Return a table with a row for each system and size, and the columns that some sample has."""
    facts = list(dict.fromkeys(name for sample in samples for name in sample.facts))
    columns: list[tuple[str, Measure]] = [("per second", per_second), ("p50 ms", p50), ("p99 ms", p99)]
    columns += [(f"{part} CPU ms", cpu(part)) for part in _PARTS] + [("CPU ms", cpu_total)]
    columns += [(name.replace("_", " "), fact(name)) for name in facts]
    columns = [(title, measure) for title, measure in columns if any(measure(sample) for sample in samples)]
    rows = [["system", "size", *(title for title, _ in columns)]]
    for size, system in sorted(
        dict.fromkeys((sample.size, sample.system) for sample in samples), key=lambda row: row[0]
    ):
        cells = [spread_text(spread(samples, system, size, measure)) for _, measure in columns]
        rows.append([system, str(size), *cells])
    return _table(rows)


def spread_text(found: Spread | None) -> str:
    """Return `median (low-high)`, or the one number there is."""
    if found is None:
        return ""
    low, middle, high = number(found.low), number(found.median), number(found.high)
    return middle if low == high else f"{middle} ({low}-{high})"


def number(value: float) -> str:
    """Return a number with about three digits that count."""
    if abs(value) >= 10 ** (_FEW_DIGITS - 1):
        return f"{value:,.0f}"
    return f"{value:.{_FEW_DIGITS}g}"


def _table(rows: list[list[str]]) -> list[str]:
    head, *body = rows
    return [f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *body)]


def _rounded(sample: dict[str, object]) -> dict[str, object]:
    return json.loads(json.dumps(sample), parse_float=lambda text: round(float(text), 3))
