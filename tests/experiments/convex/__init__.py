"""The theory for strongly convex losses."""
