"""AutoGen's component JSON, as teams and agents of AOS.

    team = load_autogen("team.json", tools={"lookup": "travel/lookup"})

The JSON is what `team.dump_component()` gives in AutoGen AgentChat 0.4 to 0.7. AutoGen itself is not needed.
"""

from __future__ import annotations

from aos.compat.autogen.loading import LeftOut, NotData
from aos.compat.autogen.reader import load_autogen

__all__ = ["LeftOut", "NotData", "load_autogen"]
