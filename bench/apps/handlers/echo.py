"""What wxserve answers in the race: the same words as every peer."""

from wxserve import on


@on.text
def echo(msg):
    return "echo: " + msg.text
