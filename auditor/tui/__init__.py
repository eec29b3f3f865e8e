"""The terminal interface: a face over the events, the store and the reports, without logic of its own."""
