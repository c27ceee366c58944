"""P5: scrolling from the end to the beginning of a log of a million lines, beside one of 10,000: each frame a step further."""

from tests.benchmarks.pages.beside import beside
from tests.benchmarks.pages.browser import chromium, forget_tasks, longest_task, opened, shown
from tests.benchmarks.pages.ended import LAST, remember_logs
from tests.benchmarks.result import Note
from tests.benchmarks.worker import started

FRAMES = 300
SCROLL = """([frames, pixels]) => new Promise((done) => {
    const box = document.getElementById("log"), took = [], height = box.scrollHeight;
    let number = 0, last = performance.now();
    const step = (now) => {
        took.push(now - last);
        last = now;
        number += 1;
        box.scrollTop = pixels ? box.scrollTop - pixels : height * (1 - number / frames);
        if (number < frames) requestAnimationFrame(step);
        else done(took.slice(1));
    };
    requestAnimationFrame(step);
})"""
WAYS = {"through all of it": 0, "as a wheel does": 120}
"""Pixels a frame; 0: so many that the frames reach from end to end."""


def measure(bench):
    folder = bench.folder()
    lines = {"long": bench.pick(1_000_000, 20_000), "short": 10_000}
    remember_logs(folder, lines)
    frames = bench.pick(FRAMES, 20)
    with started(folder, runtime="fake", worker_id="bench-scrolling") as worker, chromium() as browser:

        def scrolled(job_id, pixels):
            with opened(browser) as page:
                shown(page, f"{worker.url}/job/{job_id}", LAST)
                page.wait_for_timeout(500)
                forget_tasks(page)
                took = page.evaluate(SCROLL, [frames, pixels])
                return {
                    "frames over 50 ms": sum(each > 50 for each in took), "slowest frame": max(took), "longest task": longest_task(page),
                }  # fmt: skip

        for way, pixels in WAYS.items():
            found = bench.interleave(
                {job_id: lambda job_id=job_id, pixels=pixels: scrolled(job_id, pixels) for job_id in lines}
            )
            for name in found["long"][0]:
                ours, theirs = ([each[name] for each in found[job_id]] for job_id in ("long", "short"))
                unit = f"of {frames - 1}" if name.startswith("frames") else "ms"
                what = f"{lines['long']:,} lines, scrolled {way}: {name}"
                yield from beside("P5", what, unit, ours, f"{lines['short']:,} lines", theirs)
    yield Note(
        "P5: a frame is the time between two of requestAnimationFrame; 16.7 ms are smooth. No task below 50 ms is told."
    )
