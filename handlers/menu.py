"""Answer a button of the account's menu.

A button of type ``click`` sends its key, the one it was given when the menu was made. Decorators stack: the same answer
for the button, and for who types the word.
"""

from wxserve import on


@on.click("MENU_HELP")
@on.text("帮助", "help")
def help_() -> str:
    return "说一句话，我接一句；发一张图片，我还一张。\n回复「人工」找客服。"
