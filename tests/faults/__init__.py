"""Faults on purpose: a server and workers as processes of their own, to be killed, replaced and watched."""
