"""Over all points of a graph, what grew is what grew: no event is counted twice, whatever the step."""

import subprocess

import pytest
import yaml

from grafana.generator.queries.job import NAME
from grafana.generator.query import grown

pytestmark = pytest.mark.prometheus
LABELS = 'worker="w1",instance="w1:8080",job="fluster"'
OF_A_JOB = f'{LABELS},job_id="a1"'


def evaluated(tmp_path, series, checks):
    """promtool's word on queries at the end of twenty minutes of `series`, scraped every 15 s."""
    case = {
        "interval": "15s",
        "input_series": [{"series": name, "values": values} for name, values in series.items()],
        "promql_expr_test": [
            {"expr": query, "eval_time": "20m", "exp_samples": [{"labels": labels, "value": value}]} for query, labels, value in checks
        ],
    }  # fmt: skip
    file = tmp_path / "graphs.yml"
    file.write_text(yaml.safe_dump({"rule_files": [], "evaluation_interval": "15s", "tests": [case]}))
    return subprocess.run(["promtool", "test", "rules", file], capture_output=True, text=True, check=False)


def summed(query, step):
    """The sum over all bars that Grafana draws at this step, as a legend says it."""
    return f"sum_over_time(({query.replace('$__interval', step)})[20m:{step}])"


@pytest.mark.parametrize("step", ["15s", "30s", "60s", "300s"])
def test_the_bars_of_a_workers_counter_add_up(tmp_path, step):
    series = {f"ended{{{LABELS}}}": "0x10 1x20 4x60"}
    done = evaluated(tmp_path, series, [(summed(grown("ended", "worker"), step), '{worker="w1"}', 4)])
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("step", ["15s", "60s"])
def test_the_first_sample_of_a_young_job_counts_and_that_of_an_old_one_does_not(tmp_path, step):
    query = grown("dropped{job_id}", "job_id", of_jobs="job_id=~'.+'").replace("dropped{job_id}", "dropped")
    for submitted, counted in ((590, 5), (0, 2)):  # the first sample is 3, ten minutes after the beginning
        series = {
            f"dropped{{{OF_A_JOB}}}": "_x40 3x10 5x60",
            f"fluster_job_submitted_timestamp_seconds{{{OF_A_JOB}}}": f"_x40 {submitted}x70",
        }
        done = evaluated(tmp_path, series, [(summed(query, step), '{job_id="a1"}', counted)])
        assert done.returncode == 0, done.stdout + done.stderr


def test_overlapping_windows_would_count_an_event_more_than_once(tmp_path):
    series = {f"ended{{{LABELS}}}": "0x10 1x80"}
    query = "sum_over_time((sum by (worker) (increase(ended[60s])))[20m:15s])"
    done = evaluated(tmp_path, series, [(query, '{worker="w1"}', 1)])
    assert done.returncode != 0


def test_a_job_whose_image_became_known_has_one_row_of_facts(tmp_path):
    facts = f'{OF_A_JOB},name="train"'
    series = {
        f'fluster_job_info{{{facts},image="",bundle="",from_cache=""}}': "1x8 stale",
        f'fluster_job_info{{{facts},image="fluster:1",bundle="abc",from_cache="false"}}': "_x9 1x70",
    }
    query = (
        NAME.expr.replace("$__range", "20m").replace('worker=~"$worker"', 'worker="w1"').replace('"$job_id"', '"a1"')
    )
    row = f'{{{facts},image="fluster:1",bundle="abc",from_cache="false"}}'
    done = evaluated(tmp_path, series, [(query, row, 1185)])
    assert done.returncode == 0, done.stdout + done.stderr
