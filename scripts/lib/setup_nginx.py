"""nginx's template with as many weirs as there are, and without what is not there."""

import re

from setup_shipped import DOCKER, WRITTEN, renamed

# With the comment above it, and the line behind it.
BLOCK = re.compile(r"(?:^\t#.*\n)*^\t(?:upstream|server)\b.*\{\n(?:.*\n)*?^\t\}\n\n?", re.M)
SERVER = re.compile(r"^\t+server \$\{(\w+)\}.*\n", re.M)
WEIRS = re.compile(r"(?:^\t+server \$\{NGINX_WEIR_\d+\}.*\n)+", re.M)


def of_part(block, part):
    return re.search(rf"^\tupstream {part}\b|://{part}\b", block, re.M)


def template(names, absent, environment):
    """absent: parts that nothing leads to; environment: the variables that there are."""
    text = (DOCKER / "nginx" / "nginx.conf.template").read_text()
    text = BLOCK.sub(lambda found: "" if any(of_part(found[0], part) for part in absent) else found[0], text)
    weirs = [name for name in environment if re.fullmatch(r"NGINX_WEIR_\d+", name)]

    def each_weir(found):
        line = found[0].splitlines(keepends=True)[0]
        return "".join(re.sub(r"NGINX_WEIR_\d+", weir, line) for weir in weirs)
    text = WEIRS.sub(each_weir, text)
    text = SERVER.sub(lambda found: found[0] if found[1] in environment else "", text)
    return WRITTEN + renamed(text, names)
