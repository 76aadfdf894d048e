"""What `aos doctor` says of the stores that the settings name."""

from __future__ import annotations

from pathlib import Path

import pytest

from aos_workers.examining_stores import examine_stores
from aos_workers.settings import Settings
from wire.credentials import only_these
from wire.s3 import Bucket, running_s3


@pytest.fixture(autouse=True)
def only_these_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    only_these(monkeypatch)
    for name in ("AOS_BLOBS_URL", "AOS_MEMORY_URL", "AOS_EMBEDDING"):
        monkeypatch.delenv(name, raising=False)


def settings(tmp_path: Path, **fields: object) -> Settings:
    return Settings.model_validate({"home": tmp_path, "aws_region": "eu-central-1", **fields})


async def test_nothing_is_said_of_files_in_the_home(tmp_path: Path) -> None:
    assert await examine_stores(settings(tmp_path)) == []


async def test_stores_that_answer_are_named(tmp_path: Path, postgres: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with running_s3(Bucket("aos")) as s3:
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", s3)
        found = await examine_stores(settings(tmp_path, blobs_url="s3://aos", memory_url=postgres, embedding="offline"))
    assert [finding.level for finding in found] == ["ok", "ok", "ok"]
    assert found[0].what == "what AOS_BLOBS_URL names answers"


async def test_stores_that_do_not_are_named_with_the_way_out_and_without_secrets(
    tmp_path: Path, postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = "postgresql://aos:secret-word@127.0.0.1:1/aos"
    nobody = postgres.replace("/postgres?", "/no_such_database?")
    with running_s3(Bucket("another")) as s3:
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", s3)
        (bucket,) = await examine_stores(settings(tmp_path, blobs_url="s3://aos"))
    (away,) = await examine_stores(settings(tmp_path, memory_url=gone))
    (unknown,) = await examine_stores(settings(tmp_path, memory_url=nobody))
    (none,) = await examine_stores(settings(tmp_path, embedding="nobody:x"))
    for finding, what in (
        (bucket, "NoSuchBucket"),
        (away, "AOS_MEMORY_URL"),
        (unknown, "no_such_database"),
        (none, "it is not one of"),
    ):
        assert finding.level == "error" and what in finding.what and finding.remedy
        assert "secret-word" not in f"{finding.what}{finding.remedy}"
