"""Collects what was measured, and prints it as one table."""

import json

PEERS = ("weir", "pushgateway", "checks off", "nginx", "ack=memory", "redis, aof", "valkey",
         "sqlite", "no state")
UNITS = {
    "/s": lambda value: f"{value:,.0f}/s" if value >= 100 else f"{value:,.1f}/s",
    "s": lambda value: f"{value * 1000:,.1f} ms" if value < 1 else f"{value:,.2f} s",
    "us": lambda value: f"{value / 1000:,.2f} ms",
    "B": lambda value: f"{value:,.0f} B" if value < 1e6 else f"{value / 1e6:,.1f} MB",
    "cpu": lambda value: f"{value:,.1f} us",
    "n": lambda value: f"{value:,.0f}" if value >= 100 else f"{value:,.1f}",
    "x": lambda value: f"{value:.2f}",
}
UNRANKED = ("n", "x")  # neither more nor less is better


class Report:
    def __init__(self):
        self.rows = []

    def add(self, name, unit, values):
        """A row. Of rates more is better, of everything else less."""
        weir = values.get("weir")
        ratios = {}
        for peer, value in values.items():
            if peer != "weir" and weir and value and unit not in UNRANKED:
                ratios[peer] = weir / value if unit == "/s" else value / weir
        self.rows.append({"name": name, "unit": unit, "values": values, "ratios": ratios})

    def text(self):
        """The table; behind a peer's figure, how many times better weir's is."""
        peers = [peer for peer in PEERS if any(peer in row["values"] for row in self.rows)]
        lines = [["", *peers]]
        for row in self.rows:
            cells = [row["name"]]
            for peer in peers:
                value = row["values"].get(peer)
                cell = "" if value is None else UNITS[row["unit"]](value)
                if peer in row["ratios"]:
                    cell += f"  {ratio(row['ratios'][peer]):>7}"
                cells.append(cell)
            lines.append(cells)
        widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
        return "\n".join(
            "  ".join(cell.ljust(width) if column == 0 else cell.rjust(width)
                      for column, (cell, width) in enumerate(zip(line, widths))).rstrip()
            for line in lines)

    def save(self, path):
        with open(path, "w", encoding="utf-8") as file:
            json.dump(self.rows, file, indent=1)
            file.write("\n")


def ratio(value):
    return f"x{value:,.0f}" if value >= 10 else f"x{value:.2f}"
