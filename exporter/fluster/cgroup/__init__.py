"""Control groups of jobs on v1 and v2: where they are, their limits, their figures, their end.

Standard library only: every job's own supervisor process imports it. Files and numbers are the kernel's
(Documentation/admin-guide/cgroup-v1 and cgroup-v2).
"""

from fluster.cgroup.group import Bounds, JobCgroup
from fluster.cgroup.hierarchy import Hierarchy, find_hierarchy
from fluster.cgroup.reader import CgroupReader
from fluster.cgroup.reading import Glance, Reading

__all__ = ["Bounds", "CgroupReader", "Glance", "Hierarchy", "JobCgroup", "Reading", "find_hierarchy"]
