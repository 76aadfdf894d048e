"""The cases: a module each, which says what is measured and what is aimed at."""
