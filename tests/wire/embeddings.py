"""Embeddings, as OpenAI and Amazon Bedrock serve them. A text's vector says how long it is, and how it begins."""

from __future__ import annotations

import json

from wire import bedrock_converse, openai_chat
from wire.script import Json, Ramble, Received, Refuse, Reply, Response


def vector_of(text: str, dimensions: int = 0) -> list[float]:
    """Return the vector that the server gives for a text."""
    return [float(len(text)), float(ord(text[0])), 0.5, *[0.0] * max(0, dimensions - 3)]


def speak_openai(received: Received, reply: Reply) -> Response:
    """Return vectors as OpenAI does, in an order of its own."""
    if isinstance(reply, Refuse):
        return openai_chat.refused(reply, received)
    if isinstance(reply, Ramble):
        return Response((reply.body,))
    body = received.body
    assert body["encoding_format"] == "float" and all(body["input"])
    data = [
        {"object": "embedding", "index": index, "embedding": vector_of(text, body.get("dimensions", 0))}
        for index, text in enumerate(body["input"])
    ]
    return _json({"object": "list", "data": data[::-1], "model": body["model"], "usage": {"prompt_tokens": 1}})


def speak_bedrock(received: Received, reply: Reply) -> Response:
    """Return vectors as Titan and Cohere do on Bedrock."""
    if isinstance(reply, Refuse):
        return bedrock_converse.refused(reply)
    if isinstance(reply, Ramble):
        return Response((reply.body,))
    body = received.body
    if "texts" in body:
        assert body["input_type"] in ("search_query", "search_document") and len(body["texts"]) <= 96
        return _json({"embeddings": [vector_of(text) for text in body["texts"]], "id": "1", "texts": body["texts"]})
    return _json({"embedding": vector_of(body["inputText"], body.get("dimensions", 0)), "inputTextTokenCount": 1})


def _json(said: Json) -> Response:
    return Response((json.dumps(said).encode(),))
