"""The configurations that are shipped, changed as little as a test needs: where the servers are, and how long everything takes."""

from pathlib import Path

import yaml

__all__ = ["PROMETHEUS", "alertmanager", "prometheus"]

PROMETHEUS = Path(__file__).parents[3] / "prometheus"


def prometheus(*, rules, worker, target, alertmanager=None):
    """prometheus.yml for the worker at `target`, with the rule files `rules`, scraping and evaluating every second."""
    config = yaml.safe_load((PROMETHEUS / "prometheus.yml").read_text())
    config["global"] |= {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"}
    config["rule_files"] = [str(each) for each in rules]
    scraped = next(each for each in config["scrape_configs"] if each["job_name"] == "fluster")
    _point(scraped, target, worker=worker)
    config["scrape_configs"] = [scraped]
    _point(config["alerting"]["alertmanagers"][0], *([alertmanager] if alertmanager else []))
    return config


def _point(section, *targets, **labels):
    """Fixed addresses in place of a file of them."""
    section.pop("file_sd_configs", None)
    section["static_configs"] = [{"targets": list(targets), "labels": labels}]


def alertmanager(*, webhook):
    """alertmanager.yml that tells everything to `webhook`, and without delay."""
    config = yaml.safe_load((PROMETHEUS / "alertmanager.yml").read_text())

    def hurry(route):
        route |= {"group_wait": "100ms", "group_interval": "500ms", "repeat_interval": "1h"}
        for inner in route.get("routes", ()):
            hurry(inner)

    hurry(config["route"])
    for receiver in config["receivers"]:
        name = receiver["name"]
        receiver.clear()
        receiver |= {"name": name, "webhook_configs": [{"url": webhook, "send_resolved": True}]}
    return config
