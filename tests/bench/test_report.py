"""What the report makes of samples."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
from bench.case import all_cases, load_case
from bench.measure import Sample
from bench.plots import draw
from bench.report import number, read_record, sample_table, spread_text, target_table, write_record, write_report
from bench.results import Chart, Spread, Target, fact, median, p50, p99, per_second, quantile, ratio, spread
from bench.runner import Outcome

ENVIRONMENT = {"machine": "2 cores", "server": "synchronous=FULL"}


def turns(system: str, seconds: float, *, size: int = 1, latency: float = 10.0) -> Sample:
    return Sample(
        "turns", system, size, count=100, seconds=seconds, latencies_ms=[latency] * 9 + [90.0], cpu_ms={"server": 5.0}
    )


def outcome(*samples: Sample) -> Outcome:
    return Outcome("turns", 3, list(samples), {"restate": "npm is not on PATH"}, 12.34)


def test_a_median_does_not_move_with_one_repetition_that_was_disturbed() -> None:
    samples = [turns("aos", seconds) for seconds in (1.0, 1.25, 50.0)]
    assert median(samples, "aos", 1, per_second) == 80
    assert spread(samples, "aos", 1, per_second) == Spread(80, 2, 100)


def test_samples_of_other_systems_and_sizes_do_not_count() -> None:
    samples = [turns("aos", 1.0), turns("floor", 2.0), turns("aos", 4.0, size=50)]
    assert median(samples, "aos", 1, per_second) == 100
    assert median(samples, "aos", 500, per_second) is None


def test_a_ratio_compares_medians_and_is_none_where_one_is_missing() -> None:
    samples = [turns("aos", 2.0), turns("floor", 1.0)]
    assert ratio(samples, "aos", "floor", 1, per_second) == 0.5
    assert ratio(samples, "aos", "pydantic_ai", 1, per_second) is None


@pytest.mark.parametrize(("share", "value"), [(0.0, 1.0), (0.5, 6.0), (0.99, 10.0), (1.0, 10.0)])
def test_a_quantile_is_one_of_the_values(share: float, value: float) -> None:
    assert quantile([float(number) for number in range(10, 0, -1)], share) == value


def test_a_sample_without_latencies_has_no_quantiles() -> None:
    assert p50(Sample("turns", "aos", 1)) is None
    assert p99(Sample("turns", "aos", 1)) is None


@pytest.mark.parametrize(
    ("target", "met"),
    [
        (Target("share", 0.85, at_least=0.85), True),
        (Target("share", 0.849, at_least=0.85), False),
        (Target("events", 11, at_most=11), True),
        (Target("events", 12, at_most=11), False),
        (Target("events", None, at_most=11), None),
    ],
)
def test_a_target_is_met_at_its_bound(target: Target, met: bool | None) -> None:
    assert target.met is met


def test_the_table_of_targets_names_bound_measure_and_verdict() -> None:
    found = [
        Target("share of the floor", 0.934, at_least=0.85),
        Target("memory", 71.5, at_most=50, unit="KiB"),
        Target("peer", None, at_least=1.8),
    ]
    assert target_table(("turns", target) for target in found)[2:] == [
        "| turns | share of the floor | at least 0.85 | 0.934 | ok |",
        "| turns | memory | at most 50 KiB | 71.5 KiB | **missed** |",
        "| turns | peer | at least 1.8 |  | not measured |",
    ]


def test_the_table_of_samples_has_the_columns_that_were_measured_and_the_spread() -> None:
    samples = [turns("floor", 1.0), turns("aos", 2.0), turns("aos", 1.0)]
    samples[0].facts["events_per_turn"] = 11
    head, _, floor, aos = sample_table(samples)
    assert head == "| system | size | per second | p50 ms | p99 ms | server CPU ms | CPU ms | events per turn |"
    assert floor == "| floor | 1 | 100 | 10 | 90 | 5 | 5 | 11 |"
    assert aos == "| aos | 1 | 75 (50-100) | 10 | 90 | 5 | 5 |  |"


@pytest.mark.parametrize(
    ("value", "text"), [(0.0512, "0.0512"), (9.876, "9.88"), (123.4, "123"), (7_600_000, "7,600,000")]
)
def test_numbers_have_about_three_digits(value: float, text: str) -> None:
    assert number(value) == text


def test_no_spread_is_an_empty_cell() -> None:
    assert spread_text(None) == ""


def test_a_record_reads_as_it_was_written(tmp_path: Path) -> None:
    sample = turns("aos", 1.0)
    write_record(tmp_path, outcome(sample), ENVIRONMENT, {"dbos": ["dbos==3.4.0"]}, quick=False)
    record = read_record(tmp_path, "turns")
    assert record is not None
    assert record.samples == [sample]
    assert record.missing == {"restate": "npm is not on PATH"}
    assert record.seconds == 12.3


def test_the_report_is_made_from_the_records_alone(tmp_path: Path) -> None:
    samples = [turns("floor", 1.0), turns("aos", 1.1), turns("floor", 1.0, size=50), turns("aos", 2.0, size=50)]
    write_record(tmp_path, outcome(*samples), ENVIRONMENT, {"dbos": ["dbos==3.4.0"]}, quick=True)
    report = write_report(tmp_path, [load_case("turns"), load_case("history")]).read_text()
    assert "- server: synchronous=FULL" in report
    assert "- dbos: dbos==3.4.0" in report
    assert "share of the floor's, 1 agent | at least 0.85 | 0.909 | ok |" in report
    assert "share of the floor's, 50 agents | at least 0.85 | 0.5 | **missed** |" in report
    assert "- restate: npm is not on PATH" in report
    assert "quick run" in report
    assert "## history" not in report
    assert ElementTree.parse(tmp_path / "turns.svg").getroot().tag.endswith("svg")


@pytest.mark.parametrize("name", all_cases())
def test_every_case_reports_its_targets_as_not_measured_when_nothing_was(name: str) -> None:
    case = load_case(name)
    assert case.about
    assert case.systems
    assert [target.what for target in case.targets([]) if target.met is not None] == []


@pytest.mark.parametrize("logarithmic", [True, False])
def test_a_higher_value_is_drawn_higher(tmp_path: Path, *, logarithmic: bool) -> None:
    line = [(1.0, Spread(10, 9, 12)), (500.0, Spread(40, 40, 40))]
    draw(Chart("c", "A & B", "x", "y", {"aos": line}, logarithmic), tmp_path / "c.svg")
    paths = [element for element in ElementTree.parse(tmp_path / "c.svg").iter() if element.tag.endswith("path")]
    drawn = next(path.attrib["d"] for path in paths if "stroke-width: 2.5" in path.attrib.get("style", ""))
    left, low, right, high = map(float, re.findall(r"[\d.]+", drawn))
    assert left < right
    assert low > high


def test_facts_of_another_name_are_not_taken() -> None:
    assert fact("bytes")(Sample("flat", "aos", 10, facts={"events": 11})) is None
