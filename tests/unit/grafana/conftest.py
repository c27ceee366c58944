import pytest

from tests.unit.grafana.agents import AGENTS


@pytest.fixture(params=AGENTS)
def read(request):
    """Reads the shipped configuration of one agent under an environment."""
    return lambda **environment: AGENTS[request.param](environment)
