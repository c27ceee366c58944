"""The engine's statistics as figures: v1 and v2 name things differently, and what is not there is unknown, not 0."""

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
        }
    )
    assert (found.memory_usage_bytes, found.memory_working_set_bytes, found.memory_peak_bytes) == (100, 70, 140)
    assert (found.memory_anon_bytes, found.memory_cache_bytes, found.memory_limit_hits) == (60, 40, 3)
    assert (found.cpu_user_seconds, found.cpu_system_seconds) == (2.0, 1.0)
    assert (found.cpu_periods, found.cpu_throttled_periods, found.cpu_throttled_seconds) == (10, 4, 0.5)
    assert found.processes == 2
    assert found.memory_peak_source is found.cpu_source is Source.SAMPLED


def test_v2_keeps_no_peak_so_the_usage_stands_in_as_a_sample():
    found = figures_from_statistics(
        {"memory_stats": {"usage": 100, "stats": {"inactive_file": 30, "anon": 60, "file": 40}}}
    )
    assert (found.memory_peak_bytes, found.memory_peak_source) == (100, Source.SAMPLED)
    assert (found.memory_working_set_bytes, found.memory_anon_bytes, found.memory_cache_bytes) == (70, 60, 40)


def test_unknown_is_absent():
    found = figures_from_statistics({"memory_stats": {}, "cpu_stats": {}, "pids_stats": {}})
    assert found.evolve(sampled_at_ns=0) == type(found)()
