"""The floor: the same work on Temporal alone, with nothing of AOS."""
