"""Reading the numbers back from a page's tables of arithmetic."""

from __future__ import annotations

import math
import re

from streamlit.testing.v1 import AppTest

ROW = re.compile(r"<tr><td>(.*?)</td><td>(.*?)</td><td>(.*?)</td></tr>")
KNOWN = {"exp": math.exp, "ln": math.log, "min": min, "max": max, "inf": math.inf}


def tables(app: AppTest) -> list[list[tuple[str, float, float]]]:
    """Every table of arithmetic on a page: what each line computes, its sum anew, its result."""
    bodies = [element.proto.body for element in app.get("html")]
    return [
        [(plain(name), evaluate(numbers), evaluate(result)) for name, numbers, result in rows]
        for rows in (ROW.findall(body) for body in bodies if 'class="arithmetic"' in body)
    ]


def results(app: AppTest, table: int = 0) -> dict[str, float]:
    """The results of a table by what stands left of the equals sign; a later line wins."""
    return {name.split(" ")[0]: result for name, _, result in tables(app)[table]}


def clips(app: AppTest) -> list[float]:
    """The corners after the clip, in order."""
    return [result for name, _, result in tables(app)[0] if "clipped" in name]


def evaluate(text: str) -> float:
    """The value of printed arithmetic, computed anew by Python."""
    text = re.sub(r"</?span[^>]*>", "", text).rstrip("=").strip()
    text = text.replace("·10<sup>", "e").replace("−", "-").replace("×", "*").replace("∞", "inf")
    text = re.sub(r"e<sup>(.*)</sup>", r"exp(\1)", text).replace("</sup>", "")
    text = re.sub(r"clip\((.*), 0, (\d+)\)", r"min(max(\1, 0), \2)", text)
    return float(eval(text, {"__builtins__": {}}, KNOWN))


def plain(text: str) -> str:
    """Words without their markup."""
    return re.sub(r"<[^>]+>", "", text)
