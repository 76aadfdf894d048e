"""The offline model: deterministic, without key, clock or network, and at work on what it was really given."""

from aos_activities.models.offline.provider import OfflineProvider

__all__ = ["OfflineProvider"]
