"""Plugins for tests that run pytest inside pytest."""

import hypothesis  # noqa: F401  (inner runs unload what they import; this one takes seconds to load)

pytest_plugins = ["pytester"]
