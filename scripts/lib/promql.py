"""Which series a PromQL expression asks for: their names, and the labels that it selects them by.

No parser of the whole language, but a reader of its words that knows which of them can be the name
of a metric. Whether an expression is right, promtool says.
"""

import re
from dataclasses import dataclass

TOKEN = re.compile(r"""
    (?P<blank>   \s+ | \#[^\n]* )
  | (?P<string>  "(?:[^"\\\n]|\\.)*" | '(?:[^'\\\n]|\\.)*' | `[^`]*` )
  | (?P<number>  (?:\d|\.\d)[\w.]*(?:(?<=[eE])[+-]\d+)? )
  | (?P<word>    [a-zA-Z_:][a-zA-Z0-9_:]* )
  | (?P<sign>    =~ | !~ | == | != | >= | <= | [-+*/%^=<>(){}\[\],@] )
""", re.X)
AGGREGATORS = {"sum", "min", "max", "avg", "group", "stddev", "stdvar", "count", "count_values", "bottomk",
               "topk", "quantile", "limitk", "limit_ratio"}
LISTS = {"by", "without", "on", "ignoring", "group_left", "group_right"}
LEFT_OUT = {"without", "ignoring"}  # lists of labels that need not be there
OPERATORS = {"and", "or", "unless", "atan2", "bool", "offset"}
NUMBERS = {"inf", "nan"}
PAIRS = {"(": ")", "{": "}", "[": "]"}


class PromqlError(ValueError):
    """The expression cannot be read."""


@dataclass(frozen=True)
class Selector:
    name: str = ""  # "": not by one name
    pattern: str = ""  # of the name, if it is selected by a regular expression
    labels: tuple = ()  # names of the labels that it is selected by


def tokens(text):
    """[(kind, text)] without blanks and comments; each bracket is closed by its own."""
    found, at, opened = [], 0, []
    while at < len(text):
        token = TOKEN.match(text, at)
        if not token:
            raise PromqlError(f"not to be read from {text[at:at + 20]!r} on")
        at = token.end()
        if token.lastgroup == "blank":
            continue
        word = token[0]
        if opened and opened[-1] == "]" and word.startswith(":"):  # [5m:1m]
            found.append(("number", word))
            continue
        found.append((token.lastgroup, word))
        if word in PAIRS:
            opened.append(PAIRS[word])
        elif word in PAIRS.values() and (not opened or opened.pop() != word):
            raise PromqlError(f"{word} closes nothing")
    if opened:
        raise PromqlError(f"there is no {opened[-1]}")
    return found


def unquoted(string):
    if string.startswith("`"):
        return string[1:-1]
    return re.sub(r"\\(.)", lambda found: {"n": "\n", "t": "\t"}.get(found[1], found[1]), string[1:-1])


def end_of(found, at):
    """Behind the bracket that closes the one at that place."""
    depth = 0
    for index in range(at, len(found)):
        kind, word = found[index]
        if kind == "sign":
            depth += (word in PAIRS) - (word in PAIRS.values())
        if depth == 0:
            return index + 1
    raise PromqlError("a bracket is not closed")


def selector_of(name, matchers):
    """Of the words between { and }: label sign string, "label" sign string or "name"."""
    labels, pattern, at = [], "", 0
    while at < len(matchers):
        kind, word = matchers[at]
        is_matcher = at + 2 < len(matchers) and matchers[at + 1][1] in ("=", "!=", "=~", "!~")
        if kind == "string" and not is_matcher:
            name, at = unquoted(word), at + 1
        elif kind in ("word", "string") and is_matcher and matchers[at + 2][0] == "string":
            sign, value = matchers[at + 1][1], unquoted(matchers[at + 2][1])
            label, at = unquoted(word) if kind == "string" else word, at + 3
            if label != "__name__":
                labels.append(label)
            elif sign == "=":
                name = value
            elif sign == "=~":
                pattern = value
        else:
            raise PromqlError(f"{word!r} is no matcher")
        if at < len(matchers):
            if matchers[at][1] != ",":
                raise PromqlError(f"{matchers[at][1]!r} instead of a comma")
            at += 1
    return Selector(name, pattern, tuple(labels))


def is_name(found, at):
    """Whether the word at that place is the name of a metric."""
    word = found[at][1].lower()
    following = found[at + 1][1].lower() if at + 1 < len(found) else ""
    if following == "(" or word in OPERATORS or word in NUMBERS or word in LISTS:
        return False
    return not (word in AGGREGATORS and following in ("by", "without"))


def selectors(text):
    """All selectors of an expression, in their order."""
    found, selected, at = tokens(text), [], 0
    while at < len(found):
        kind, word = found[at]
        following = found[at + 1][1] if at + 1 < len(found) else ""
        if word == "[":
            at = end_of(found, at)
        elif kind == "sign" and word == "{":
            end = end_of(found, at)
            selected.append(selector_of("", found[at + 1:end - 1]))
            at = end
        elif kind == "word" and word.lower() in LISTS and following == "(":
            at = end_of(found, at + 1)
        elif kind == "word" and is_name(found, at):
            end = end_of(found, at + 1) if following == "{" else at + 1
            selected.append(selector_of(word, found[at + 2:end - 1]))
            at = end
        else:
            at += 1
    return selected


def listed(text):
    """Labels that series are grouped or matched by, as in by (a, b)."""
    found, labels = tokens(text), set()
    for at, (kind, word) in enumerate(found[:-1]):
        if kind == "word" and word.lower() in LISTS - LEFT_OUT and found[at + 1][1] == "(":
            end = end_of(found, at + 1)
            labels |= {label for kind, label in found[at + 2:end - 1] if kind == "word"}
    return labels


def made(text):
    """Labels that the expression itself makes, by label_replace(x, "a", ...) and label_join()."""
    found, labels = tokens(text), set()
    for at, (kind, word) in enumerate(found[:-1]):
        if kind == "word" and word.lower() in ("label_replace", "label_join") and found[at + 1][1] == "(":
            end, inner = end_of(found, at + 1), at + 2
            while inner < end and found[inner][1] != ",":
                inner = end_of(found, inner) if found[inner][1] in PAIRS else inner + 1
            labels |= {unquoted(label) for kind, label in found[inner + 1:inner + 2] if kind == "string"}
    return labels
