"""Would count for an hour; its timeout ends it."""

import time

for second in range(3600):
    print(f"{second} s")
    time.sleep(1)
