"""Studies of models that keep learning."""
