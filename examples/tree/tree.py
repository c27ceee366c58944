"""Starts children and a daemonised grandchild that would live for an hour; nothing of it is alive once the job has ended."""

import os
import subprocess
import sys
import time

children = [subprocess.Popen([sys.executable, "-c", "import time; time.sleep(3600)"]) for _ in range(3)]
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        time.sleep(3600)
    os._exit(0)
os.wait()
print(f"{len(children)} children and a grandchild in a session of its own are sleeping for an hour")
time.sleep(1)
print("leaving without them")
