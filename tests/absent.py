"""What a machine lacks. On one where it may be lacking a test is left out, aloud; in CI `FLUSTER_TEST_ALLOW_MISSING` is never set, and it fails."""

import os
import shutil

import pytest

__all__ = ["allowed", "leave_out", "needed"]


def allowed():
    """May tests be left out here? scripts/test says so where it could not install all they need."""
    return bool(os.environ.get("FLUSTER_TEST_ALLOW_MISSING"))


def leave_out(reason):
    """Leaves the test out where that is allowed."""
    if allowed():
        pytest.skip(f"{reason}, and FLUSTER_TEST_ALLOW_MISSING is set")


def needed(*programs):
    for program in programs:
        if shutil.which(program) is None:
            leave_out(f"{program} is missing")
