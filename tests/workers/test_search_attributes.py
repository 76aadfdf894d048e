from pathlib import Path

from temporalio.common import SearchAttributeKey, SearchAttributePair, TypedSearchAttributes

from aos.names import LIST_ATTRIBUTES, SEARCH_ATTRIBUTES
from aos_workers.search_attributes import ensure_search_attributes
from engine.server import running_server


async def test_search_attributes_that_a_server_lacks_are_created_and_can_be_set_at_once(tmp_path: Path) -> None:
    async with running_server(tmp_path) as environment:
        client = environment.client
        assert await ensure_search_attributes(client)
        assert await ensure_search_attributes(client), "once they are there, nothing is created"
        pairs = [SearchAttributePair(SearchAttributeKey.for_keyword(name), "x") for name in SEARCH_ATTRIBUTES]
        pairs += [SearchAttributePair(SearchAttributeKey.for_keyword_list(name), ["x"]) for name in LIST_ATTRIBUTES]
        await client.start_workflow("Any", id="any", task_queue="any", search_attributes=TypedSearchAttributes(pairs))
        described = await client.get_workflow_handle("any").describe()
    assert [described.typed_search_attributes[pair.key] for pair in pairs] == [pair.value for pair in pairs]
