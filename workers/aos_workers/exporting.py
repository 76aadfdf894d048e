"""Exporting spans and metrics of a worker process, through the SDK's own plugin, which repeats no span on replay."""

from __future__ import annotations

import sys
from collections.abc import Generator
from contextlib import contextmanager
from importlib.metadata import version

from opentelemetry import metrics, trace
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import ConsoleMetricExporter, MetricExporter, PeriodicExportingMetricReader
from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, Resource
from opentelemetry.sdk.trace.export import BatchSpanProcessor, ConsoleSpanExporter, SpanExporter
from temporalio.client import Plugin
from temporalio.contrib.opentelemetry import OpenTelemetryPlugin, create_tracer_provider

from aos_workers.settings import Settings


@contextmanager
def exporting(settings: Settings) -> Generator[list[Plugin]]:
    """Export spans and metrics as the settings say, and give the plugins that a Temporal client needs for it.

    What is not exported yet when the block ends is exported then.
    """
    spans, readings = _exporters(settings)
    resource = Resource.create({SERVICE_NAME: "aos-worker", SERVICE_VERSION: version("agent-operating-system")})
    tracers = create_tracer_provider(resource=resource)
    tracers.add_span_processor(BatchSpanProcessor(spans))
    meters = MeterProvider(metric_readers=[PeriodicExportingMetricReader(readings)], resource=resource)
    trace.set_tracer_provider(tracers)
    metrics.set_meter_provider(meters)
    try:
        yield [OpenTelemetryPlugin()]
    finally:
        tracers.shutdown()
        meters.shutdown()


def _exporters(settings: Settings) -> tuple[SpanExporter, MetricExporter]:
    if settings.telemetry == "console":
        return ConsoleSpanExporter(out=sys.stdout), ConsoleMetricExporter(out=sys.stdout)
    return OTLPSpanExporter(), OTLPMetricExporter()
