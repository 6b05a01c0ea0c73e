"""Whether what is found in a group can have come from its changes, carried out one after the other.

Each was carried out at some moment between its request and its answer. Which moments are
possible is a matter of which change must have come before which: the PUT or DELETE that was the last
one comes after all others, and before the POST of each number that is found, which comes after all
others that bring the same family.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Change:
    method: str  # PUT, POST or DELETE
    families: tuple
    number: int
    sent: float
    answered: float


def explains(changes, found):
    """Found: {family: number}; None: there is no group. Before the changes there was none."""
    floors = [change for change in changes if change.method != "POST"]
    beginning = Change("DELETE", (), 0, float("-inf"), float("-inf"))
    posts = [change for change in changes if change.method == "POST"]
    return any(is_last_floor(floor, floors, posts, found) for floor in [beginning, *floors])


def is_last_floor(floor, floors, posts, found):
    if found is None and floor.method != "DELETE":
        return False
    before = [(other, floor) for other in floors if other is not floor]
    for family in {name for change in [floor, *posts] for name in change.families} | set(found or ()):
        writers = [post for post in posts if family in post.families]
        number = (found or {}).get(family)
        if number == (floor.number if family in floor.families else None):
            before += [(writer, floor) for writer in writers]
            continue
        last = next((writer for writer in writers if writer.number == number), None)
        if last is None:
            return False
        before.append((floor, last))
        before += [(writer, last) for writer in writers if writer is not last]
    return has_moments(before)


def has_moments(before):
    """Whether all of them can have come in such an order, each within its time."""
    moments = {change: change.sent for pair in before for change in pair}
    for _ in range(len(moments) + 1):
        moved = False
        for first, second in before:
            if moments[second] < moments[first]:
                moments[second], moved = moments[first], True
        # Those that come before themselves are at the same moment: numbers of changes tell.
        if not moved:
            break
    return (all(moment <= change.answered for change, moment in moments.items())
            and is_acyclic(before))


def is_acyclic(before):
    waiting = {}
    for first, second in before:
        waiting.setdefault(first, set())
        waiting.setdefault(second, set()).add(first)
    while free := [change for change, others in waiting.items() if not others]:
        for change in free:
            del waiting[change]
        for others in waiting.values():
            others.difference_update(free)
    return not waiting
