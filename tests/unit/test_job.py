"""Short histories worked out by hand: constant lifetimes, so that every instant is known."""

from itertools import pairwise
from typing import Any

import pytest

from clustersim.engine.replication import simulate
from clustersim.records import Phase, Records
from clustersim.scenario.model import Scenario


def run(**changes: Any) -> Records:
    """Return the history of one node that fails each 1000 s, with *changes* to the blocks of the scenario."""
    blocks: dict[str, Any] = {
        "name": "by hand",
        "cluster": {"gpus": 8},
        "failures": {"any": failure()},
        "checkpoint": {"interval": "100 s", "blocks": "10 s"},
        "recovery": {"stages": {"detect": "30 s", "restart": "60 s"}},
        "simulation": {"horizon": "2000 s"},
    }
    return simulate(Scenario.model_validate(blocks | changes), 0)


def failure(**changes: Any) -> dict[str, Any]:
    return {"per": "cluster", "mtbf": "1000 s", "lifetime": "constant", "ages": "new"} | changes


def seconds(records: Records) -> dict[str, float]:
    """Return the job-seconds of each entry that is not empty."""
    cards = sum(records.ledger.values()) / records.wall_s
    return {entry: value / cards for entry, value in records.ledger.items() if value}


def test_two_failures_the_second_at_the_horizon() -> None:
    records = run()
    assert seconds(records) == pytest.approx(
        {"productive": 1700, "lost": 40, "checkpoint": 170, "detection": 30, "recovery": 60}
    )
    assert records.interruptions == 2
    assert records.incidents["lost_s"].tolist() == pytest.approx([10, 30])


def test_a_save_that_becomes_durable_at_the_instant_of_the_failure_counts() -> None:
    records = run(checkpoint={"interval": "490 s", "blocks": "10 s"}, simulation={"horizon": "1000 s"})
    assert seconds(records) == pytest.approx({"productive": 980, "checkpoint": 20})


def test_without_checkpoints_a_failure_throws_everything_away() -> None:
    records = run(checkpoint="none", simulation={"horizon": "1500 s"})
    assert seconds(records) == pytest.approx(
        {"productive": 410, "lost": 1000, "detection": 30, "recovery": 60}
    )
    assert records.incidents["lost_s"].tolist() == [1000]


def test_a_failure_in_recovery_begins_the_chain_again() -> None:
    records = run(
        recovery={"stages": {"detect": "30 s", "restart": "980 s"}}, simulation={"horizon": "3000 s"}
    )
    assert seconds(records) == pytest.approx(
        {"productive": 900, "lost": 10, "checkpoint": 90, "detection": 60, "recovery": 1940}
    )
    assert records.interruptions == 1
    assert records.incident_count == 3


def test_or_is_absorbed() -> None:
    records = run(
        recovery={"stages": {"detect": "30 s", "restart": "1200 s"}, "during_recovery": "absorb"},
        simulation={"horizon": "2900 s"},
    )
    assert seconds(records) == pytest.approx(
        {"productive": 1510, "lost": 10, "checkpoint": 150, "detection": 30, "recovery": 1200}
    )
    assert records.incident_count == 2


def test_a_hang_is_known_only_after_its_timeout() -> None:
    records = run(failures={"any": failure(effect="hang", detect="500 s")}, simulation={"horizon": "1600 s"})
    assert seconds(records)["detection"] == pytest.approx(500)


def test_a_node_goes_to_repair_when_it_is_known_to_be_broken_and_the_job_waits() -> None:
    records = run(failures={"any": failure(per="node", repair="200 s")}, simulation={"horizon": "1400 s"})
    assert seconds(records) == pytest.approx(
        {"productive": 1000, "lost": 10, "checkpoint": 100, "detection": 30, "recovery": 60, "waiting": 200}
    )


def test_a_hot_spare_takes_its_place_at_once() -> None:
    records = run(
        cluster={"gpus": 8, "spares": 1},
        failures={"any": failure(per="node", repair="200 s")},
        simulation={"horizon": "1400 s"},
    )
    assert "waiting" not in seconds(records)
    assert records.spares_left == 0


