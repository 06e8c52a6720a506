"""Captions, which are written once, for Snakemake's report in reStructuredText, as Typst."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import jinja2
from docutils import nodes
from docutils.core import publish_doctree
from docutils.utils import SystemMessage

from export.document.markup import signs, string
from pipeline.command_line import Failure

# element of a text -> function of Typst
_FUNCTIONS = {"strong": "strong", "emphasis": "emph", "superscript": "super", "subscript": "sub"}
# any message of docutils ends it: a caption with a mistake is not printed
_SETTINGS = {"halt_level": 1, "report_level": 5}


def caption(path: Path, config: dict, params: dict[str, Any]) -> str:
    """A caption as Typst, less what the document says once for all of them.

    Args:
        path: of the caption.
        config: the configuration; params: those of the rule that the report has.

    Raises:
        Failure: naming the file, if it is no caption.
    """
    template = jinja2.Environment(autoescape=False).from_string(path.read_text(encoding="utf-8"))
    job = SimpleNamespace(config=config, params=SimpleNamespace(**params))
    try:
        return in_typst(template.render(snakemake=job, setting_is_said=True))
    except (jinja2.TemplateError, SystemMessage, ValueError) as error:
        raise Failure(f"{path.name}: {error}") from error


def in_typst(source: str) -> str:
    """A text in reStructuredText as Typst.

    Raises:
        ValueError: if something is in it that no caption has.
        SystemMessage: of docutils.
    """
    return _written(publish_doctree(source, settings_overrides=_SETTINGS)).strip()


def _written(node):
    if isinstance(node, nodes.Text):
        return signs(node.astext())
    inside = "".join(map(_written, node.children))
    if node.tagname in ("document", "list_item"):
        return inside
    if node.tagname == "paragraph":
        return f"{inside}\n\n"
    if node.tagname == "literal":
        return f"#raw({string(node.astext())});"
    if node.tagname in _FUNCTIONS:
        return f"#{_FUNCTIONS[node.tagname]}[{inside}];"
    if node.tagname == "bullet_list":
        items = "".join(f"[{_written(item).strip()}], " for item in node.children)
        return f"#list({items})\n\n"
    raise ValueError(f"{node.tagname} is not known here")
