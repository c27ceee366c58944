"""Fails the way programs do: a traceback on stderr, exit code 3."""

import sys
import traceback


def divide(total, parts):
    return total / parts


try:
    print("dividing 10 by 0")
    divide(10, 0)
except ZeroDivisionError:
    traceback.print_exc()
    sys.exit(3)
