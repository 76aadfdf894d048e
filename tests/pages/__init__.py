"""Markdown pages and examples, followed as a reader would: in a folder of their own, against a real `aos up`."""
