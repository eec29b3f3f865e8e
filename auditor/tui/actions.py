"""The actions in the command palette, those of the screen first."""

from __future__ import annotations

from textual.command import DiscoveryHit, Hit, Hits, Provider


class Actions(Provider):
    """What the application lists, in its order."""

    async def discover(self) -> Hits:
        """Everything."""
        for command in self.app.get_system_commands(self.screen):
            if command.discover:
                yield DiscoveryHit(command.title, command.callback, help=command.help)

    async def search(self, query: str) -> Hits:
        """What matches in its name, or else in what it does."""
        matcher = self.matcher(query)
        for command in self.app.get_system_commands(self.screen):
            score = matcher.match(command.title)
            if score > 0:
                yield Hit(score, matcher.highlight(command.title), command.callback, help=command.help)
            elif (other := matcher.match(command.help)) > 0:
                yield Hit(other / 2, command.title, command.callback, help=command.help)
