"""The agent: what a provider runs. It serves the protocol and trains in a separate thread.

What belongs here: what an agent does for clients that it does not know, and the limits that protect its owner. It
imports the protocol of `providers` and what stands lower than `providers`; `auditor.providers.fork_server` and
`auditor agent` import it.
"""