def test_an_idle_spare_that_fails_is_in_no_rack_and_interrupts_nothing() -> None:
    records = run(
        cluster={"gpus": 8, "nodes_per_rack": 1, "spares": 1, "spare_failures": "100 %"},
        failures={"any": failure(per="node", repair="200 s")},
        simulation={"horizon": "1100 s"},
    )
    lines = {name: records.incidents[name].tolist() for name in ("node", "rack", "doing", "interruption")}
    assert lines == {
        "node": [0, 1],
        "rack": [0, -1],
        "doing": [Phase.TRAINING, Phase.IDLE],
        "interruption": [True, False],
    }


def test_a_cold_spare_first_has_to_be_provisioned() -> None:
    records = run(
        cluster={"gpus": 8, "spares": 1, "spare_kind": "cold", "provision": "150 s"},
        failures={"any": failure(per="node", repair="200 s")},
        simulation={"horizon": "1400 s"},
    )
    assert seconds(records)["recovery"] == pytest.approx(150 + 60)
    assert records.incidents["stage_nodes_s"].tolist() == pytest.approx([150])


def test_one_crew_repairs_one_incident_after_the_other() -> None:
    shop = {"constant": "200 s", "crews": 1}
    records = run(
        cluster={"gpus": 16},
        failures={"any": failure(per="node", repair=shop)},
        recovery={"stages": {"detect": "30 s", "restart": "60 s"}, "during_recovery": "absorb"},
        simulation={"horizon": "1490 s"},
    )
    assert seconds(records)["waiting"] == pytest.approx(400)


def test_two_crews_repair_both_at_once() -> None:
    shop = {"constant": "200 s", "crews": 2}
    records = run(
        cluster={"gpus": 16},
        failures={"any": failure(per="node", repair=shop)},
        recovery={"stages": {"detect": "30 s", "restart": "60 s"}, "during_recovery": "absorb"},
        simulation={"horizon": "1490 s"},
    )
    assert seconds(records)["waiting"] == pytest.approx(200)


def test_a_failure_on_the_training_clock_waits_while_the_job_recovers() -> None:
    records = run(failures={"any": failure(clock="training")}, simulation={"horizon": "2100 s"})
    assert records.incidents["time_s"].tolist() == [1000, 2090]


def test_the_run_ends_when_the_target_is_reached() -> None:
    records = run(workload={"productive": "950 s"}, simulation={"horizon": "5000 s"})
    assert records.reached_s == pytest.approx(1090 + 50)
    assert records.progress_s == pytest.approx(950)
    assert seconds(records)["productive"] == pytest.approx(950)


def test_less_than_a_second_may_be_missing_from_the_target() -> None:
    records = run(
        workload={"productive": "1000.5 s"},
        checkpoint={"interval": "500 s", "blocks": "0 s"},
        simulation={"horizon": "5000 s"},
    )
    assert records.reached_s == 1000 + 30 + 60 + 0.5


def test_the_start_is_free_unless_told_otherwise() -> None:
    records = run(
        recovery={"stages": {"detect": "30 s", "restart": "60 s"}, "at_start": True}, failures="none"
    )
    assert seconds(records)["recovery"] == pytest.approx(60)
    assert "detection" not in seconds(records)


def test_maintenance_saves_first_so_that_nothing_is_lost() -> None:
    records = run(
        failures="none",
        checkpoint={"interval": "300 s", "blocks": "10 s", "durable_after": "20 s"},
        maintenance={"every": "500 s", "takes": "100 s"},
        simulation={"horizon": "900 s"},
    )
    # 300 + 10 + 190 | save 30, stop 100 | 270 to the horizon
    assert seconds(records) == pytest.approx({"productive": 760, "checkpoint": 40, "maintenance": 100})


def test_a_failure_in_the_last_save_before_maintenance_falls_back_to_the_copy_before() -> None:
    records = run(
        failures={"any": failure(mtbf="515 s")},
        checkpoint={"interval": "300 s", "blocks": "10 s", "durable_after": "20 s"},
        maintenance={"every": "500 s", "takes": "100 s"},
        simulation={"horizon": "700 s"},
    )
    # 300 + 10 + 190 | 15 s of the save, detection 30, recovery 60 | 10 left of the stop | 85 to the horizon
    assert seconds(records) == pytest.approx(
        {
            "productive": 385,
            "lost": 190,
            "checkpoint": 25,
            "detection": 30,
            "recovery": 60,
            "maintenance": 10,
        }
    )
    assert (records.interruptions, records.incidents["doing"].tolist()) == (1, [Phase.SAVING])


