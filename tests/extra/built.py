"""Where scripts/test-extra keeps what it has built and fetched."""

from pathlib import Path

BUILT = Path(__file__).resolve().parents[2] / "build" / "extra"
