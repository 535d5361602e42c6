"""What needs no Dask: worker processes, and what is said of an executor that is none, or not there."""

from __future__ import annotations

from pathlib import Path

import pytest

import clustersim as cs
from clustersim import dask_workers, workers
from clustersim.store import ChoiceError, RunError
from tests.machines.conftest import QUESTIONS, files, scenario


@pytest.mark.parametrize("name", QUESTIONS)
def test_two_processes_give_the_same_bytes(
    name: str, alone: dict[str, dict[str, bytes]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "WORTH_A_POOL", 0.0)
    QUESTIONS[name](tmp_path / name, workers=2)
    assert files(tmp_path / name) == alone[name]


def test_without_the_extra_one_sentence_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise ModuleNotFoundError(name)

    monkeypatch.setattr(dask_workers, "import_module", missing)
    with pytest.raises(ChoiceError, match=r"needs Dask, which is not installed: pip install 'clustersim"):
        cs.run(scenario(), executor="dask")


@pytest.mark.parametrize("executor", ["ray", "dask:", "", "DASK", "dask,tcp://host:8786"])
def test_an_executor_that_is_none_is_refused(executor: str) -> None:
    with pytest.raises(ChoiceError, match=r"executor: .* is none; give local, dask, dask:tcp://host:8786, "):
        cs.run(scenario(), executor=executor)


def test_the_file_of_a_scheduler_is_read_for_its_address(tmp_path: Path) -> None:
    file = tmp_path / "scheduler.json"
    with pytest.raises(RunError, match=r"scheduler.json: No such file or directory; dask scheduler --sch"):
        dask_workers.address_of(str(file))
    for text in ("{", "[]", "{}", "1"):
        file.write_text(text)
        with pytest.raises(RunError, match="not the file of a Dask scheduler"):
            dask_workers.address_of(str(file))
    file.write_text('{"type": "Scheduler", "address": "tcp://10.0.0.7:8786"}')
    assert dask_workers.address_of(str(file)) == "tcp://10.0.0.7:8786"
    assert dask_workers.address_of("node-7:8786") == "node-7:8786"
    with pytest.raises(ChoiceError, match=r"foo is no protocol of Dask's; write tcp://host:8786"):
        dask_workers.address_of("foo://node-7:8786")
