"""Command lines: parse, call one function, exit."""
