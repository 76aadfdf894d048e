"""What a run was made on and with. No names of hosts, users or folders."""

from __future__ import annotations

import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from aos_workers.settings import cache_folder
from aos_workers.temporal.binary import find_temporal
from aos_workers.temporal.server import DYNAMIC_CONFIG, SQLITE_PRAGMAS

_GIB = 1024**3


def describe_environment() -> dict[str, str]:
    """Return the machine, the versions, the server's settings and the load before the run, by name."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / _GIB
    temporal = find_temporal(cache_folder(), lambda line: None)
    said = subprocess.run([temporal, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "machine": f"{os.cpu_count()} cores ({_processor()}), {memory:.0f} GiB, Linux {platform.release()}",
        "load before the run": ", ".join(f"{load:.2f}" for load in os.getloadavg()) + " (1, 5, 15 minutes)",
        "versions": f"AOS {version('agent-operating-system')}, temporalio {version('temporalio')}, "
        f"Python {platform.python_version()}, {said}",
        "server": "temporal server start-dev, "
        + ", ".join(f"{name}={value}" for name, value in {**SQLITE_PRAGMAS, **DYNAMIC_CONFIG}.items()),
    }


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()
