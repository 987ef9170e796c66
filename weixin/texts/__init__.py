"""Every sentence a person reads, in Chinese and English.

Codes, log keys, option names and command names are English in both; WeChat's own screen texts stay Chinese in both, so
that they can be searched for. ``codes`` holds what a code means, ``slips`` the slips that one code may stand for,
``words`` everything else; here they are picked and filled in. A leaf: it imports nothing of ours.

What serving does not say, which is nearly all, is imported when somebody asks for it: a server starts sooner without
it, and is smaller.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .served import WORDS as SERVED

if TYPE_CHECKING:
    from .codes import Explanation

LANGUAGES = ("zh", "en")
# English alone has another word for one than for many.
_ONE = r"(?<![\w.-])1 (error|warning|rule|file|turn|time|character)s\b"


class _Blanks(dict[str, Any]):
    """Leaves a placeholder that has no value as it is: half a sentence beats a KeyError in an error message."""

    def __missing__(self, key: str) -> str:
        return "{" + key + "}"


def _blanks(values: Mapping[str, Any], lang: str) -> _Blanks:
    """*values* to fill in; among them the reason that the operating system gave, in this language."""
    if lang == "zh" and "error" in values:
        from .system import in_chinese

        return _Blanks({**values, "error": in_chinese(values["error"])})
    return _Blanks(values)


def language(choice: str = "auto", environ: Mapping[str, str] | None = None) -> str:
    """Return ``zh`` or ``en``: *choice*, else WXSERVE_LANG, else the locale, else English."""
    environ = environ or {}
    for wanted in (choice, environ.get("WXSERVE_LANG", "")):
        if wanted in LANGUAGES:
            return wanted
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if environ.get(name):
            return "zh" if environ[name].lower().startswith("zh") else "en"
    return "en"


def explain(code: str, lang: str, values: Mapping[str, Any] | None = None) -> Explanation:
    """Return what *code* means, with *values* filled in. An unknown code is its own title.

    Where one code stands for many slips, ``values["reason"]`` names the slip: its sentence becomes ``{problem}``,
    and what to do about it takes the place of the code's own advice.
    """
    from .codes import CODES, Explanation
    from .slips import SLIPS

    title, cause, fix = CODES.get(code, {}).get(lang, (code, "", ""))
    blanks = _blanks(values or {}, lang)
    slip = SLIPS.get(str(blanks.get("reason")))
    if slip and "{problem}" in title:
        blanks["problem"], fix = (part.format_map(blanks) for part in slip[lang])
    return Explanation(title.format_map(blanks), cause.format_map(blanks), fix.format_map(blanks))


def say(key: str, lang: str, **values: Any) -> str:
    """Return the sentence *key*, with *values* filled in if there are any."""
    entry = SERVED.get(key) or _entry(key)
    text = entry[lang]
    if not values:
        return text
    text = text.format_map(_blanks(values, lang))
    return re.sub(_ONE, r"1 \1", text) if lang == "en" else text


def _entry(key: str) -> Mapping[str, str]:
    from .console import CONSOLE
    from .words import WORDS

    return WORDS.get(key) or CONSOLE[key]


def examples(command: str, lang: str) -> str:
    """Return what the help of *command* ends with."""
    from .usage import EXAMPLES

    lines = (f"  python3 wxserve.py {example}" for example in EXAMPLES[command])
    return "\n".join([say("help.examples", lang), *lines])


def catalogue() -> dict[str, Any]:
    """Return what the console's page needs: its words in each language, and what the codes and slips mean."""
    from .codes import CODES
    from .console import CONSOLE
    from .inspector import INSPECTOR
    from .slips import SLIPS

    words = {lang: {key: entry[lang] for key, entry in {**CONSOLE, **INSPECTOR}.items()} for lang in LANGUAGES}
    return {**words, "codes": CODES, "slips": SLIPS}
