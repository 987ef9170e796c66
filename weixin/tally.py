"""What a delivery and a refusal count as, for ``metrics``: which counters, under which labels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .delivery import Given
from .wire.errors import Refused
from .wire.messages import Message

if TYPE_CHECKING:
    from .metrics import Meter

# In the place of a rule that is a handler.
_CODE = ".py:"


def delivery(meter: Meter, message: Message, given: Given, now: float) -> None:
    """Count one delivery of *message*, which was given *given*, at *now*."""
    # What nobody has heard of may be anybody's word: it takes no label from those that are.
    kind = message.kind if message.known else "other"
    meter.add("wxserve_deliveries_total", kind, given.result)
    meter.add("wxserve_delivery_duration_seconds", kind, value=given.seconds)
    meter.add("wxserve_push_delay_seconds", value=max(0.0, now - message.time))
    meter.add("wxserve_attempts_total", str(given.attempt))
    meter.add("wxserve_last_wechat_request_timestamp_seconds", value=now)
    if given.result == "duplicate":
        return
    if given.rule:
        meter.add("wxserve_rule_hits_total", given.rule)
        if _CODE in given.rule:
            meter.add("wxserve_handler_duration_seconds", given.rule, value=given.ran)
    elif not given.silent and given.result != "replied" and message.type != "event":
        meter.add("wxserve_unmatched_messages_total")
    if given.reply:
        meter.add("wxserve_reply_size_bytes", given.reply, value=len(given.body))
    if given.code:
        meter.add("wxserve_handler_errors_total", given.rule)
    if kind in ("subscribe", "unsubscribe"):
        meter.add(f"wxserve_users_{kind}d_total")


def refusal(meter: Meter, refused: Refused) -> None:
    """Count one request that was turned away."""
    meter.add("wxserve_refused_requests_total", refused.code)
    if refused.code == "WX-SIG-02" and refused.reason != "mismatch":
        meter.add("wxserve_signature_near_misses_total", refused.reason)
