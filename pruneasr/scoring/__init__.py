"""Error rates of recognised text."""
