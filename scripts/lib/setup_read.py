"""Settings read from YAML, with the line of each, so that all that is wrong is told in one go.

A kind is a function of (reader, node, where) that gives the value; what is wrong with it goes to the reader, and then
None is given. Text is taken as it was written: 172.30.91 or 0x10 are no numbers here unless a number is wanted.
"""

import difflib
import re

import yaml

FILE_MAX, VALUE_MAX, SHOWN_MAX = 1 << 20, 4000, 40
NULL = "tag:yaml.org,2002:null"
BOOLEANS = {"true": True, "false": False}


class Reader:
    """Of one file. lines: of each key, by its path, such as alerts.receivers.email."""

    def __init__(self, path):
        self.path, self.faults, self.lines = path, [], {"": 1}

    def fault(self, where, text):
        """At the nearest key above that is in the file."""
        place = where
        while place not in self.lines:
            place = re.sub(r"(\.[^.]*|\[\d+\]|^[^.\[]*)$", "", place)
        told = (self.lines[place], f"{where}: {text}" if where else text)
        if told not in self.faults:
            self.faults.append(told)

    def told(self):
        return [f"{self.path}:{line}: {visible(text)}" for line, text in sorted(self.faults, key=lambda fault: fault[0])]

    def root(self):
        """The node of the file; None when there is none."""
        try:
            with open(self.path, "rb") as file:
                text = file.read(FILE_MAX + 1)
            if len(text) <= FILE_MAX:
                return yaml.compose(text, yaml.SafeLoader)
            self.faults.append((1, f"it is larger than {FILE_MAX >> 20} MiB"))
        except RecursionError:
            self.faults.append((1, "no YAML: it is nested too deeply"))
        except yaml.MarkedYAMLError as fault:
            mark = fault.problem_mark or fault.context_mark
            said = " ".join(part for part in (fault.context, fault.problem) if part)
            self.faults.append((mark.line + 1, f"no YAML: {said}"))
        except (yaml.YAMLError, UnicodeDecodeError):
            self.faults.append((1, "no YAML: there are bytes that are no text of UTF-8"))
        return None

    def read(self, kind):
        node = self.root()
        return kind(self, node, "") if node or not self.faults else None

    def members(self, node, where):
        """(key, node of its value) of a mapping; of nothing where there is nothing."""
        if node is None or node.tag == NULL:
            return []
        if not isinstance(node, yaml.MappingNode):
            self.fault(where, "must have lines of KEY: VALUE below it")
            return []
        found = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                self.faults.append((key.start_mark.line + 1, "a key must be one word"))
                continue
            line, place = key.start_mark.line + 1, below(where, key.value)
            if key.value in found:
                self.faults.append((line, f"{place}: is there already, in line {self.lines[place]}"))
                continue
            self.lines[place] = line
            found[key.value] = value
        return list(found.items())

    def items(self, node, where):
        """(place, node) of each of a list."""
        if node.tag == NULL:
            return []
        if not isinstance(node, yaml.SequenceNode):
            self.fault(where, "must be a list: [A, B], or a line - A for each")
            return []
        found = [(f"{where}[{number}]", item) for number, item in enumerate(node.value, 1)]
        self.lines.update({place: item.start_mark.line + 1 for place, item in found})
        return found


def visible(text):
    """On one line, whatever is in it."""
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text)


def shown(value):
    return repr(value if len(value) <= SHOWN_MAX else f"{value[:SHOWN_MAX - 1]}...")


def below(where, key):
    return f"{where}.{key}" if where else key


def suggestion(word, names, what="key"):
    names = sorted(names)
    close = difflib.get_close_matches(word, names, 1, 0.6) or difflib.get_close_matches(
        word.lower(), [name for name in names if name.lower() == word.lower()], 1)
    if close:
        return f"there is no such {what}; did you mean {close[0]}?"
    if not names:
        return f"there is no such {what}; there is none at all"
    return f"there is no such {what}; there are {', '.join(names)}"


# ---- Kinds ------------------------------------------------------------------------------------


