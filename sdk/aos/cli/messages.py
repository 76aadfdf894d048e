"""A message from the words and files of a command line."""

from __future__ import annotations

import base64
import json
import mimetypes
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from aos.errors import InvalidInput

if TYPE_CHECKING:
    from aos.message import Message

Mode = Literal["queue", "interrupt", "steer"]

Text = Annotated[
    str | None, typer.Argument(metavar="TEXT", help="What to say; - reads standard input.", show_default=False)
]
FileOption = Annotated[Path | None, typer.Option("--file", help="Take the text from this file.")]
ModeOption = Annotated[
    Mode,
    typer.Option("--mode", help="While the agent is at work: wait, end that work, or be read at the next step of it."),
]
PriorityOption = Annotated[int, typer.Option("--priority", min=1, max=5, help="1 is the most urgent, 5 the least.")]
IdOption = Annotated[str, typer.Option("--id", help="Id of the message: the same id is handled once.")]
SenderOption = Annotated[str, typer.Option("--sender", help="Who says it.")]
ImageOption = Annotated[
    list[str] | None, typer.Option("--image", metavar="FILE|URL", help="A picture with it; may be given again.")
]


def read_message(text: str | None, file: Path | None, images: list[str] | None, **fields: object) -> Message:
    """Return the message that the options describe.

    Raises:
        InvalidInput: It is too large, or a part of it does not fit.
    """
    from aos.limits import MESSAGE_BYTES
    from aos.message import Message
    from aos.reading import read_json

    given = {name: value for name, value in fields.items() if value not in ("", None)}
    pictures = [_image(image) for image in images or []]
    data = json.dumps({"text": _text(text, file), **given, **({"images": pictures} if pictures else {})})
    return read_json(Message, "message", data, MESSAGE_BYTES)


def read_bytes(path: Path) -> bytes:
    """Return what a file holds.

    Raises:
        InvalidInput: It cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise InvalidInput(str(path), [f"it cannot be read: {error.strerror or error}"]) from None


def read_text(path: Path) -> str:
    """Return the text in a file.

    Raises:
        InvalidInput: It cannot be read, or is not UTF-8.
    """
    try:
        return read_bytes(path).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InvalidInput(str(path), ["it is not UTF-8 text; a picture goes with --image"]) from None


def value_of(option: str, text: str) -> Any:
    """Return the value that an option has as YAML, and so as JSON.

    Raises:
        InvalidInput: It is neither.
    """
    from aos.yaml_document import YamlProblem, documents

    try:
        found = documents(text)
    except YamlProblem as error:
        raise InvalidInput(option, [error.text]) from None
    if len(found) != 1:
        raise InvalidInput(option, [f"one value is needed, and it has {len(found)}"])
    return found[0].value


def _text(text: str | None, file: Path | None) -> str:
    if (text is None) == (file is None):
        raise InvalidInput("message", ["give either TEXT, where - is standard input, or --file"])
    if file is not None:
        return read_text(file)
    return sys.stdin.read() if text == "-" else text or ""


def _image(source: str) -> dict[str, str]:
    if source.startswith(("http://", "https://")):
        return {"url": source}
    return {
        "media_type": mimetypes.guess_type(source)[0] or "unknown",
        "data": base64.b64encode(read_bytes(Path(source))).decode(),
    }
