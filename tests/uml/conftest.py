import os

# Tests of a cgroup v2 machine: test_machines runs them inside one.
collect_ignore = [] if os.environ.get("FLUSTER_INSIDE_UML") else ["inside"]
