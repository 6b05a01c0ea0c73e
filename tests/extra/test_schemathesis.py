"""schemathesis, which makes requests of descriptions of APIs by ideas of its own, against /openapi.json.

WEIR_GENERATED_EXAMPLES has it make as many for each operation.
"""

import os
import re
import subprocess
from pathlib import Path

import pytest

from built import BUILT

HERE = Path(__file__).parent
PROGRAM = BUILT / "schemathesis" / "bin" / "st"


@pytest.mark.skipif(not PROGRAM.exists(), reason="schemathesis could not be fetched")
@pytest.mark.parametrize("flags", [(), ("--web.route-prefix=/w", "--targets.url=none")])
def test_everything_is_as_described(start_weir, tmp_path, flags):
    weir = start_weir("--web.enable-admin-api", *flags)
    prefix = "/w" if flags else ""
    done = subprocess.run(
        [PROGRAM, "--config-file", HERE / "schemathesis.toml", "run", f"{weir.url}{prefix}/openapi.json",
         "--phases", "examples,coverage,fuzzing,stateful", "--max-examples",
         os.environ.get("WEIR_GENERATED_EXAMPLES", "15"), "--seed", "1", "--generation-database", "none",
         "--no-color"],
        cwd=tmp_path, capture_output=True, text=True, timeout=3600, check=False,
        env={**os.environ, "PYTHONPATH": str(HERE), "SCHEMATHESIS_HOOKS": "schemathesis_hooks"})
    print("\n".join(re.findall(r".*(?:generated|Tested:|Selected:).*", done.stdout)))
    assert done.returncode == 0, done.stdout[-20000:]
    assert weir.get(f"{prefix}/-/healthy").status == 200
