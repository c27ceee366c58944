"""Takes 8 MiB more every 50 ms until its memory limit ends it: the kernel's word is the reason that the job gets."""

import time

held = []
for step in range(1, 200):
    block = bytearray(8 << 20)
    block[::4096] = b"x" * len(block[::4096])
    held.append(block)
    print(f"holding {8 * step} MiB", flush=True)
    time.sleep(0.05)
