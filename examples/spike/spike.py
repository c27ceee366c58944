"""Holds 300 MiB for 50 ms, then lives on small: a sampler at any sane interval sees nothing of it, the kernel's peak does."""

import time

print("taking 300 MiB for 50 ms")
held = bytearray(300 << 20)
held[::4096] = b"x" * len(held[::4096])
time.sleep(0.05)
del held
print("gave it back; living on small")
for second in range(3):
    time.sleep(1)
    print(f"{second + 1} s later: still small")
