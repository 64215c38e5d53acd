"""Writes the table of the zoo anew."""

from pathlib import Path

from zoo import ALL
from zoo.specimen import table

Path(__file__).with_name("README.md").write_text(table(ALL), encoding="utf-8")
