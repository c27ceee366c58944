"""The supervisor takes one job from accepted to removed. It is the failure boundary: its end is always an end reason."""

from fluster.supervisor.gpus import GpuAllocator
from fluster.supervisor.supervisor import EndRequest, Supervisor, SupervisorParts, clear_workspace

__all__ = ["EndRequest", "GpuAllocator", "Supervisor", "SupervisorParts", "clear_workspace"]
