"""The supervisor process that each job of the process runtime has (`main`), and what it knows of /proc (`kin`).

Standard library only, with fluster.cgroup and fluster.cri, which are the same: its start is part of every job's start.
"""
