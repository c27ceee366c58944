"""A runtime in memory, for tests of Fluster and of programs that use it."""

from fluster.runtime.fake.runtime import FakeRuntime

__all__ = ["FakeRuntime"]
