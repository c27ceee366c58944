"""Takes one container's log, as a worker does: a process that a test can kill. Arguments: engine, container, log, the engine's file."""

import asyncio
import sys
from pathlib import Path

from fluster.cri import LogBounds
from fluster.runtime.docker.capture import Capture
from fluster.runtime.docker.client import connect
from fluster.runtime.docker.growth import Growth


async def main(engine, container, log, engine_file):
    capture = Capture(
        connect(engine), container, Path(log), bounds=LogBounds(), engine_file=Path(engine_file), growth=Growth()
    )
    await capture.ended()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