def scalar(reader, node, where, right):
    if not isinstance(node, yaml.ScalarNode):
        reader.fault(where, f"must be {right}, not a list or keys of its own")
    elif node.tag == NULL:
        reader.fault(where, f"has no value; it must be {right}")
    elif len(node.value) > VALUE_MAX:
        reader.fault(where, f"has {len(node.value)} characters; {VALUE_MAX} are the most")
    else:
        return node.value
    return None


def text(pattern, right, is_plain=True, is_good=None):
    """Plain is what may stand in a file of variables, between quotes; some composes replace ${X} even there.

    is_good: what else has to be so.
    """
    def read(reader, node, where):
        value = scalar(reader, node, where, right)
        if value is None:
            return None
        if not re.fullmatch(pattern, value) or is_good and not is_good(value):
            reader.fault(where, f"{shown(value)} is not good; it must be {right}")
        elif not value.isprintable() or is_plain and re.search(r"['\\]|\$\{", value):
            reader.fault(where, "may have no control characters, ', \\ or ${")
        else:
            return value
        return None
    return read


def secret(pattern, right):
    """As text, but what was written is not told."""
    def read(reader, node, where):
        value = scalar(reader, node, where, right)
        if value is not None and not (re.fullmatch(pattern, value) and value.isprintable()):
            reader.fault(where, f"is not good; it must be {right}")
            return None
        return value
    return read


def regex(reader, node, where):
    value = text(r".+", "a regular expression of names of metrics", False)(reader, node, where)
    try:
        re.compile(value or "")
    except re.error as fault:
        reader.fault(where, f"{shown(value)} is no regular expression: {fault}")
    return value


def number(least, most):
    right = f"a whole number from {least} to {most}"

    def read(reader, node, where):
        value = scalar(reader, node, where, right)
        if value is None or re.fullmatch(r"[0-9]{1,12}", value) and least <= int(value) <= most:
            return value and int(value)
        reader.fault(where, f"{shown(value)} is not good; it must be {right}")
        return None
    return read


def choice(*words):
    def read(reader, node, where):
        value = scalar(reader, node, where, " or ".join(words))
        if value is None or value in words:
            return value
        close = difflib.get_close_matches(value, words, 1, 0.6)
        reader.fault(where, f"{shown(value)} is not good; it must be {close[0] if close else ' or '.join(words)}")
        return None
    return read


def boolean(reader, node, where):
    value = choice("true", "false")(reader, node, where)
    return value and BOOLEANS[value]


def path(reader, node, where):
    """Seen from where the file is; absolute."""
    value = text(r"[^\n:]+", "a path")(reader, node, where)
    return value and str((reader.path.resolve().parent / value).resolve())


def list_of(kind):
    def read(reader, node, where):
        return [kind(reader, item, place) for place, item in reader.items(node, where)]
    return read


def map_of(kind, pattern=None, right=None):
    """Whose keys are the reader's own; of some pattern, if one is named."""
    def read(reader, node, where):
        found = {}
        for key, value in reader.members(node, where):
            if pattern and not re.fullmatch(pattern, key):
                reader.fault(below(where, key), f"must be {right}")
            found[key] = kind(reader, value, below(where, key))
        return found
    return read


def section(fields, needed=None):
    """fields: {key: kind, or (kind, what it is when it is left out)}; needed: {key: what would be right}."""
    kinds = {key: field if callable(field) else field[0] for key, field in fields.items()}
    defaults = {key: field[1] for key, field in fields.items() if not callable(field)}

    def read(reader, node, where):
        found = {}
        for key, value in reader.members(node, where):
            place = below(where, key)
            if key in kinds:
                found[key] = kinds[key](reader, value, place)
            else:
                reader.fault(place, suggestion(key, kinds))
        for key in [key for key in needed or {} if key not in found]:
            reader.fault(where, f"{key} is missing: {needed[key]}")
        return {**dict.fromkeys(kinds), **defaults, **found}
    return read


def section_or_default(fields, needed=None):
    """A section that may be left out: then all of it is as it is when each of its keys is."""
    kind = section(fields, needed)
    return kind, {key: None if callable(field) else field[1] for key, field in fields.items()}
