"""What a run and a comparison look like on a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from clustersim.advice import advise, compared, largest_loss, verdict
from clustersim.digits import NOTHING, duration, measured, money, percent, plus_minus, points, whole
from clustersim.records import PEER
from clustersim.results import Comparison, Results
from clustersim.summary import figure

Summary = Mapping[str, Any]
Row = tuple[str, str]

LEAST_SHARE = 0.0005
PRICE = "Cost per effective card-hour"


def run(screen: Console, results: Results) -> None:
    """Print the verdict, the figures, where the time goes, and what to do next."""
    summary = results.summary
    screen.print(Text(f"\n{verdict(summary)}\n", style="bold"))
    screen.print(_two_columns([*_figures(summary)]))
    screen.print(Text("\nWhere the time goes", style="bold"))
    screen.print(_two_columns([*_time(summary)]))
    for advice in advise(results.scenario, summary):
        screen.print(
            Text(f"\n{'! ' if advice.warning else ''}{advice}", style="yellow" if advice.warning else "")
        )
    screen.print(f"\nNext: clustersim report {results.folder}")


def _two_columns(rows: Sequence[Row]) -> Table:
    table = Table(box=None, show_header=False, padding=(0, 3, 0, 0))
    for name, value in rows:
        table.add_row(Text(name), Text(value))
    return table


def _figures(summary: Summary) -> Iterator[Row]:
    """Yield the figures that a summary has, each with its interval."""
    for name, show in FIGURES:
        if (text := show(summary)) != NOTHING or name == "MTTI":
            yield name, text


def margin(summary: Summary, path: str) -> float | None:
    """Return half the interval of the figure at *path*."""
    width: float | None = summary["margins"].get(path)
    return width


def _ettr(summary: Summary) -> str:
    return plus_minus(summary["ettr"]["mean"], summary["half_width"])


def _spread(summary: Summary) -> str:
    ettr = summary["ettr"]
    if summary["replications"] < 2 or not summary.get("random", True):
        return NOTHING
    width = (ettr["p90"] - ettr["p10"]) / 4
    return f"{measured(ettr['p10'], width)} to {measured(ettr['p90'], width)}"


def _effective(summary: Summary) -> str:
    shown = plus_minus(summary["effective_gpus"], margin(summary, "effective_gpus"))
    return f"{shown} of {whole(summary['gpus'])}"


def _tokens(summary: Summary) -> str:
    value, width = summary["throughput"]["tokens_per_s"], margin(summary, "throughput.tokens_per_s")
    return NOTHING if value is None else plus_minus(value, width)


def _mtti(summary: Summary) -> str:
    if summary["mtti_s"] is None:
        return f"{NOTHING} ({summary['reasons']['mtti_s']})"
    return duration(summary["mtti_s"], margin(summary, "mtti_s"))


def _daily(summary: Summary) -> str:
    return plus_minus(summary["interruptions_per_day"], margin(summary, "interruptions_per_day"))


def _days(summary: Summary) -> str:
    days = summary.get("days_to_target")
    if days is None:
        return NOTHING
    width = margin(summary, "days_to_target.mean")
    if days["mean"] is None:
        return f"{NOTHING} ({summary['reasons']['days_to_target.mean']})"
    spread = f" (nine in ten by {measured(days['p90'], width)})" if summary["replications"] > 1 else ""
    return f"{plus_minus(days['mean'], width)} days{spread}"


def _price(path: str) -> Callable[[Summary], str]:
    def show(summary: Summary) -> str:
        value = summary.get("cost", {}).get(path)
        return (
            money(value, summary["currency"], margin(summary, f"cost.{path}"))
            if value is not None
            else NOTHING
        )

    return show


def _replicas(summary: Summary) -> str:
    block = summary.get("replicas")
    if block is None:
        return NOTHING
    down = plus_minus(block["down"], margin(summary, "replicas.down"))
    return f"{whole(block['count'])} ({down} of them down)"


def _away(summary: Summary) -> str:
    block = summary.get("spares")
    if block is None or not block["away"]["max"]:
        return NOTHING
    mean = plus_minus(block["away"]["mean"], margin(summary, "spares.away.mean"))
    return f"{mean} ({whole(block['away']['p99'])} or fewer for 99 % of the time)"


def _spares(summary: Summary) -> str:
    block, nodes = summary.get("spares"), summary["spare_nodes"]
    if block is None or not (nodes or block["away"]["max"]):
        return NOTHING
    if not block["away"]["max"]:
        return f"{whole(nodes)} (no node ever left the job)"
    enough = block["sufficient_p99"]
    held = "" if enough is None else f"{whole(enough)} would suffice for 99 % of the time, "
    waited = percent(block["waiting"], margin(summary, "spares.waiting"))
    spent = f"{waited} of the time spent waiting" if block["waiting"] else "nobody waited"
    return f"{whole(nodes)} ({held}{spent})"


def _loads(summary: Summary) -> str:
    paths = {name: f"tiers.{name}.loads" for name in summary.get("tiers", {})}
    paths |= {PEER: "replicas.peer_loads"} if "replicas" in summary else {}
    found = {name: figure(summary, path) for name, path in paths.items()}
    shares = [
        f"{name} {percent(share, margin(summary, paths[name]))}" for name, share in found.items() if share
    ]
    return ", ".join(shares) or NOTHING


def _interval(summary: Summary) -> str:
    if tiers := summary.get("tiers"):
        return ", ".join(f"{name} {duration(tier['interval_s'], 0.0)}" for name, tier in tiers.items())
    interval = summary["checkpoint_interval_s"]
    return NOTHING if interval is None else duration(interval, 0.0)


def _largest(summary: Summary) -> str:
    found = largest_loss(summary)
    return (
        NOTHING if found is None else f"{found[0]} {percent(found[1], margin(summary, f'ledger.{found[0]}'))}"
    )


FIGURES: tuple[tuple[str, Callable[[Summary], str]], ...] = (
    ("ETTR", _ettr),
    ("p10 to p90", _spread),
    ("Effective cards", _effective),
    ("Tokens per second", _tokens),
    ("MTTI", _mtti),
    ("Interruptions per day", _daily),
    ("Time to the target", _days),
    (PRICE, _price("per_effective_gpu_hour")),
    ("Cost of the run", _price("total")),
    ("Replicas", _replicas),
    ("Nodes away", _away),
    ("Spare nodes", _spares),
    ("Interval between saves", _interval),
    ("Copies loaded", _loads),
    ("Replications", lambda summary: whole(summary["replications"])),
)


def _time(summary: Summary) -> Iterator[Row]:
    """Yield the entries of the ledger, the largest first, recovery with its stages."""
    ledger = summary["ledger"]
    for entry in sorted(ledger, key=lambda entry: -ledger[entry]):
        if ledger[entry]:
            share = percent(ledger[entry], margin(summary, f"ledger.{entry}"))
            yield f"  {entry}", f"{share:>7}{_stages(summary) if entry == 'recovery' else ''}"


def _stages(summary: Summary) -> str:
    stages = {name: share for name, share in summary["recovery_stages"].items() if share >= LEAST_SHARE}
    if len(stages) < 2:
        return ""
    listed = ", ".join(
        f"{name} {percent(share, margin(summary, f'recovery_stages.{name}'))}"
        for name, share in stages.items()
    )
    return f"  ({listed})"


def comparison(screen: Console, found: Comparison) -> None:
    """Print the runs side by side, differences to the baseline, and what each step in size returns."""
    table = Table(box=None, padding=(0, 3, 0, 0))
    table.add_column("")
    for one in found.results:
        table.add_column(Text(one.name), justify="right")
    for name, cells in _rows(found):
        table.add_row(Text(name), *map(Text, cells))
    screen.print()
    screen.print(table)
    for advice in compared(found):
        screen.print(Text(f"\n{advice}", style="yellow" if advice.warning else ""))
    for one in found.results:
        if one.summary["no_progress"]:
            screen.print(Text(f"\n! {verdict(one.summary)}", style="yellow"))


def _rows(found: Comparison) -> Iterator[tuple[str, list[str]]]:
    summaries = [one.summary for one in found.results]
    yield "Cards", [whole(summary["gpus"]) for summary in summaries]
    for name, show in (*FIGURES[:-1], ("Largest loss", _largest)):
        cells = [_brief(name, show(summary), summary) for summary in summaries]
        if any(cell != NOTHING for cell in cells):
            yield name, cells
    yield f"ETTR against {found.baseline}", list(_against(found))


def _brief(name: str, cell: str, summary: Summary) -> str:
    """Return a cell without what stands elsewhere in its column; no price for next to nothing."""
    if name == PRICE and summary["no_progress"]:
        return NOTHING
    return cell.split(" (")[0].split(" of ")[0]


def _against(found: Comparison) -> Iterator[str]:
    differences = {one.name: one.ettr for one in found.differences}
    for one in found.results:
        estimate = differences.get(one.name)
        if estimate is None:
            yield NOTHING
        elif estimate.half_width is not None and not estimate.distinguishable:
            yield "not distinguishable"
        else:
            yield points(estimate.mean, estimate.half_width)
