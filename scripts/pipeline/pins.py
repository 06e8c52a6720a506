"""The locked requirements: which package in which version."""

from collections.abc import Mapping

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name


def pins(text: str, environment: Mapping[str, str] | None = None) -> dict[str, str]:
    """Package -> version of the pins that apply.

    Args:
        text: locked requirements.
        environment: what markers ask for, by their names (PEP 508); what it leaves out, and all
            of it if None, is that of this interpreter.
    """
    found: dict[str, str] = {}
    for line in text.replace("\\\n", " ").splitlines():
        line = line.split(" --hash")[0].split("#")[0].strip()
        if not line or line.startswith("-"):
            continue
        requirement = Requirement(line)
        if requirement.marker is None or requirement.marker.evaluate(dict(environment or {})):
            (pin,) = requirement.specifier
            found[canonicalize_name(requirement.name)] = pin.version
    return found
