"""How a sub-run gets executed somewhere: the protocol, its client, launchers, and the agent that serves it.

What belongs here: everything between the client's machine and a provider's. What comes from the other side is bounded,
checked and cleaned here. It imports `store`, `tasks` and what stands lower; `audit` and what stands higher
may import it.
"""
