"""Tasks that a client's own program executes."""
