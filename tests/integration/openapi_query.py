"""What queries for the latest values take, and what they do not: selectors, times, durations, and forms of them."""

import urllib.parse

from hypothesis import strategies as st

SELECTORS = ['up{job="web"}', '{job=~"w.*"}', "{__name__='a'}", '{"a.b","c"!="d"}', "up", " up{ } ", "a:b",
             'up{job!~"x|y",instance="",}']
TIMES = ["0", "-1.5", "1795161065.637", "1e9", "9e15", "2026-11-20T07:55:40Z",
         "2026-11-20T08:55:40.637187111+01:00", ""]
DURATIONS = ["30s", "1m30s", "10000ms", "1y2w3d", "15", "1.5e1", ""]  # none so short that no answer is made in it

BAD_SELECTORS = ["", '{job!="x"}', "{", "{}", "a{", '{a=~"("}', '{a=~".*"}', "{a=b}", 'a{b="c"}}', "1a", '{a="\\x"}',
                 "\x00", "é{"]
BAD_QUERIES = [*BAD_SELECTORS, "  ", "rate(up[5m])", "sum(up)", "sum by (job) (up)", "up + 1", "-up", "up or up",
               "up offset 5m", "up @ 5", "up[5m]", "up[5m:1m]", "1", '"x"', "absent(up)", "up bool", "up;", "a b"]
BAD_TIMES = ["x", "1 ", "NaN", "+Inf", "1e400", "9.1e15", "2026-11-20", "2026-13-20T00:00:00Z", "2026-11-20 07:55:40Z",
             "1795161065s", "\x00", "1\x00", "٣"]
BAD_DURATIONS = ["x", "s", "1h1", "1 s", "1s1h", "1.5s", "-1s", "NaN", "Inf", "1e30", "99999999999y", "٣s", "\x00"]
BAD_LIMITS = ["x", "-1", "1.5", "1e3", "9223372036854775808", "99999999999999999999", " 1", "0x1", "\x00",
              "1\x00", "٣"]

BAD = {"query": BAD_QUERIES, "time": BAD_TIMES, "timeout": BAD_DURATIONS, "lookback_delta": BAD_DURATIONS,
       "limit": BAD_LIMITS}
BAD_FORMS = [b"", b"query", b"&&&", b"Query=up", b"query=%zz", b"query=%", b"query=up&time=%f", b"query=%FF",
             b'{"query":"up"}', b"query=up;limit=1", b"query=rate(up%5B5m%5D)&query=up"]

FORMATS = {"series-selector": SELECTORS, "prometheus-time": TIMES, "prometheus-duration": DURATIONS}


@st.composite
def good_forms(draw, values):
    """The values by name, in any order."""
    return urllib.parse.urlencode(draw(st.permutations(sorted(values.items()))))


@st.composite
def bad_forms(draw, values):
    """Good values, and one that is bad or is missing; or what is no such form."""
    if draw(st.integers(0, 3)) == 0:
        return draw(st.sampled_from(BAD_FORMS))
    name = draw(st.sampled_from(sorted(BAD)))
    bad = draw(st.sampled_from([*BAD[name], None] if name == "query" else BAD[name]))
    values = {other: value for other, value in values.items() if other != name}
    if bad is not None:
        values[name] = bad
    return draw(good_forms(values)).encode()
