import subprocess
import sys
from importlib import import_module

import aos


def test_the_public_names_are_these_and_no_others() -> None:
    homes = vars(aos)["_HOMES"]
    assert sorted(homes) == aos.__all__ == dir(aos)
    for name, home in homes.items():
        assert getattr(aos, name) is getattr(import_module(home), name)


def test_importing_aos_imports_neither_temporal_nor_pydantic() -> None:
    heavy = "import sys, aos; sys.exit(any(name in sys.modules for name in ('temporalio', 'pydantic', 'openai')))"
    assert subprocess.run([sys.executable, "-c", heavy], check=False).returncode == 0
