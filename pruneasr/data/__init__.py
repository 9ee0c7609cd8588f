"""Corpora: data directories, checks of audio and text, token lists, made speech."""
