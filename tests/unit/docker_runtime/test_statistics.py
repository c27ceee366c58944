"""The engine's statistics as figures: v1 and v2 name things differently, and what is not there is unknown, not 0."""

import pytest

from fluster.job import Source
from fluster.runtime.docker.statistics import figures_from_statistics


def test_v1():
    found = figures_from_statistics(
        {
            "memory_stats": {
                "usage": 100,
                "max_usage": 140,
                "failcnt": 3,
                "stats": {"total_inactive_file": 30, "total_rss": 60, "total_cache": 40},
            },
            "cpu_stats": {
                "cpu_usage": {"total_usage": 3_000_000_000, "usage_in_kernelmode": 1_000_000_000},
                "throttling_data": {"periods": 10, "throttled_periods": 4, "throttled_time": 500_000_000},
            },
            "pids_stats": {"current": 2},
            "blkio_stats": {
                "io_service_bytes_recursive": [
                    {"major": 254, "minor": 0, "op": "Read", "value": 4096},
                    {"major": 254, "minor": 0, "op": "Write", "value": 20_983_808},
                    {"major": 254, "minor": 0, "op": "Total", "value": 20_987_904},
                    {"major": 8, "minor": 0, "op": "Read", "value": 1},
                ]
            },
            "networks": {"eth0": {"rx_bytes": 582, "tx_bytes": 116}, "eth1": {"rx_bytes": 10, "tx_bytes": 100}},
        }
    )
    assert (found.memory_usage_bytes, found.memory_working_set_bytes, found.memory_peak_bytes) == (100, 70, 140)
    assert (found.memory_anon_bytes, found.memory_cache_bytes, found.memory_limit_hits) == (60, 40, 3)
    assert (found.cpu_user_seconds, found.cpu_system_seconds) == (2.0, 1.0)
    assert (found.block_read_bytes, found.block_written_bytes) == (4096 + 1, 20_983_808)
    assert (found.network_receive_bytes, found.network_transmit_bytes) == (592, 216)
    assert (found.cpu_periods, found.cpu_throttled_periods, found.cpu_throttled_seconds) == (10, 4, 0.5)
    assert found.processes == found.processes_peak == 2
    assert found.memory_peak_source is found.cpu_source is found.processes_peak_source is Source.SAMPLED


def test_v2_keeps_no_peak_so_the_usage_stands_in_as_a_sample():
    found = figures_from_statistics(
        {"memory_stats": {"usage": 100, "stats": {"inactive_file": 30, "anon": 60, "file": 40}}}
    )
    assert (found.memory_peak_bytes, found.memory_peak_source) == (100, Source.SAMPLED)
    assert (found.memory_working_set_bytes, found.memory_anon_bytes, found.memory_cache_bytes) == (70, 60, 40)


def test_v2_writes_its_transfers_small():
    transfers = [
        {"major": 8, "minor": 0, "op": "read", "value": 5},
        {"major": 8, "minor": 0, "op": "write", "value": 7},
    ]
    found = figures_from_statistics({"blkio_stats": {"io_service_bytes_recursive": transfers}})
    assert (found.block_read_bytes, found.block_written_bytes) == (5, 7)


def test_ticks_of_the_modes_never_make_more_than_the_exact_total():
    usage = {"total_usage": 4_000_000, "usage_in_kernelmode": 10_000_000, "usage_in_usermode": 0}
    found = figures_from_statistics({"cpu_stats": {"cpu_usage": usage}})
    assert (found.cpu_user_seconds, found.cpu_system_seconds) == (0.0, 0.004)


def test_no_network_of_its_own_is_unknown_and_one_without_interfaces_has_carried_nothing():
    assert figures_from_statistics({}).network_receive_bytes is None
    assert figures_from_statistics({"networks": {}}).network_receive_bytes == 0


@pytest.mark.parametrize("transfers", [None, []])
def test_unknown_is_absent(transfers):
    blkio = {"io_service_bytes_recursive": transfers}
    found = figures_from_statistics({"memory_stats": {}, "cpu_stats": {}, "pids_stats": {}, "blkio_stats": blkio})
    assert found.evolve(sampled_at_ns=0) == type(found)()
