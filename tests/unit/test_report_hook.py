"""Pages are written by whoever has registered for it."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from clustersim import report_hook
from clustersim.report_hook import write_page
from clustersim.store import RunError


def test_reports_writes_pages() -> None:
    (ours,) = report_hook.entry_points(group=report_hook.GROUP)
    assert ours.value == "clustersim_reports"
    assert {"write_report", "write_study", "write_validation"} <= set(dir(ours.load()))


def test_a_page_that_nobody_writes_is_refused_in_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "below" / "report.html"
    with pytest.raises(RunError, match=r"report\.html: nothing is installed that writes this page"):
        write_page("write_poem", None, path)
    assert not path.parent.exists()


def test_another_package_may_write_a_page_of_its_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    poems = SimpleNamespace(write_poem=lambda shown, path, author: path.write_text(f"{shown}, by {author}"))
    monkeypatch.setattr(report_hook, "entry_points", lambda group: [SimpleNamespace(load=lambda: poems)])
    path = write_page("write_poem", "stanza", tmp_path / "below" / "poem.txt", "nobody")
    assert path.read_text() == "stanza, by nobody"
