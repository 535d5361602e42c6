"""`Scenario`: one cluster, one job, one question, as frozen values in seconds, cards and shares of 1."""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from clustersim.scenario import rates
from clustersim.scenario.checks import examine
from clustersim.scenario.keys.blocks import refuse
from clustersim.scenario.keys.logs import Rows
from clustersim.scenario.keys.remarks import OwnLever, Published
from clustersim.scenario.keys.scenario import ScenarioBlock
from clustersim.scenario.system import System
from clustersim.scenario.trials import trouble


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario(System):
    """One YAML file, resolved: the system that is simulated, and the remarks on it.

    Its parts are frozen values in seconds, cards and shares of 1: `cluster`, `workload`, `failures` by name,
    `checkpoint`, `recovery`, `maintenance`, `costs`, `simulation`.  `target_s` are the productive seconds
    after which the job is done (None: only the horizon ends the run), `end_s` the simulated seconds after
    which a run ends at the latest: the horizon, or ten times the target.

    `mtbf` are the seconds between failures of all modes together, `over_time` not counted (None without
    failures): lemons count, and so do failures that others bring about.  `written` are the file's blocks.
    """

    name: str
    title: str | None
    about: str | None
    levers: Mapping[str, OwnLever]
    expect: Mapping[str, str]
    sources: Mapping[str, str]
    published: Published | None
    mtbf: float | None
    written: ScenarioBlock
    _document: Mapping[str, Any]

    @classmethod
    def model_validate(cls, data: Mapping[str, Any]) -> Scenario:
        """Return the scenario that *data* says, with the keys and units of a file.

        Raises pydantic's ValidationError with a sentence for each thing that is wrong.
        """
        written = ScenarioBlock.model_validate(data)
        document = {name: _plain(data[name]) for name in ScenarioBlock.model_fields if name in data}
        for name, mode in written.failures.items():
            if isinstance(document["failures"][name].get("replay"), str):
                document["failures"][name]["replay"] = mode.replay
        system, findings = examine(written, document)
        refuse(findings or trouble(written, document))
        remarks = ("name", "title", "about", "levers", "expect", "sources", "published")
        return cls(
            **{field.name: getattr(system, field.name) for field in fields(System)},
            **{name: getattr(written, name) for name in remarks},
            mtbf=rates.mtbf(system),
            written=written,
            _document=document,
        )

    @property
    def document(self) -> dict[str, Any]:
        """The scenario as plain data, bases inlined and overrides applied; loading it gives the same one.

        Of a log it holds the rows.
        """
        return copy.deepcopy(dict(self._document))

    @property
    def hash(self) -> str:
        """SHA-256 of the document in hexadecimal; the order of keys counts, as for stages and modes."""
        text = json.dumps(self._document, ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, Rows):
        return value
    return [_plain(inner) for inner in value] if isinstance(value, list | tuple) else value
