"""What can go wrong with a provider. Who is to blame decides what the audit makes of it."""


class ProviderError(Exception):
    """Something did not work out with a provider."""


class Unreachable(ProviderError):  # noqa: N818 - the name reads as what it is
    """The provider does not answer, or it stopped answering, or it makes no progress."""


class Broken(Unreachable):
    """A connection that was not made, or that ended before the answer did. Asking again may help."""


class Refused(ProviderError):  # noqa: N818
    """The provider answers, but will not or cannot do what it was asked for; the message is its own.

    Attributes:
        deliberate: whether these are the provider's own words, and say that it will not. Elsewhere it may be unable to,
            or what stands between answered for it.
        forgotten: whether it does not know what it is asked for, as one that was started again.
    """

    def __init__(self, message: str, *, deliberate: bool = False, forgotten: bool = False) -> None:
        super().__init__(message)
        self.deliberate = deliberate
        self.forgotten = forgotten


class Misbehaved(ProviderError):  # noqa: N818
    """The provider answered with something that an honest one never sends, whatever befalls it or the connection."""
