"""Writes a report as Markdown or as HTML.

Names come from whoever pushes: nothing in them may be more than text, in either.
"""

import html
import re
from dataclasses import dataclass, field

TEXT_MAX = 300

STYLE = """
:root { color-scheme: light dark; --text: #1d2430; --faint: #667085; --page: #f7f8fa; --card: #fff; --line: #d9dee6; }
@media (prefers-color-scheme: dark) {
  :root { --text: #e4e7ec; --faint: #98a2b3; --page: #12161d; --card: #1b212b; --line: #343c4a; }
}
body { margin: 0 auto; max-width: 72rem; padding: 1rem; background: var(--page); color: var(--text);
  font: 1rem/1.45 system-ui, sans-serif; }
table { border-collapse: collapse; width: 100%; background: var(--card); margin: 0.5rem 0; }
th, td { border: 1px solid var(--line); padding: 0.25rem 0.5rem; text-align: left; vertical-align: top;
  overflow-wrap: anywhere; }
th.number, td.number { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
p { color: var(--faint); }
"""


@dataclass
class Table:
    """Columns are names; one that ends with > has numbers."""

    columns: list
    rows: list
    more: str = ""  # what is said of those that are left out


@dataclass
class Section:
    title: str
    texts: list = field(default_factory=list)
    table: Table = None


def plain(text):
    """What cannot be seen is shown by its number; what is endless is cut."""
    text = str(text)
    text = text if len(text) <= TEXT_MAX else text[:TEXT_MAX] + "…"
    return "".join(char if char.isprintable() else {"\n": "\\n", "\r": "\\r", "\t": "\\t"}.get(char, f"\\u{ord(char):04x}")
                   for char in text)


# ---- Markdown -------------------------------------------------------------------------------


def markdown_text(text):
    escaped = re.sub(r"([\\`*_\[\]|~#!])", r"\\\1", plain(text))
    escaped = escaped.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"(?i)(https?|ftp)(:)|(www)(\.)", lambda found: f"{found[1] or found[3]}\\{found[2] or found[4]}", escaped)


def markdown_table(table):
    yield "| " + " | ".join(markdown_text(name.rstrip(">")) for name in table.columns) + " |"
    yield "|" + "|".join(" ---: " if name.endswith(">") else " --- " for name in table.columns) + "|"
    for row in table.rows:
        yield "| " + " | ".join(markdown_text(cell) for cell in row) + " |"
    if table.more:
        yield from ("", markdown_text(table.more))


def markdown(title, sections):
    lines = [f"# {markdown_text(title)}", ""]
    for section in sections:
        lines += [f"## {markdown_text(section.title)}", ""]
        for text in section.texts:
            lines += [markdown_text(text), ""]
        if section.table:
            lines += [*markdown_table(section.table), ""]
    return "\n".join(lines)


# ---- HTML -----------------------------------------------------------------------------------


def html_text(text):
    return html.escape(plain(text))


def html_row(tag, columns, cells):
    kinds = (' class="number"' if name.endswith(">") else "" for name in columns)
    return "<tr>" + "".join(f"<{tag}{kind}>{html_text(cell)}</{tag}>" for kind, cell in zip(kinds, cells)) + "</tr>"


def html_table(table):
    yield "<table>"
    yield f"<thead>{html_row('th', table.columns, [name.rstrip('>') for name in table.columns])}</thead>"
    yield "<tbody>"
    yield from (html_row("td", table.columns, row) for row in table.rows)
    yield "</tbody>"
    yield "</table>"
    if table.more:
        yield f"<p>{html_text(table.more)}</p>"


def html_page(title, sections):
    lines = ["<!DOCTYPE html>", '<html lang="en">', "<head>", '<meta charset="utf-8">',
             '<meta name="viewport" content="width=device-width">',
             f"<title>{html_text(title)}</title>", f"<style>{STYLE}</style>", "</head>", "<body>",
             f"<h1>{html_text(title)}</h1>"]
    for section in sections:
        lines.append(f"<h2>{html_text(section.title)}</h2>")
        lines += [f"<p>{html_text(text)}</p>" for text in section.texts]
        if section.table:
            lines += html_table(section.table)
    return "\n".join([*lines, "</body>", "</html>", ""])


RENDERERS = {"markdown": markdown, "html": html_page}
