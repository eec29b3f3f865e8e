"""A run as text, to be read by people or by programs."""
