"""Live figures: one thread reads them for all jobs, another walks their directories."""

from fluster.stats.sampler import Sampler

__all__ = ["Sampler"]
