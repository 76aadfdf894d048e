"""What a measurement counts."""

from __future__ import annotations

import os
import subprocess
import sys
import time

from bench.measure import Sample, cpu_seconds, family, measured, rss_bytes

BUSY = "import time\nwhile time.process_time() < 0.3: pass\nprint('done', flush=True)\ninput()"


def test_the_cpu_of_another_process_is_counted_for_its_part_and_not_for_the_caller() -> None:
    with subprocess.Popen([sys.executable, "-c", BUSY], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout
        sample = Sample("turns", "aos", 1, count=10)
        with measured(sample, {"worker": [child.pid], "client": [os.getpid()]}):
            assert child.stdout.readline() == b"done\n"
        child.communicate(b"\n")
    assert 20 <= sample.cpu_ms["worker"] <= 60
    assert sample.cpu_ms["client"] < 15
    assert sample.seconds >= 0.2


def test_own_work_is_counted() -> None:
    before = cpu_seconds(os.getpid())
    begin = time.process_time()
    while time.process_time() - begin < 0.1:
        pass
    assert cpu_seconds(os.getpid()) - before >= 0.08


def test_a_family_has_the_children_of_a_process() -> None:
    command = [sys.executable, "-c", "print('up', flush=True); input()"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout
        child.stdout.readline()
        found, memory = family(os.getpid()), rss_bytes(child.pid)
        child.communicate(b"\n")
    assert {os.getpid(), child.pid} <= set(found)
    assert 1 << 20 < memory < 1 << 28
