"""Erasing an author, or a whole server, from everything that is stored."""
