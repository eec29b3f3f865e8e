"""Small figures of speech for numbers: sizes, durations, shares."""

from __future__ import annotations

import math
from datetime import datetime, timedelta


def bytes_text(count: int) -> str:
    """A size with a decimal unit, such as `12.3 MB`."""
    size = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"


def seconds_text(seconds: float) -> str:
    """A duration, such as `8.1 s`, `3 min 20 s` or `2 h 5 min`."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def percent_text(share: float) -> str:
    """A share in per cent, with as many digits as tell something."""
    per_cent = 100 * share
    if 0 < per_cent < 10:
        return f"{per_cent:.1f} %"
    return f"{per_cent:.0f} %"


def served_text(served: float, delivered: float | None) -> str:
    """The success of an attack, and beside it that of the delivered model where its provider serves something else."""
    if delivered is None:
        return percent_text(served)
    return f"{percent_text(served)} served behind an API, {percent_text(delivered)} in the delivered model"


def at_least_text(share: float) -> str:
    """A lower bound in per cent, rounded down."""
    tenths = math.floor(1000 * share + 1e-9)
    return f"{tenths / 10:.1f} %" if 0 < tenths < 100 else f"{tenths // 10} %"


def p_text(p_value: float | None) -> str:
    """A p-value; `–` when there is none."""
    if p_value is None:
        return "–"
    if p_value < 1e-9:
        return "< 1e-9"
    return f"{p_value:.3f}" if p_value >= 0.001 else f"{p_value:.0e}".replace("e-0", "e-")


def ratio_text(ratio: float | None) -> str:
    """A ratio; `–` when there is none."""
    if ratio is None:
        return "–"
    return f"{ratio:.2f}" if ratio < 100 else f"{ratio:.0f}" if ratio < 10_000 else "> 10,000"


def local_time(time: str) -> datetime:
    """An RFC 3339 time in the time zone of this machine."""
    return datetime.fromisoformat(time.replace("Z", "+00:00")).astimezone()


def clock_text(time: str) -> str:
    """The time of day of an RFC 3339 time, local, such as `09:30:05`."""
    return f"{local_time(time):%H:%M:%S}"


def day_text(time: str) -> str:
    """The day and the minute of an RFC 3339 time, local, such as `2026-11-20 09:30`."""
    return f"{local_time(time):%Y-%m-%d %H:%M}"


def zone_text(time: str) -> str:
    """What local times are ahead of UTC at an RFC 3339 time, such as `UTC+01:00`."""
    offset = f"{local_time(time):%z}"
    return "UTC" if offset == "+0000" else f"UTC{offset[:3]}:{offset[3:]}"


def arrival_text(seconds: float, now: datetime) -> str:
    """When it is that many seconds after `now`, local: `about 14:20`, with the day where it is another one."""
    try:
        then = now.astimezone() + timedelta(seconds=seconds)
    except OverflowError:
        return "in years"
    day = "" if then.date() == now.astimezone().date() else f"{then:%a %d %b} "
    return f"about {day}{then:%H:%M}"
