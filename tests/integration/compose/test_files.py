"""docker-compose.yml and what it mounts: read by docker-compose itself, by promtool, and held against the repository."""

import json
import re
import shutil
import subprocess

import pytest
import yaml

from fluster import __version__
from tests.integration.compose.conftest import ROOT, compose_config

FILES = ("docker-compose.yml", "docker-compose.engine.yml")
DASHBOARDS = [json.loads(path.read_text()) for path in (ROOT / "grafana/dashboards").glob("*.json")]


@pytest.fixture(scope="module")
def config():
    return compose_config(FILES[0])


@pytest.fixture(scope="module")
def sources():
    """Grafana's datasources as they are provisioned."""
    return yaml.safe_load((ROOT / "grafana/provisioning/datasources/fluster.yaml").read_text())["datasources"]


def test_all_that_is_promised_comes_up(config):
    assert set(config["services"]) == {"worker", "prometheus", "alertmanager", "loki", "alloy", "grafana"}


def test_every_image_is_pinned_and_every_service_has_a_health_check(config):
    for name, service in config["services"].items():
        assert re.fullmatch(r"[\w/-]+:v?\d+\.\d+\.\d+", service["image"]), name
        assert service["healthcheck"]["test"], name


def test_services_wait_for_healthy_ones_only(config):
    for service in config["services"].values():
        for needed in service.get("depends_on", {}).values():
            assert needed["condition"] == "service_healthy"


def test_nothing_can_be_reached_but_from_this_machine(config):
    ports = [port for service in config["services"].values() for port in service.get("ports", ())]
    assert len(ports) == 4
    assert all(str(port).startswith("127.0.0.1:") for port in ports)


def test_the_default_worker_has_no_engine_and_no_rights():
    text = (ROOT / FILES[0]).read_text()
    assert "docker.sock" not in text
    for service in compose_config(FILES[0])["services"].values():
        assert not {"privileged", "pid", "cap_add", "devices", "network_mode"} & set(service)
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]


def test_only_the_second_file_gives_the_worker_the_socket_and_says_what_that_means():
    both = compose_config(*FILES)["services"]
    having = [
        name for name, service in both.items() if any("docker.sock" in str(each) for each in service.get("volumes", ()))
    ]
    assert having == ["worker"]
    assert not both["worker"].get("privileged")
    text = (ROOT / FILES[1]).read_text()
    assert "root on this machine" in text


def test_every_file_and_folder_that_is_mounted_is_in_the_repository(config):
    mounted = [
        str(each).split(":")[0] for service in config["services"].values() for each in service.get("volumes", ())
    ]
    of_ours = [path for path in mounted if path.startswith("/")]
    assert len(of_ours) >= 7
    for path in of_ours:
        assert path.startswith(str(ROOT))
        tracked = subprocess.run(["git", "-C", str(ROOT), "ls-files", path], capture_output=True, text=True, check=True)
        assert tracked.stdout, path
    for secret in config["secrets"].values():
        assert (ROOT / secret["file"]).is_file()


def test_the_version_is_the_workers(config):
    assert config["services"]["worker"]["image"] == f"fluster-worker:{__version__}"
    assert f'org.opencontainers.image.version="{__version__}"' in (ROOT / "exporter/Dockerfile").read_text()


def test_metrics_and_logs_of_the_worker_have_one_name(config):
    (target,) = yaml.safe_load((ROOT / "prometheus/compose/workers.yml").read_text())
    names = {config["services"][name]["environment"]["FLUSTER_WORKER_ID"] for name in ("worker", "alloy")}
    assert names == {target["labels"]["worker"]}
    assert target["targets"] == ["worker:8080"]
    assert target["labels"]["instance"] == "localhost:8080"


@pytest.mark.prometheus
@pytest.mark.parametrize("targets", ["targets", "compose"])
def test_promtool_takes_the_configuration_with_either_targets(targets, tmp_path):
    shutil.copytree(ROOT / "prometheus", tmp_path / "prometheus")
    if targets != "targets":
        shutil.rmtree(tmp_path / "prometheus/targets")
        shutil.copytree(ROOT / "prometheus" / targets, tmp_path / "prometheus/targets")
    done = subprocess.run(
        ["promtool", "check", "config", tmp_path / "prometheus/prometheus.yml"], capture_output=True, text=True, check=False
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("worker", "address", "name"),
    [
        ("", "gpu-1:8080", "gpu-1"), ("", "gpu-1", "gpu-1"), ("", "10.0.0.7:8080", "10.0.0.7"), ("", "[2001:db8::1]:8080", "2001:db8::1"), ("", "[2001:db8::1]", "2001:db8::1"),
        ("gpu-3", "10.0.0.7:8080", "gpu-3"),
    ],
)  # fmt: skip
def test_a_target_without_a_name_has_that_of_its_machine(worker, address, name):
    scraped = yaml.safe_load((ROOT / "prometheus/prometheus.yml").read_text())["scrape_configs"][0]
    (rule,) = scraped["relabel_configs"]
    assert rule["source_labels"] == ["worker", "__address__"]
    found = re.fullmatch(rule["regex"], rule["separator"].join((worker, address)))
    assert (found[1] if found else worker) == name


def test_the_datasources_are_those_that_dashboards_name(sources):
    uids = {source["uid"] for source in sources}
    assert uids == {"fluster-prometheus", "fluster-loki", "fluster-alertmanager"}
    named = set(
        re.findall(
            r'"type": "(?:prometheus|loki|alertmanager)", "uid": "([^"]+)"', "".join(map(json.dumps, DASHBOARDS))
        )
    )
    assert {"fluster-prometheus", "fluster-loki"} <= named <= uids


def test_links_between_logs_metrics_and_dashboards_lead_somewhere(sources):
    uids = {source["uid"] for source in sources}
    variables = {each["uid"]: {variable["name"] for variable in each["templating"]["list"]} for each in DASHBOARDS}
    fields = [field for source in sources for field in source["jsonData"].get("derivedFields", ())]
    assert {field["matcherRegex"] for field in fields} == {"job_id", "worker"}
    for field in fields:
        uid = re.match(r"/d/([\w-]+)\?", field["url"])[1]
        assert set(re.findall(r"var-(\w+)=", field["url"])) <= variables[uid]
    for source in sources:
        for correlation in source.get("correlations", ()):
            assert correlation["targetUID"] in uids


def test_dashboards_are_provisioned_from_where_they_are_mounted(config):
    (provider,) = yaml.safe_load((ROOT / "grafana/provisioning/dashboards/fluster.yaml").read_text())["providers"]
    targets = [str(each).split(":")[1] for each in config["services"]["grafana"]["volumes"]]
    assert provider["options"]["path"] in targets
    assert provider["folder"] == "Fluster"
