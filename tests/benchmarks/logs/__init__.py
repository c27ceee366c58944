"""Section L of the project's performance goals."""

TITLE = "Logs: Fluster beside others, in one run"
ROWS = {
    "L1": "capture",
    "L2": "capture_cpu",
    "L3": "last_lines",
    "L4": "pages",
    "L5": "search",
    "L6": "followers",
    "L7": "napping",
}
