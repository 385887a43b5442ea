"""How the arithmetic of a box is written."""

import math

import pytest
import torch

from explorer.core.arithmetic import decode_one
from explorer.pages._arithmetic import number, pixels, signed, table
from tests.pages.numbers import ROW, evaluate, plain

ONES = (1, 1, 1, 1)
ANCHOR = torch.tensor([100.0, 100.0, 164.0, 132.0])


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.0, "0.00"),
        (-0.0, "0.00"),
        (12.345, "12.35"),
        (-7.0, "−7.00"),
        (999_999.0, "999999.00"),
        (1_000_000.0, "1.00·10<sup>6</sup>"),
        (-2.5e30, "−2.50·10<sup>30</sup>"),
        (0.01, "0.01"),
        (0.00321, "3.21·10<sup>−3</sup>"),
        (math.inf, "∞"),
        (-math.inf, "−∞"),
        (math.nan, "NaN"),
    ],
)
def test_a_length_is_written_so_that_it_can_be_read(value, shown):
    assert pixels(value) == shown


def test_a_delta_has_four_decimals_and_a_sign_of_its_own():
    assert number(-0.1) == "−0.1000"
    assert (signed(0.25), signed(-0.25)) == ("+ 0.2500", "− 0.2500")


def lines(deltas, weights=ONES, clamp=4.0):
    done = decode_one(ANCHOR, torch.tensor(deltas), weights, clamp, (200, 300))
    return ROW.findall(table(done, (200, 300)))


def test_the_lines_by_hand():
    found = [plain(" | ".join(row)) for row in lines([0.5, -0.25, 0.0, 5.0])]
    assert found == [
        "x = xa + dx · wa | 132.00 + 0.5000 × 64.00 = | 164.00",
        "y = ya + dy · ha | 116.00 − 0.2500 × 32.00 = | 108.00",
        "w = wa · emin(dw, clamp) | 64.00 × emin(0.0000, 4.0000) = | 64.00",
        "h = ha · emin(dh, clamp) | 32.00 × emin(5.0000, 4.0000) = | 1747.14",
        "x1 = x − w / 2 | 164.00 − 32.00 = | 132.00",
        "y1 = y − h / 2 | 108.00 − 873.57 = | −765.57",
        "x2 = x + w / 2 | 164.00 + 32.00 = | 196.00",
        "y2 = y + h / 2 | 108.00 + 873.57 = | 981.57",
        "x1 clipped to 0 … 300 | clip(132.00, 0, 300) = | 132.00",
        "y1 clipped to 0 … 200 | clip(−765.57, 0, 200) = | 0.00",
        "x2 clipped to 0 … 300 | clip(196.00, 0, 300) = | 196.00",
        "y2 clipped to 0 … 200 | clip(981.57, 0, 200) = | 200.00",
    ]


def test_weights_have_lines_of_their_own_where_they_count():
    found = lines([1.0, 2.0, 3.0, 4.0], weights=(10, 10, 5, 5))
    assert [plain(row[1]) for row in found[:4]] == [
        "1.0000 / 10 =",
        "2.0000 / 10 =",
        "3.0000 / 5 =",
        "4.0000 / 5 =",
    ]
    assert [row[2][-13:-7] for row in found[:4]] == ["0.1000", "0.2000", "0.6000", "0.8000"]
    assert len(lines([1.0, 2.0, 3.0, 4.0])) == len(found) - 4


def test_without_a_clamp_none_is_written():
    found = lines([0.0, 0.0, 1.0, 0.0], clamp=None)
    assert plain(found[2][0]) == "w = wa · edw"
    assert evaluate(found[2][1]) == pytest.approx(64 * math.e, abs=1e-2)
    assert not any("min" in row[1] for row in found)
