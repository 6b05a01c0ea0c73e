"""Values that requests are made of, whatever they ask for."""

import itertools
import string

from hypothesis import strategies as st

DURATIONS = ["", "0", "1s", "1.5s", "90s", "1h30m", "24h0m0s", "1500ms", "+2m"]  # from short to long
NAMES = st.text(string.ascii_lowercase, min_size=1, max_size=8)
TEXTS = st.one_of(
    st.text(max_size=12), st.text(string.printable, max_size=20),
    st.sampled_from(["ä", "\u0000", "\n", '"\\', "<&>", "{{ $value }}", "\U0001f600", "\ufeff", "a" * 1000]))
ANYTHING = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-2, 2000), st.floats(allow_nan=False, allow_infinity=False),
              st.text(max_size=6)),
    lambda inner: st.one_of(st.lists(inner, max_size=2), st.dictionaries(st.text(max_size=4), inner, max_size=2)),
    max_leaves=4)
number = itertools.count(1)
