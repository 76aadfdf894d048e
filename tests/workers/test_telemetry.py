"""Spans and metrics, as a real worker process sends them over OTLP."""

from __future__ import annotations

import asyncio
import gzip
import os
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from aos.client import AosClient
from aos_workers.child import WorkerProcess
from engine.server import running_server


class Collector:
    """What an OTLP collector was sent."""

    def __init__(self) -> None:
        self.spans: list[Span] = []
        self.counters: Counter[str] = Counter()
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:  # the name is the standard library's
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.headers.get("Content-Encoding") == "gzip":
                    body = gzip.decompress(body)
                collector.take(self.path, body)
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:  # likewise
                """Stay quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def take(self, path: str, body: bytes) -> None:
        if path == "/v1/traces":
            for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
                for scope in resource.scope_spans:
                    self.spans.extend(scope.spans)
        else:
            for resource in ExportMetricsServiceRequest.FromString(body).resource_metrics:
                for scope in resource.scope_metrics:
                    for metric in scope.metrics:
                        self.counters[metric.name] += len(metric.sum.data_points)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def named(self, start: str) -> list[Span]:
        return [span for span in self.spans if span.name.startswith(start)]


@pytest.fixture
def collector() -> Iterator[Collector]:
    collector = Collector()
    yield collector
    collector.close()


def _attributes(span: Span) -> dict[str, str]:
    return {attribute.key: attribute.value.string_value for attribute in span.attributes}


async def test_a_worker_sends_a_span_for_each_message_model_call_and_tool_call_once_though_it_replays(
    collector: Collector, tmp_path: Path
) -> None:
    async with running_server(tmp_path) as environment:
        address = environment.client.service_client.config.target_host
        settings = {
            "TEMPORAL_ADDRESS": address,
            "AOS_HOME": str(tmp_path),
            "AOS_OFFLINE": "true",
            "AOS_TELEMETRY": "otlp",
            "AOS_AGENTS_CACHED": "1",  # Two agents with one place in the cache: every message is a replay.
            "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
        }
        worker = WorkerProcess([], {**os.environ, **settings}, tmp_path / "worker.log", tmp_path / "worker.lock")
        await worker.start()
        client = await AosClient.connect(address)
        for name in ("ada", "bob"):
            await client.start({"name": name})
        for round_ in range(3):
            for name in ("ada", "bob"):
                await client.ask(name, f"What time is it now, for the {round_}. time?")
        await worker.stop()

    messages = collector.named("invoke_agent")
    assert Counter(span.name for span in messages) == {"invoke_agent ada": 3, "invoke_agent bob": 3}
    assert len({span.span_id for span in collector.spans}) == len(collector.spans)
    tools = collector.named("execute_tool current_time")
    assert len(tools) == 6
    models = collector.named("chat")
    assert len(models) == 12
    by_id = {span.span_id: span for span in collector.spans}
    assert {by_id[span.parent_span_id].name for span in (*tools, *models)} == {"invoke_agent ada", "invoke_agent bob"}
    assert _attributes(models[0])["gen_ai.operation.name"] == "chat"
    assert _attributes(models[0])["gen_ai.provider.name"] == "offline"
    assert _attributes(tools[0])["gen_ai.tool.name"] == "current_time"
    assert _attributes(messages[0])["aos.message.id"]
    assert collector.counters["gen_ai.client.token.usage"]
    assert collector.counters["aos.client.cost"]


async def test_spans_can_be_read_on_the_console(tmp_path: Path) -> None:
    async with running_server(tmp_path) as environment:
        address = environment.client.service_client.config.target_host
        worker = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "aos_workers", "--home", str(tmp_path), "--offline"),
            env={**os.environ, "TEMPORAL_ADDRESS": address, "AOS_TELEMETRY": "console"},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        client = await AosClient.connect(address)
        await client.start({"name": "ada"})
        await client.ask("ada", "Note that the sky is blue.", timeout=30)
        worker.terminate()
        printed, _ = await worker.communicate()
    assert b'"name": "invoke_agent ada"' in printed
    assert b"gen_ai.client.token.usage" in printed
