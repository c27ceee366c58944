"""GPUs of this machine as NVML tells of them, and the live figures of those that are assigned. Knows nothing of jobs."""

from fluster.gpu.gpu import Gpu, visible_devices
from fluster.gpu.watch import GpuWatch

__all__ = ["Gpu", "GpuWatch", "visible_devices"]
