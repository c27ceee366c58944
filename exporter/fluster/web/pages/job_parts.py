"""The parts of the job page, rendered. One object serves one reader: it remembers what is dear to find out."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Final
from urllib.parse import urlencode

from fluster.config import Settings
from fluster.job import Job, Sample
from fluster.web.output import OutputListing, OutputLists
from fluster.web.pages.fact_sheets import FactSheet, FactSheets
from fluster.web.pages.figure import figures
from fluster.web.pages.last_words import LastLine, last_words
from fluster.web.pages.outcome import explanation, headline, lead, reason
from fluster.web.pages.phases import phases, pieces
from fluster.web.pages.rendering import Rendering
from fluster.web.services import Services

__all__ = ["JobParts", "grafana_link"]

_AROUND_MS: Final = 60_000
"""What the link to Grafana shows before and after a job: scrapes come some seconds late."""
_FILES: Final = 100
"""Output files that are shown; the others are counted."""


class JobParts:
    def __init__(self, services: Services, rendering: Rendering, sheets: FactSheets, outputs: OutputLists) -> None:
        self._services = services
        self._sheets = sheets
        self._outputs = outputs
        self._rendering = rendering
        self._words: list[LastLine] | None = None

    async def all(self, job: Job) -> dict[str, str]:
        if self._words is None and job.state.terminal:
            self._words = await last_words(job, self._services.logs)
        output, sheet = await self._outputs.get(job), await self._sheets.get(job)
        return self._render(job, time.time_ns(), await self._services.manager.samples(job.id), sheet, output)

    def _render(
        self, job: Job, now_ns: int, samples: Sequence[Sample], sheet: FactSheet, output: OutputListing
    ) -> dict[str, str]:
        part, found = self._rendering.part, phases(job, now_ns)
        sentence, since = headline(job, now_ns), next((phase for phase in found if phase.live), None)
        doing = "" if job.state.terminal else reason(job)
        return {
            "title": part("job", "title", job),
            "actions": part("job", "actions", job, grafana_link(job, self._services.settings)),
            "headline": part(
                "job", "headline", job, sentence, lead(job), since, doing, explanation(job), self._words or []
            ),
            "phases": part("job", "phases", found, pieces(found)),
            "figures": part("job", "figures", figures(job, samples)),
            "facts": sheet.part,
            "files": part("job", "files", job, output, output.files[:_FILES]),
        }


def grafana_link(job: Job, settings: Settings) -> str:
    """Its dashboard, from shortly before it was accepted to shortly after its end; "" where no Grafana is configured."""
    if not settings.grafana_url:
        return ""
    chosen = {
        "var-worker": settings.worker_id, "var-job_id": job.id,
        "from": job.submitted_ns // 1_000_000 - _AROUND_MS,
        "to": job.finished_ns // 1_000_000 + _AROUND_MS if job.finished_ns else "now",
    }  # fmt: skip
    return f"{settings.grafana_url.rstrip('/')}/d/fluster-job?{urlencode(chosen)}"
