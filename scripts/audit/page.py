"""The audit's report as a page."""

# so many of a kind stand on the page; the JSON file holds all
SHOWN = 5


def as_page(report: dict) -> str:
    """The report in Markdown, its verdict on the first line."""
    lines = [f"{report['verdict']}{caveat(report)}: {report['sentence']}"]
    lines += ["", "## Figures and tables", ""]
    for entry in report["published"]:
        what = "numbers" if entry["kind"] == "table" else "points"
        line = f"- {entry['verdict']} {entry['kind']} {entry['name']}"
        proved = f" ({entry['proved']} of {entry['shown']} {what} proved)"
        if entry["kind"] == "document":
            proved = ""
        lines.append(line + (f": {listed(entry['reasons'])}" if entry["reasons"] else proved))
    if report["others"]:
        lines += ["", "## What is wrong beside them", ""]
        lines += [f"- FAIL {text}" for text in report["others"]]
    skipped = [entry for entry in report["published"] if entry["not compared"]]
    if skipped:
        lines += ["", "## What could not be compared with its proof", ""]
        lines += [
            f"- {entry['kind']} {entry['name']}, {len(entry['not compared'])} numbers: "
            f"{listed(entry['not compared'])}"
            for entry in skipped
        ]
    lines += ["", "## What was checked", ""]
    lines += [f"- {what}: {count}" for what, count in report["checked"].items()]
    if report["notes"]:
        lines += ["", "## What was left out", ""]
        lines += [f"- {note}" for note in report["notes"]]
    lines += ["", "## Where the audit ran", ""]
    lines += [f"- {what}: {words}" for what, words in report["environment"].items()]
    return "\n".join(lines) + "\n"


def caveat(report: dict) -> str:
    """What of the programs, the workflow and the reference is not as it is committed."""
    names = report["uncommitted"]
    if not names:
        return ""
    files = "1 file" if len(names) == 1 else f"{len(names)} files"
    return f" (with uncommitted changes in {files}: {listed(names, ', ')})"


def listed(texts: list[str], separator: str = "; ") -> str:
    """Texts in a line, the first few of them."""
    more = len(texts) - SHOWN
    return separator.join(texts[:SHOWN]) + (f"{separator}and {more} more" if more > 0 else "")
