"""The record of an audit: its events, what they find, the state that they fold into, and the journal.

What belongs here: what is known of an audit, in a form that is stored and shown. Nothing here acts, and PyTorch is not
imported. It imports `planning` and what stands lower; the rest of `audit`, `experiments`, `report` and the faces import
it.
"""
