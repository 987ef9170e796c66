"""The code of wxserve. ``docs/architecture.md`` is the map; ``wire/`` is where to start reading."""

__version__ = "1.0"
