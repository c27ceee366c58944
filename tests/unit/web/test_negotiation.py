import pytest

from fluster.collectors import Format
from fluster.web.metrics.negotiation import accepts_gzip, choose_format

PROMETHEUS_2 = "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
PROMETHEUS_3 = (
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
    "application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,"
    "text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
)


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        ("", Format.TEXT),
        ("*/*", Format.TEXT),
        ("text/html,*/*;q=0.8", Format.TEXT),
        (PROMETHEUS_2, Format.OPENMETRICS),
        (PROMETHEUS_3, Format.OPENMETRICS),
        ("application/openmetrics-text", Format.OPENMETRICS),
        ('Application/OpenMetrics-Text; version="1.0.0"', Format.OPENMETRICS),
        ("application/openmetrics-text; version=2.0.0", Format.TEXT),
        ("application/openmetrics-text;q=0.1,text/plain", Format.TEXT),
        ("text/plain;q=0.1,application/openmetrics-text", Format.OPENMETRICS),
        ("application/openmetrics-text;q=0", Format.TEXT),
        ("application/openmetrics-text;q=much", Format.TEXT),
        (",;,;q=,", Format.TEXT),
    ],
)
def test_the_format_is_what_the_scraper_likes_best(accept, form):
    assert choose_format(accept) is form


@pytest.mark.parametrize(
    ("header", "yes"),
    [("", False), ("gzip", True), ("gzip, deflate, br", True), ("identity", False), ("gzip;q=0", False), ("*", True), ("GZIP;q=0.5", True), ("*;q=1,gzip;q=0", False), ("notgzip", False)],
)  # fmt: skip
def test_gzip_is_sent_where_it_is_asked_for(header, yes):
    assert accepts_gzip(header) is yes
