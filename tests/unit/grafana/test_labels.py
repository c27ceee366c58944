"""Labels are few, so that Loki's streams are: three for a worker's jobs, and two for its builds."""

from tests.unit.grafana.agents import FOLDER, read_fluent_bit, read_yaml
from tests.unit.grafana.alloy import read_alloy


def test_labels_are_the_worker_the_source_and_the_stream(read):
    assert read().labels == {"worker", "source", "stream"}


def test_the_job_is_structured_metadata(read):
    assert read().metadata == {"job_id", "job_name"}


def test_a_build_is_its_source_and_a_job_has_that_of_its_stream(read):
    assert read().source == {"build": "build", "job": "$stream"}


def test_the_name_of_the_worker_comes_from_its_own_variable(read):
    assert read(FLUSTER_WORKER_ID="w1").worker == "w1"
    assert read(HOSTNAME="here").worker in {"here", "fluster"}


def test_alloy_drops_labels_only_once_parts_are_joined():
    """The stage tells lines apart by their labels: without `filename` two jobs would mix."""
    process = read_alloy((FOLDER / "alloy.alloy").read_text(), {})["loki.process", "cri"]
    kinds = [each.kind for each in process.blocks]
    assert kinds[0] == "stage.cri"
    assert kinds[-1] == "stage.label_keep"


def test_promtail_drops_labels_only_once_parts_are_joined():
    (scrape,) = read_yaml("promtail.yaml", {})["scrape_configs"]
    names = [name for stage in scrape["pipeline_stages"] for name in stage]
    assert names[0] == "cri"
    assert names[-1] == "labelallow"


def test_fluent_bit_sends_the_bare_text():
    """With one key left the line is its value; every other key that a record may have is removed."""
    sections = read_fluent_bit("fluent-bit.conf", {})
    (output,) = (each for kind, each in sections if kind == "OUTPUT")
    removed = {each.strip() for each in output["remove_keys"].split(",")}
    assert removed == {"time", "stream", "flag", "path", "job_id", "job_name", "source"}
    assert output["drop_single_key"] == "raw"
    assert not {"label_keys", "label_map_path", "auto_kubernetes_labels"} & output.keys()
