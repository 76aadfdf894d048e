from __future__ import annotations

import signal

from command_line import Command


def test_a_chat_answers_line_after_line_and_ends_with_its_input(aos: Command, ada: str) -> None:
    result = aos("chat", ada, stdin="hello\n\nWhat time is it?\n")
    assert result.stdout == f"{ada}> You said: hello\n{ada}> You said: What time is it?\n"
    assert result.stderr == ""


def test_a_chat_goes_on_after_a_message_that_failed_and_says_so_in_the_end(aos: Command, ada: str) -> None:
    result = aos("chat", ada, stdin="fail\nhello\n", code=1)
    assert "it does not want to" in result.stderr
    assert result.stdout.endswith(f"{ada}> You said: hello\n")


def test_a_chat_answers_while_its_input_is_open(aos: Command, ada: str) -> None:
    with aos.process("chat", ada) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for said in ("hello", "again"):
            process.stdin.write(f"{said}\n")
            process.stdin.flush()
            assert process.stdout.readline() == f"{ada}> You said: {said}\n"
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 130
        assert process.stderr is not None
        assert process.stderr.read() == ""


def test_a_chat_with_nobody_says_so_before_anything_is_typed(aos: Command) -> None:
    assert "no agent named 'nobody' is alive" in aos("chat", "nobody", stdin="hello\n", code=1).stderr
