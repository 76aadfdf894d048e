"""The eternal workflow that runs any topic, and its pure parts."""
