"""Charts show their numbers at the right place."""

import re

import pytest

from terraform.report.charts import MOST_POINTS, Interval, Series, interval_chart, line_chart
from terraform.report.svg import shown, ticks


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [(0, 10, [0, 2.5, 5, 7.5, 10]), (0, 1, [0, 0.25, 0.5, 0.75, 1]), (-5, 5, [-5, -2.5, 0, 2.5, 5]), (3, 3, [3])],
)
def test_ticks_are_round_and_few(low, high, expected):
    assert ticks(low, high) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("value", "said"),
    [(0, "0"), (12345.6, "12,346"), (9.012, "9.01"), (0.41234, "0.412"), (250.0, "250"), (-0.05, "-0.0500")],
)
def test_numbers_have_three_digits_that_count(value, said):
    assert shown(value) == said


def test_dots_lie_where_their_values_are():
    chart = str(interval_chart("a chart", [Interval("a", 10, 5, 15, "own"), Interval("b", 20, None, None, "other")]))
    places = [float(x) for x in re.findall(r'<circle cx="([\d.]+)"', chart)]
    ends = [
        float(x) for x in re.findall(r'<line x1="([\d.]+)" y1="[\d.]+" x2="[\d.]+" y2="[\d.]+" class="whisker"', chart)
    ]
    zero = float(re.findall(r'<line x1="([\d.]+)" y1="4"', chart)[0])
    assert places[1] - zero == pytest.approx(2 * (places[0] - zero), abs=0.05)
    assert ends[0] - zero == pytest.approx((places[0] - zero) / 2, abs=0.05)


def test_a_long_line_is_averaged():
    points = [(float(k), float(k % 2)) for k in range(3000)]
    chart = str(line_chart("a line", [Series("x", points, 1)], "images"))
    (line,) = re.findall(r'points="([^"]+)"', chart)
    assert len(line.split()) <= MOST_POINTS
    assert len({point.split(",")[1] for point in line.split()}) == 1  # each is the mean of zeros and ones


def test_what_is_written_is_escaped():
    assert "<b>" not in str(interval_chart("<b>", [Interval("<b>", 1, None, None, "own")]))
