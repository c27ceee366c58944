"""The smallest job that says something: who it is, and where its files are."""

import os
import platform

print(f"hello from job {os.environ['FLUSTER_JOB_ID']} on worker {os.environ['FLUSTER_WORKER_ID']}")
print(f"Python {platform.python_version()}, working in {os.getcwd()}")
with open(os.path.join(os.environ["FLUSTER_OUTPUT_DIR"], "greeting.txt"), "w") as file:
    file.write("hello\n")
print("wrote greeting.txt to the output directory")
