"""How a sub-run gets executed somewhere: the protocol, its client, and the agent that serves it."""
