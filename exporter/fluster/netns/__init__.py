"""The bytes that went in and out of one network namespace, exact to its end: loopback does not count.

Standard library only. Figures are the kernel's: /proc/net/dev while an interface is there, and the counters in its last netlink
message once it was taken away (linux/rtnetlink.h).
"""

from fluster.netns.counters import Counters
from fluster.netns.entrance import open_network
from fluster.netns.reader import NetworkReader

__all__ = ["Counters", "NetworkReader", "open_network"]
