"""`make bench-logs`, or python -m tests.benchmarks logs L3 L5: one section of the performance goals, a package beside this file."""

import sys

from tests.benchmarks.command import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]) if sys.argv[1:] else "name a section: logs, metrics or pages")
