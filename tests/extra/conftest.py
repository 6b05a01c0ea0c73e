"""Fixtures of tests/integration, for what is run beside it."""

import importlib.util
import sys
from pathlib import Path

INTEGRATION = Path(__file__).resolve().parents[1] / "integration"
sys.path.insert(0, str(INTEGRATION))

spec = importlib.util.spec_from_file_location("integration_fixtures", INTEGRATION / "conftest.py")
fixtures = importlib.util.module_from_spec(spec)
spec.loader.exec_module(fixtures)

start_weir = fixtures.start_weir
weir = fixtures.weir
pytest_configure = fixtures.pytest_configure
