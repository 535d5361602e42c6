"""The page of a run with uncertain inputs keeps them and chance apart."""

from __future__ import annotations

from pathlib import Path

from clustersim import run
from clustersim.metrics import cells
from clustersim.scenario import loads
from clustersim_reports.blocks import Data
from clustersim_reports.run import Run
from clustersim_reports.sections import sensitivity, spread
from tests.reports import findings

JOB = """
name: job
cluster: {gpus: 8}
failures: {any: {per: job, mtbf: 1 h, clock: calendar}}
checkpoint: {interval: 8 min, blocks: 30 s}
recovery: {stages: {detect: 0 s, restart: 5 min}}
simulation: {horizon: 20 h}
uncertain: {recovery.stages.restart: 2 to 12 min}
uncertainty: {draws: 10}
"""


def test_the_page_says_both_and_draws_both(tmp_path: Path) -> None:
    results = run(loads(JOB), tmp_path / "run", workers=1)
    text = results.report().read_text("utf-8").replace("\N{NO-BREAK SPACE}", " ")
    said = cells.inputs(results.summary, "ettr", after="")
    assert said.startswith("inputs 0.")
    assert f"chance ± {cells.ettr(results.summary).text.partition(' ± ')[2].partition(',')[0]}" in text
    assert said in text
    assert "5 min; uncertain: 2 to 12 min" in text
    figure = spread.figure(Run("job", results))
    assert isinstance(figure.data, Data)
    assert "10 draws of the uncertain inputs, 2 replications with each of them" in str(figure)


def test_the_whiskers_of_an_input_are_those_of_its_share_in_all() -> None:
    study = findings.unknowns()
    figure = sensitivity.shares(study)
    for index, point in zip(study.found.indices, figure.data.rows, strict=True):
        total, first = sensitivity.possible(index.total), sensitivity.possible(index.first)
        assert (point["total"], point["low"], point["high"]) == tuple(total)
        assert [point[f"first_order{end}"] for end in ("", "_low", "_high")] == [*first]
