"""The agent: what a provider runs. It serves the protocol and trains in a thread of its own."""
