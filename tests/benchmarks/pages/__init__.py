"""The pages: what they weigh, what they cost the worker, and how a browser bears a long log."""

TITLE = "Pages: their weight, their cost, and long logs in a browser, in one run"
ROWS = {
    "P1": "weight",
    "P2": "serving",
    "P3": "opening",
    "P4": "flood",
    "P5": "scrolling",
}
