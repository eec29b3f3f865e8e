"""What is to be made of each trick of a pretender, by the question that it is played at."""

from __future__ import annotations

from auditor.providers.errors import Misbehaved, ProviderError, Refused, Unreachable

Tricks = dict[str, tuple[type[ProviderError], str]]

EVERYWHERE: Tricks = {
    "closes": (Unreachable, "the connection broke"),
    "cut_off": (Unreachable, "the connection broke"),
    "cut_off_unframed": (Unreachable, ""),
    "endless_headers": (Unreachable, "the connection broke"),
    "long_header": (Unreachable, "the connection broke"),
    "huge_length": (Unreachable, ""),
    "negative_length": (Unreachable, "the connection broke"),
    "two_lengths": (Unreachable, "the connection broke"),
    "old_http": (Unreachable, "the connection broke"),
    "switches": (Unreachable, ""),
    "redirects": (Unreachable, "HTTP status 307, which is not followed"),
    "redirects_badly": (Unreachable, "HTTP status 307, which is not followed"),
    "zips": (Unreachable, "an encoding that was not requested"),
    "bombs": (Unreachable, "an encoding that was not requested"),
    "fails": (Unreachable, "the provider failed: oh"),
    "fails_with_a_page": (Unreachable, "the provider failed: HTTP status 502"),
    "invents_a_status": (Unreachable, "HTTP status 999"),
    "fails_deeply": (Refused, "HTTP status 400"),
    "refuses_evilly": (Refused, "[bold]evil"),
    "fails_with_an_object": (Refused, "HTTP status 400"),
}
IN_JSON: Tricks = {
    "says_nothing": (Misbehaved, "not JSON"),
    "garbage": (Misbehaved, "gave an invalid answer: not UTF-8"),
    "deep_objects": (Misbehaved, "nested more than"),
    "deep_lists": (Misbehaved, "nested more than"),
    "huge": (Misbehaved, "answered with more than"),
    "endless_chunks": (Misbehaved, "answered with more than"),
    "utf16": (Misbehaved, "not UTF-8"),
}
IN_IDENTITY: Tricks = {
    "negative_threads": (Misbehaved, "threads"),
    "many_threads": (Misbehaved, "a number of 4,001 digits"),
    "other_protocol": (Misbehaved, "protocol"),
}
IN_STATUS: Tricks = {
    "nan": (Misbehaved, "a number that is not finite"),
    "infinite": (Misbehaved, "a number that is not finite"),
    "long_number": (Misbehaved, "a number of 5,000 digits"),
    "over_64_bits": (Misbehaved, "version"),
    "negative_step": (Misbehaved, "step"),
    "text_for_step": (Misbehaved, "step"),
    "float_for_step": (Misbehaved, "step"),
    "true_for_step": (Misbehaved, "step"),
    "key_twice": (Misbehaved, "a duplicate key"),
    "half_a_surrogate": (Misbehaved, "gave an invalid answer"),
    "unknown_state": (Misbehaved, "state"),
    "negative_seed": (Misbehaved, "seed"),
    "text_for_seed": (Misbehaved, "seed"),
    "other_id": (Misbehaved, "answered for a different run"),
    "past_the_end": (Misbehaved, "claims step 1000000"),
    "backwards": (Misbehaved, "after step"),
    "finished_without": (Misbehaved, "did not commit to every boundary"),
    "other_steps": (Misbehaved, "committed to boundaries that it was not asked for"),
    "twice": (Misbehaved, "committed to boundaries that it was not asked for"),
    "out_of_order": (Misbehaved, "committed to boundaries that it was not asked for"),
    "ten_thousand": (Misbehaved, "at most 1000 items"),
    "upper_case": (Misbehaved, "digest"),
    "path_for_digest": (Misbehaved, "digest"),
    "cancels": (Unreachable, "it cancelled the run"),
    "fails_evilly": (Refused, "it failed: [bold]evil"),
    "queues": (Unreachable, "still waiting for its turn after 1 s (audit.waiting_seconds)"),
    "flickers": (Unreachable, "1 s"),
    "hurries_nowhere": (Unreachable, "no progress for 1 s at step 10"),
}
IN_A_CHECKPOINT: Tricks = {
    "short": (Misbehaved, "sent 632,956 bytes for a checkpoint of 633,056"),
    "long": (Misbehaved, "sent more than the"),
    "other": (Misbehaved, "a checkpoint other than the one that it had committed to"),
    "endless_chunks": (Misbehaved, "sent more than the"),
}
SLOW = ("never_answers", "continues", "drips", "endless_spaces")
"""What comes too slowly, if at all."""

PRETENCES: dict[str, Tricks] = {
    "identity": EVERYWHERE | IN_JSON | IN_IDENTITY,
    "start": EVERYWHERE | IN_JSON,
    "status": EVERYWHERE | IN_JSON | IN_STATUS,
    "blob": EVERYWHERE | IN_A_CHECKPOINT,
    "put": {trick: EVERYWHERE[trick] for trick in ("closes", "fails", "fails_deeply", "redirects")},
}
"""By place, as the end of a reason and the kind of error that it is the reason of."""
TOSS_PRETENCES: dict[str, Tricks] = dict.fromkeys(("toss", "reveal"), EVERYWHERE | IN_JSON)
"""The same for what is only asked where coins are tossed."""
