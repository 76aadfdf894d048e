from __future__ import annotations

import pytest

from aos_activities.builtin.readable import readable


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<h1>Tides</h1><p>High\n at <em>noon</em>.</p><p>Low</p>", "Tides\nHigh at noon.\nLow"),
        ("<ul><li>one<li>two</ul>", "one\ntwo"),
        ("<table><tr><td>a</td><td>b</td></tr></table>", "a\nb"),
        ("a<br>b<br/>c", "a\nb\nc"),
        ("before<script>var a = '<p>x</p>';</script>after<style>p {}</style>", "beforeafter"),
        ("<svg><title>drawn</title><svg></svg>still</svg>shown", "shown"),
        ("&lt;b&gt; &amp; &#228;", "<b> & ä"),
        ("no markup", "no markup"),
        ("<p>never closed <b>ever", "never closed ever"),
        ("", ""),
    ],
)
def test_the_words_of_a_page_remain(html: str, text: str) -> None:
    assert readable(html) == text
