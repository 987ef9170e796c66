"""Hand the user over to the account's customer service.

Needs customer service switched on for the account. ``hours=`` keeps a rule to its hours; outside them the next rule is
asked, which is the second one here. ``Handover("kf2001@shop")`` names one of the service's accounts.
"""

from wxserve import Handover, on


@on.text("人工", "客服", hours="9:00-18:00")
def human() -> Handover:
    return Handover()


@on.text("人工", "客服")
def closed() -> str:
    return "客服每天 9:00–18:00 在线，请留言，上班后回复你。"
