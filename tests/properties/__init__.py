"""Properties of everything that reads foreign bytes.

Nothing but the documented error comes of what is not of the right form. `EXAMPLES=2500 pytest tests/properties` draws
that many examples for each property, and others each time.
"""
