"""The team: a parent workflow that has its members speak, and the pure parts that say who, and until when."""
