from pathlib import Path

import pytest

from aos.errors import SetupError
from aos_workers.providers import make_registry
from aos_workers.settings import load_settings

SEEDS = {
    "azure_openai_model": "gpt-4-turbo-2024-04-09",
    "azure_openai_endpoint": "https://example.openai.azure.com",
    "azure_openai_key": "a-key",
    "azure_openai_api_version": "2024-02-01",
    "aws_region": "us-east-1",
    "bedrock_model_id": "anthropic.claude-3-5-sonnet-20241022-v2:0",
}


@pytest.fixture(autouse=True)
def empty_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("AOS_MODEL", "AOS_HOME", "OPENAI_API_KEY", "AZURE_OPENAI_ENDPOINT", "AWS_REGION", "AOS_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


def test_a_flag_wins_over_the_environment_and_the_environment_over_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("aos.toml").write_text('log_level = "error"\nmodel = ["openai:a"]\nagents_cached = 7\n')
    monkeypatch.setenv("AOS_LOG_LEVEL", "warning")
    monkeypatch.setenv("AOS_MODEL", "openai:b, offline")
    settings = load_settings(log_level="debug")
    assert (settings.log_level, settings.model, settings.agents_cached) == ("debug", ["openai:b", "offline"], 7)


def test_the_settings_of_azure_and_bedrock_have_the_names_that_were_fixed() -> None:
    Path("aos.toml").write_text("".join(f'{name} = "{value}"\n' for name, value in SEEDS.items()))
    settings = load_settings()
    key = settings.azure_openai_key
    assert key and key.get_secret_value() == "a-key"
    assert {name: getattr(settings, name) for name in SEEDS if name != "azure_openai_key"} == {
        name: value for name, value in SEEDS.items() if name != "azure_openai_key"
    }


@pytest.mark.parametrize("variable", ["AZURE_OPENAI_API_KEY", "AZURE_OPENAI_KEY"])
def test_the_key_of_azure_may_be_given_under_both_names_in_use(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(variable, "a-key")
    key = load_settings().azure_openai_key
    assert key and key.get_secret_value() == "a-key"


def test_a_wrong_setting_is_named_with_its_place_and_what_belongs_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AOS_LOG_LEVEL", "loud")
    with pytest.raises(
        SetupError, match=r"log_level: Input should be 'debug', 'info'.*environment|environment.*log_level"
    ):
        load_settings()


def test_a_setting_that_does_not_exist_is_named() -> None:
    Path("aos.toml").write_text('colour = "green"\n')
    with pytest.raises(SetupError, match="colour"):
        load_settings()


def test_a_file_that_is_no_toml_is_named() -> None:
    Path("aos.toml").write_text("= nonsense")
    with pytest.raises(SetupError, match=r"aos\.toml"):
        load_settings()


def test_secrets_are_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-very-secret")
    assert "very-secret" not in repr(load_settings())


def test_without_credentials_the_offline_model_is_the_default() -> None:
    assert make_registry(load_settings()).default == ("offline:extractive",)


def test_a_key_makes_its_provider_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-x")
    assert make_registry(load_settings()).default == ("openai:gpt-4o-mini",)
    assert make_registry(load_settings(offline=True)).default == ("offline:extractive",)


def test_an_endpoint_of_ones_own_serves_under_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AOS_ENDPOINTS", '{"mine": {"base_url": "http://127.0.0.1:1/v1"}}')
    monkeypatch.setenv("AOS_MODEL", "mine:llama")
    registry = make_registry(load_settings())
    assert registry.default == ("mine:llama",)
    assert registry.find("mine:llama")[0].name == "mine"
