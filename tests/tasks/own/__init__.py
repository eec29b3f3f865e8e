"""Tasks that the client's own Python code defines."""
