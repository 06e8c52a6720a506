"""Texts as Typst writes them."""

import re
from collections.abc import Sequence

# what a reader is told of a number by it: see tables.rendering
DAGGER = "#dagger"
_SIGNS = re.compile(
    # a number with an exponent; a power of ten, as words have it
    r"(?<![\w.])(?P<mantissa>-?\d[\d.]*)e(?P<exponent>[+-]?\d+)(?!\w|\.\d)"
    r"|10\^(?P<power>-?[\d.]*\d)"
    # a negative number; the error off the support; a null space constant; a mark
    r"|(?P<minus>(?<![\w.])-(?=\d))|(?P<off>n off S\b)|(?P<tilde>ϱ~)|(?P<mark> ?†)"
)


def text(words: str) -> str:
    """Words, whatever signs are in them: a string of Typst's, in markup."""
    return f"#{string(words)};"


def string(words: str) -> str:
    """Words as a string of Typst's, in code."""
    escaped = words.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ")
    return f'"{escaped}"'


def signs(words: str) -> str:
    """Words of a table, its headings, numbers and signs, with powers and letters as in formulas."""
    parts, end = [], 0
    for found in _SIGNS.finditer(words):
        parts += [words[end : found.start()], _sign(found)]
        end = found.end()
    parts.append(words[end:])
    # every other part is a sign
    return "".join(part if place % 2 else text(part) for place, part in enumerate(parts) if part)


def _sign(found):
    if found["off"]:
        return "#emph[n]#sub[Sᶜ]"
    if found["tilde"]:
        return "$tilde(rho.alt)$"
    if found["minus"]:
        return text("−")
    if found["mark"]:
        return f"{DAGGER};"
    if found["power"]:
        return f"10#super[{text(_minus(found['power']))}]"
    power = _minus(str(int(found["exponent"])))
    head = "" if found["mantissa"] == "1" else f"{_minus(found['mantissa'])}\u202f·\u202f"
    return f"{text(f'{head}10')}#super[{text(power)}]"


def _minus(number):
    return number.replace("-", "−")


def listed(parts: Sequence[str]) -> str:
    """Parts of a sentence: a, b and c."""
    *first, last = parts
    return f"{', '.join(first)} and {last}" if first else last
