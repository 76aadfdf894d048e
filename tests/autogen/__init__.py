"""AutoGen beside AOS: the same scripted replies, in both."""
