"""The heart: the engine, its events, the state they fold into, distances, decisions and verdicts."""
