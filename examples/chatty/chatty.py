"""Writes to both streams: long lines, ANSI colours, Unicode, carriage returns, bytes that are no text, and no last newline."""

import os
import sys
import time

for number in range(1, 11):
    print(f"line {number} on stdout: naïve café, 東京, 🚀")
    print(f"\x1b[33mline {number} on stderr, in yellow\x1b[0m", file=sys.stderr)
    time.sleep(0.05)
print("a long line: " + "abcdefghij" * 5000)
print("progress 10 %\rprogress 55 %\rprogress 100 %")
sys.stdout.flush()
os.write(1, b"bytes that are no text: \xff\xfe\x00 end\n")
os.write(2, b"\x1b[1;31mred and bold\x1b[0m and <script>alert('inert')</script>\n")
os.write(1, b"the last line has no newline")
