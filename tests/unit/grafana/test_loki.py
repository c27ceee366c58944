"""Loki for one machine, and that it takes what the agents send."""

import re

from fluster.config import Settings
from fluster.cri import CriWriter
from tests.unit.grafana.agents import FOLDER, fluent_bit, read_fluent_bit, read_yaml
from tests.unit.grafana.alloy import read_alloy

UNITS = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}


def size(text):
    """Loki's and Fluent Bit's sizes are powers of 1024."""
    number, unit = re.fullmatch(r"(\d+)([KMG])B?", text).groups()
    return int(number) * UNITS[unit]


def loki(**environment):
    return read_yaml("loki.yaml", environment)


def test_structured_metadata_is_kept():
    (schema,) = loki()["schema_config"]["configs"]
    assert (schema["store"], schema["schema"], schema["index"]["period"]) == ("tsdb", "v13", "24h")
    assert loki()["limits_config"]["allow_structured_metadata"] is True


def test_old_lines_are_deleted():
    assert loki()["compactor"]["retention_enabled"] is True
    assert loki()["compactor"]["delete_request_store"] == "filesystem"
    limits = loki(LOKI_RETENTION="48h")["limits_config"]
    assert limits["retention_period"] == limits["reject_old_samples_max_age"] == "48h"


def test_it_is_alone_and_tells_nobody():
    config = loki()
    assert config["analytics"] == {"reporting_enabled": False}
    assert config["server"]["http_listen_address"] == config["common"]["instance_addr"] == "127.0.0.1"
    assert config["common"]["ring"] == {"kvstore": {"store": "inmemory"}}


def test_no_label_is_added():
    assert loki()["limits_config"]["discover_service_name"] == []


def test_lines_behind_newer_ones_of_other_jobs_are_taken():
    limits = loki()["limits_config"]
    assert limits["unordered_writes"] is True
    assert limits["shard_streams"]["time_sharding_enabled"] is True


def test_a_long_line_is_cut_by_loki_alone_which_marks_it(read):
    limits = loki()["limits_config"]
    longest = size(limits["max_line_size"])
    assert longest > Settings.model_fields["max_line"].default
    assert limits["max_line_size_truncate"] is True
    assert limits["max_line_size_truncate_identifier"]
    assert read().cut is None or read().cut > longest
    assert loki()["server"]["grpc_server_max_recv_msg_size"] > 2 * longest


def test_fluent_bit_has_room_for_the_longest_entry(tmp_path):
    longest = Settings.model_fields["max_line"].default
    with CriWriter(tmp_path / "job.log", max_line_bytes=longest) as writer:
        writer.write("stderr", 0, b"x" * 2 * longest + b"\n")
    entries = (tmp_path / "job.log").read_bytes().splitlines(keepends=True)
    for kind, section in read_fluent_bit("fluent-bit.conf", {}):
        if kind == "INPUT":
            assert size(section["buffer_max_size"]) > max(map(len, entries))
            assert section["skip_long_lines"] == "On"


def test_an_agent_waits_for_loki_without_end():
    endpoint = read_alloy((FOLDER / "alloy.alloy").read_text(), {})["loki.write", "loki"].one("endpoint")
    assert endpoint.values["max_backoff_retries"] == 0
    (client,) = read_yaml("promtail.yaml", {})["clients"]
    assert client["backoff_config"]["max_retries"] == 0
    (output,) = (each for kind, each in read_fluent_bit("fluent-bit.conf", {}) if kind == "OUTPUT")
    assert output["retry_limit"] == "no_limits"


def test_addresses_come_from_the_environment():
    alloy = read_alloy((FOLDER / "alloy.alloy").read_text(), {"LOKI_URL": "http://loki:3100"})
    assert alloy["loki.write", "loki"].one("endpoint").values["url"] == "http://loki:3100/loki/api/v1/push"
    (client,) = read_yaml("promtail.yaml", {"LOKI_URL": "http://loki:3100"})["clients"]
    assert client["url"] == "http://loki:3100/loki/api/v1/push"
    (output,) = (each for kind, each in read_fluent_bit("fluent-bit.conf", {"LOKI_HOST": "loki"}) if kind == "OUTPUT")
    assert (output["host"], output["port"]) == ("loki", "3100")


def test_promtail_expands_only_what_is_meant():
    """Its expansion takes every `${` and halves every double backslash."""
    text = (FOLDER / "promtail.yaml").read_text()
    assert text.count("$") == text.count("${")
    assert "\\\\" not in text


def test_a_restart_reads_on_and_what_is_new_is_read_from_its_start():
    inputs = [each for kind, each in read_fluent_bit("fluent-bit.conf", {}) if kind == "INPUT"]
    assert len({each["db"] for each in inputs}) == len(inputs) == len(fluent_bit({}).globs)
    assert all(each["read_from_head"] == "On" for each in inputs)
    assert all(int(each["rotate_wait"]) < 120 for each in inputs), "by then the rotated file is compressed"
    source = read_alloy((FOLDER / "alloy.alloy").read_text(), {})["loki.source.file", "jobs"]
    assert source.values["tail_from_end"] is False
    assert read_yaml("promtail.yaml", {})["positions"]["filename"] == "/var/lib/promtail/positions.yaml"