def test_what_was_done_before_each_maintenance_counts_towards_the_target() -> None:
    records = run(
        failures="none",
        checkpoint={"interval": "300 s", "blocks": "10 s"},
        maintenance={"every": "500 s", "takes": "100 s"},
        workload={"productive": "1100 s"},
        simulation={"horizon": "5000 s"},
    )
    # 300 + 10 + 190 | 10 + 100 | 300 + 10 + 80 | 10 + 100 | 230
    assert records.reached_s == pytest.approx(1110 + 230)


def test_maintenance_that_came_due_while_the_job_was_down_is_past() -> None:
    records = run(
        failures={"any": failure(mtbf="170 s")},
        checkpoint="none",
        maintenance={"every": "100 s", "takes": "20 s", "abrupt": True},
        simulation={"horizon": "330 s"},
    )
    # 100 | stop 20 | 50 | down to 260, over the window at 200 | 40 | stop 20 | 10
    assert seconds(records) == pytest.approx(
        {"productive": 10, "lost": 190, "detection": 30, "recovery": 60, "maintenance": 40}
    )


def test_unless_it_is_abrupt() -> None:
    records = run(
        failures="none",
        checkpoint={"interval": "300 s", "blocks": "10 s"},
        maintenance={"every": "500 s", "takes": "100 s", "abrupt": True},
        simulation={"horizon": "900 s"},
    )
    assert seconds(records) == pytest.approx(
        {"productive": 600, "lost": 190, "checkpoint": 10, "maintenance": 100}
    )


def test_a_stop_that_saves_nothing_and_takes_no_time_is_one_stop() -> None:
    records = run(
        failures="none",
        checkpoint="none",
        maintenance={"every": "100 s", "takes": "0 s", "abrupt": True},
        simulation={"horizon": "350 s"},
    )
    assert seconds(records) == pytest.approx({"productive": 50, "lost": 300})


def test_a_failure_in_maintenance_is_recovered_from_when_it_is_over() -> None:
    records = run(
        checkpoint="none",
        maintenance={"every": "950 s", "takes": "100 s", "abrupt": True},
        simulation={"horizon": "1240 s"},
    )
    assert seconds(records) == pytest.approx(
        {"productive": 100, "lost": 950, "maintenance": 100, "detection": 30, "recovery": 60}
    )


def test_what_lies_before_the_warm_up_is_not_booked_and_a_stretch_across_it_is_cut() -> None:
    records = run(simulation={"horizon": "2000 s", "warm_up": "955 s"})
    # of the stretch from 0, 45 s remain: 25 s of training that was saved, 10 s that was lost, 10 s of a save
    assert records.wall_s == 1045
    assert seconds(records) == pytest.approx(
        {"productive": 825, "lost": 40, "checkpoint": 90, "detection": 30, "recovery": 60}
    )


def test_every_cause_is_charged_with_what_it_cost() -> None:
    records = run()
    assert records.charges.sum() + records.ledger["productive"] == pytest.approx(8 * 2000)
    assert records.charges[0].sum() / 8 == pytest.approx(40 + 30 + 60)


def test_the_curve_of_productive_time_ends_at_the_progress() -> None:
    records = run()
    assert records.curve[-1] == pytest.approx(records.progress_s)
    assert (records.curve[1:] >= records.curve[:-1]).all()


def test_the_strip_is_a_gapless_account_of_its_window() -> None:
    strip = run().strip
    assert [(begin, activity) for begin, _, activity, *_ in strip[:2]] == [
        (0, "productive"),
        (100, "checkpoint"),
    ]
    assert all(before[1] == after[0] for before, after in pairwise(strip))
    assert {activity for _, _, activity, *_ in strip} == {
        "productive", "lost", "checkpoint", "detection", "recovery",
    }  # fmt: skip
