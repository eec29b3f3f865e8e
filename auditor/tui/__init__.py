"""The terminal interface: a face over the events, the store and the reports, without any logic."""
