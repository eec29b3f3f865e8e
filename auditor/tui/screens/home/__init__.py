"""The home screen: its four tabs, one pane a file. Each pane lists one kind of thing and opens what is chosen.

What belongs here: the screen, and what only its tabs show. `auditor.tui.app` may import it; no other screen does.
"""
