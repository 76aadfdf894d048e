"""The dev server, for real."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.common import SearchAttributeKey, SearchAttributePair, TypedSearchAttributes

from aos.errors import SetupError
from aos_workers.home import Home
from aos_workers.temporal.server import IP, DevServer, free_port

KIND = SearchAttributeKey.for_keyword("AosKind")


async def test_a_server_that_has_started_takes_workflows_with_our_search_attributes(
    temporal_binary: Path, home: Home
) -> None:
    async with DevServer(temporal_binary, home, port=free_port(), ui_port=None) as server:
        client = await Client.connect(server.address)
        started = await client.start_workflow(
            "Waiting",
            id="w",
            task_queue="nobody",
            search_attributes=TypedSearchAttributes([SearchAttributePair(KIND, "agent")]),
        )

        assert (await started.describe()).typed_search_attributes[KIND] == "agent"


async def test_a_workflow_outlives_the_server_s_sigkill(temporal_binary: Path, home: Home) -> None:
    async with DevServer(temporal_binary, home, port=free_port(), ui_port=None) as server:
        client = await Client.connect(server.address)
        started = await client.start_workflow("Waiting", id="w", task_queue="nobody")
        server.kill()
        assert await server.wait() == -9
        await server.start()
        found = await (await Client.connect(server.address)).get_workflow_handle("w").describe()

    assert found.run_id == started.result_run_id
    assert found.status == WorkflowExecutionStatus.RUNNING


async def test_the_database_is_in_wal_mode_and_the_log_in_the_home(temporal_binary: Path, home: Home) -> None:
    async with DevServer(temporal_binary, home, port=free_port(), ui_port=None) as server:
        assert home.database.with_name(home.database.name + "-wal").exists()
        assert server.log.exists()
        assert server.log.is_relative_to(home.path)


async def test_the_web_ui_is_served_where_it_is_said_to_be(temporal_binary: Path, home: Home) -> None:
    port = free_port()
    async with DevServer(temporal_binary, home, port=free_port(), ui_port=port) as server:
        assert server.ui_url == f"http://{IP}:{port}"
        with socket.create_connection((IP, port), timeout=10) as connection:
            connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
            assert connection.recv(15).startswith(b"HTTP/1.0 200")


async def test_a_server_is_in_a_session_of_its_own(temporal_binary: Path, home: Home) -> None:
    async with DevServer(temporal_binary, home, port=free_port(), ui_port=None):
        pid = int(home.database.with_suffix(".lock").read_text())

        assert os.getsid(pid) == pid


def test_no_two_ports_are_one_and_none_is_for_outgoing_connections() -> None:
    ports = [free_port() for _ in range(200)]

    first_outgoing = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    assert len(set(ports)) == len(ports)
    assert max(ports) < min(first_outgoing, 2**15)  # Temporal keeps some of its ports in a smallint


@pytest.mark.parametrize("option", ["--port", "--ui-port"])
async def test_a_taken_port_is_named_with_the_option_that_changes_it(
    temporal_binary: Path, home: Home, option: str
) -> None:
    with socket.create_server((IP, 0)) as other:
        taken = other.getsockname()[1]
        ports = (taken, None) if option == "--port" else (free_port(), taken)
        server = DevServer(temporal_binary, home, port=ports[0], ui_port=ports[1])

        with pytest.raises(SetupError, match=rf"port {taken} .* with {option}\b"):
            await server.start()


async def test_a_second_server_on_one_database_is_refused(temporal_binary: Path, home: Home) -> None:
    async with DevServer(temporal_binary, home, port=free_port(), ui_port=None):
        with pytest.raises(SetupError, match=r"process \d+ is a Temporal server that uses .*temporal\.db"):
            await DevServer(temporal_binary, home, port=free_port(), ui_port=None).start()


async def test_a_server_that_dies_at_its_start_is_quoted(temporal_binary: Path, home: Home) -> None:
    home.path.mkdir()
    home.database.write_text("this is no database")

    with pytest.raises(SetupError, match=r"ended with code 1 .*(?s:.*)file is not a database"):
        await DevServer(temporal_binary, home, port=free_port(), ui_port=None).start()
