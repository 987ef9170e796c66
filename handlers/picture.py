"""Send a picture back.

A picture arrives with a ``media_id``, which the platform keeps for three days and which a reply may use again. To send
one of your own, upload it first: a reply takes media ids, not files and not addresses.
"""

from wxserve import Image, Message, on


@on.image
def picture(msg: Message) -> Image:
    return Image(msg.media_id)
