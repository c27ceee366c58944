"""Section M of the project's performance goals."""

TITLE = "Metrics: Fluster beside others, in one run"
ROWS = {
    "M1": "sample",
    "M2": "rest",
    "M3": "rendering",
    "M4": "packing",
    "M5": "scraping",
    "M6": "lines",
    "M7": "spikes",
    "M8": "growth",
}
