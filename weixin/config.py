"""Configuration: flags > WXSERVE_… > WXSERVE_…_FILE > systemd's credentials > wxserve.ini > defaults -> Settings.

One table says what there is; each value remembers where it came from, so that an error or ``check --dump`` can name
the place. Every fault is collected before anything is refused: a tired operator wants them all at once.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Callable, NamedTuple

from . import ini, typed
from .problem import Problem

ENV = "WXSERVE_"
# A name of the same shape that is no option.
ENV_OTHERS = {"WXSERVE_CONFIG"}
LOOKED = ("./wxserve.ini", "$WXSERVE_CONFIG", "/etc/wxserve/wxserve.ini")
# Somebody names the wrong file sooner or later; a configuration or a secret is never this large.
MAX_FILE = 4 << 20
MAX_SECRET = 64 << 10

DEFAULT_STORE = "sqlite:wxserve.db"

MODES = ("plain", "compat", "safe")

# The longest option has 16 letters, «aes_key_previous»; the tokens and keys that are generated have 32 and more.
LONGEST_NAME = 20
# The slips of the line reader whose sentences for a table of replies speak of a reply above, or show the line.
_OF_OPTIONS = frozenset({"stray", "junk", "indented", "bracket", "colon"})

_SECRET_NAME = r"[a-z][a-z0-9_]{0,63}"


class ConfigError(Exception):
    """What is wrong with the configuration, all of it."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = list(problems)
        super().__init__("; ".join(str(problem) for problem in self.problems))


class Option(NamedTuple):
    """One line of wxserve.ini: its section and name there, its name everywhere else, and how to read it."""

    section: str
    name: str
    key: str
    default: str
    read: Callable[[str], Any]
    secret: bool = False

    @property
    def flag(self) -> str:
        return "--" + self.key.replace("_", "-")


OPTIONS: tuple[Option, ...] = (
    Option("wechat", "token", "token", "", typed.token, secret=True),
    Option("wechat", "mode", "mode", "plain", typed.choice(*MODES)),
    Option("wechat", "appid", "appid", "", typed.appid),
    Option("wechat", "aes_key", "aes_key", "", typed.aes_key, secret=True),
    Option("wechat", "aes_key_previous", "aes_key_previous", "", typed.aes_key, secret=True),
    Option("wechat", "max_age", "max_age", "300", typed.number(0, 86_400)),
    Option("server", "listen", "listen", "127.0.0.1:9527", typed.listen),
    Option("server", "path", "path", "/weixin", typed.path),
    Option("server", "workers", "workers", "1", typed.workers),
    Option("server", "threads", "threads", "64", typed.number(1, 1024)),
    Option("server", "pool", "pool", "32", typed.number(1, 1024)),
    Option("server", "silent_max", "silent_max", "20", typed.number(0, 1000)),
    Option("server", "run_max", "run_max", "120", typed.number(15, 86_400)),
    Option("server", "trust_proxy", "trust_proxy", "127.0.0.1", typed.addresses),
    # More and the answer would reach a platform that has hung up.
    Option("server", "deadline", "deadline", "4.5", typed.seconds(0.5, 4.8)),
    Option("server", "busy", "busy", "正在处理，稍后回复「继续」取答案", typed.words),
    Option("server", "body_max", "body_max", "64k", typed.size(1 << 10, 1 << 20)),
    Option("admin", "listen", "admin_listen", "127.0.0.1:9528", typed.listen),
    Option("admin", "console", "console", "auto", typed.choice("auto", "on", "off")),
    Option("replies", "file", "replies", "replies.ini", str),
    Option("replies", "priority", "replies_priority", "10", typed.number(-1000, 1000)),
    Option("replies", "handlers", "handlers", "handlers", str),
    Option("replies", "final_marks", "final_marks", "on", typed.switch),
    Option("replies", "pickup", "pickup", "继续", typed.words),
    Option("replies", "split", "split", "on", typed.switch),
    Option("replies", "default", "default_reply", "", str),
    Option("store", "url", "store", DEFAULT_STORE, typed.store),
    Option("store", "keep", "keep", "500", typed.number(0, 100_000)),
    Option("store", "content", "store_content", "short", typed.choice("none", "short", "full")),
    Option("store", "answers", "answers", "60", typed.number(60, 3600)),
    Option("log", "level", "log_level", "info", typed.choice("debug", "info", "warning", "error")),
    Option("log", "format", "log_format", "text", typed.choice("text", "json")),
    Option("log", "content", "log_content", "short", typed.choice("none", "short", "full")),
    Option("log", "openid", "log_openid", "mask", typed.choice("mask", "hash", "full")),
    Option("log", "lang", "lang", "auto", typed.choice("auto", "zh", "en")),
)
_BY_KEY = {option.key: option for option in OPTIONS}
_BY_PLACE = {(option.section, option.name): option for option in OPTIONS}


class Settings:
    """The configuration in force, which nobody changes: `replace` makes another.

    Paths are absolute; ``sources`` says where each value came from. A plain class: a dataclass of so many fields, with
    the modules that make it, is a tenth of the time to start, and a tuple would show its secrets to a JSON encoder.
    """

    token: str
    mode: str
    appid: str
    aes_key: str
    aes_key_previous: str
    max_age: int
    listen: str
    path: str
    workers: int
    threads: int
    pool: int
    silent_max: int
    run_max: int
    trust_proxy: str
    deadline: float
    busy: str
    body_max: int
    admin_listen: str
    console: str
    replies: str
    replies_priority: int
    handlers: str
    final_marks: bool
    pickup: str
    split: bool
    default_reply: str
    store: str
    keep: int
    store_content: str
    answers: int
    log_level: str
    log_format: str
    log_content: str
    log_openid: str
    lang: str
    #: The file it was read from, or None; and the folder that relative paths start from.
    file: str | None
    base: str
    sources: Mapping[str, str]

    def __init__(self, **values: Any) -> None:
        """*values* are those above, all of them."""
        if values.keys() != Settings.__annotations__.keys():
            raise TypeError(" ".join(sorted(values.keys() ^ Settings.__annotations__.keys())))
        vars(self).update(values)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{name}: settings do not change")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Settings) and vars(self) == vars(other)

    def __hash__(self) -> int:
        return hash((self.file, self.token))

    def __repr__(self) -> str:
        """Without what is secret."""
        shown = (f"{option.key}={getattr(self, option.key)!r}" for option in OPTIONS if not option.secret)
        return f"Settings({', '.join(shown)})"

    def replace(self, **values: Any) -> Settings:
        """The same with other *values*."""
        return Settings(**{**vars(self), **values})

    def given(self, key: str) -> bool:
        """Whether somebody set *key*, rather than leaving it at its default."""
        return self.sources.get(key, "default") != "default"

    def secret(self, name: str) -> str:
        """Return a handler's own secret *name*: a systemd credential, or the file that WXSERVE_NAME_FILE names.

        Never from a flag or wxserve.ini, which others may read. Raise KeyError where there is none.
        """
        if not re.fullmatch(_SECRET_NAME, name):
            raise KeyError(name)
        for place, path in _secret_files(name, os.environ):
            try:
                return _read_secret(path)
            except (OSError, UnicodeDecodeError) as error:
                if place != "credential":
                    raise KeyError(f"{place}: {error}") from None
        raise KeyError(f"no credential {name} and no {ENV}{name.upper()}_FILE")


def load(
    file: str | None = None,
    flags: Mapping[str, str] | None = None,
    environ: Mapping[str, str] | None = None,
    *,
    base: str | None = None,
) -> Settings:
    """Return the Settings of *file*, or of the first configuration found. Raise ConfigError with every fault.

    *flags* are the command line's, by key; *environ* defaults to the process's. Without any file a token in the
    environment or among the credentials is configuration enough; without that there is none: WX-CFG-01.
    """
    environ = os.environ if environ is None else environ
    found = find(file, environ)
    values: dict[str, tuple[str, str]] = {}
    problems: list[Problem] = []
    if found is not None:
        values.update(_from_file(found, problems))
    # systemd's StateDirectory= is made for this; it may name several.
    folder = environ.get("STATE_DIRECTORY", "").partition(":")[0]
    if folder and "store" not in values:
        values["store"] = (f"sqlite:{folder}/wxserve.db", "env STATE_DIRECTORY")
    values.update(_from_credentials(environ, problems))
    values.update(_from_environ(environ, problems))
    values.update({key: (value, _BY_KEY[key].flag) for key, value in (flags or {}).items()})
    if found is None and "token" not in values:
        raise ConfigError(problems or [Problem("WX-CFG-01", {"looked": file or ", ".join(LOOKED)})])
    beside = os.path.dirname(os.path.realpath(found)) if found else os.getcwd()
    return _settle(values, problems, found, base or beside)


def demo(token: str, base: str, flags: Mapping[str, str]) -> Settings:
    """Return the Settings of the demo: this machine only, plain mode, the handlers that come along in *base*."""
    values = {key: (value, _BY_KEY[key].flag) for key, value in flags.items()}
    return _settle({**values, "token": (token, "demo")}, [], None, base)


def find(file: str | None, environ: Mapping[str, str]) -> str | None:
    """Return the configuration file to use, or None. A file that was asked for is used even if it is missing."""
    asked = file or environ.get("WXSERVE_CONFIG")
    if asked:
        return asked
    return next((path for path in ("wxserve.ini", "/etc/wxserve/wxserve.ini") if os.path.isfile(path)), None)


def _read(path: str) -> bytes:
    """Return a configuration file's bytes. Raise ConfigError if it is not there, cannot be read or is far too large."""
    try:
        with open(path, "rb") as stream:
            data = stream.read(MAX_FILE + 1)
    except OSError as error:
        if isinstance(error, FileNotFoundError):
            raise ConfigError([Problem("WX-CFG-01", {"looked": path}, path)]) from None
        raise ConfigError([Problem("WX-CFG-15", {"file": path, "error": error.strerror}, path)]) from None
    if len(data) > MAX_FILE:
        raise ConfigError([Problem("WX-CFG-02", {"file": path}, path)])
    return data


def _from_file(path: str, problems: list[Problem]) -> dict[str, tuple[str, str]]:
    sections, faults = ini.read(_read(path))
    for reason, line, found in faults:
        if reason == "encoding":
            raise ConfigError([Problem("WX-CFG-02", {"file": path}, path, line)])
        # What stands in the line may be the token: the line's number has to do.
        found = {key: _named(value) if key in ("key", "name") else value for key, value in found.items()}
        found = {key: value for key, value in found.items() if key not in ("text", "rest")}
        reason = f"option-{reason}" if reason in _OF_OPTIONS else reason
        problems.append(Problem("WX-CFG-09", {"reason": reason, **found}, path, line))
    names = {option.section for option in OPTIONS}
    values = {}
    for section in sections:
        if section.name not in names:
            hint = _hint(f"[{section.name.lower()}]", [f"[{name}]" for name in names])
            name = f"[{_named(section.name)}]"
            problems.append(Problem("WX-CFG-03", {"name": name, "hint": hint}, path, section.line))
            continue
        for entry in section.entries:
            option = _BY_PLACE.get((section.name, entry.key))
            if option is None:
                hint = _elsewhere(entry.key) or _hint(
                    entry.key.lower(), (name for place, name in _BY_PLACE if place == section.name)
                )
                problems.append(Problem("WX-CFG-03", {"name": _named(entry.key), "hint": hint}, path, entry.line))
            else:
                values[option.key] = (entry.value, f"{path}:{entry.line}")
    return values


def _named(name: str) -> str:
    """What is longer than any name of ours may be a key in the wrong place."""
    return name if len(name) <= LONGEST_NAME else f"{name[:4]}…"


def _elsewhere(name: str) -> str:
    """The hint for an option that stands in another section."""
    return next((f" → [{option.section}] {name}?" for option in OPTIONS if option.name == name), "")


def _from_credentials(environ: Mapping[str, str], problems: list[Problem]) -> Iterator[tuple[str, tuple[str, str]]]:
    folder = environ.get("CREDENTIALS_DIRECTORY")
    for option in OPTIONS:
        path = os.path.join(folder, option.key) if folder else ""
        if path and os.path.isfile(path):
            try:
                yield option.key, (_read_secret(path), f"credential {option.key}")
            except (OSError, UnicodeDecodeError) as error:
                problems.append(_unreadable(f"credential {option.key}", error))


def _unreadable(place: str, error: OSError | UnicodeDecodeError) -> Problem:
    why = error.strerror if isinstance(error, OSError) else "UTF-8?"
    return Problem("WX-CFG-15", {"file": place, "error": why})


def _from_environ(environ: Mapping[str, str], problems: list[Problem]) -> dict[str, tuple[str, str]]:
    values = {}
    for option in OPTIONS:
        name = ENV + option.key.upper()
        path = environ.get(name + "_FILE")
        if path:
            try:
                values[option.key] = (_read_secret(path), f"{name}_FILE")
            except (OSError, UnicodeDecodeError) as error:
                problems.append(_unreadable(f"{name}_FILE={path}", error))
        if name in environ:
            values[option.key] = (environ[name], f"env {name}")
    known = {ENV + option.key.upper() for option in OPTIONS} | ENV_OTHERS
    # …_FILE of any name may be a handler's own secret.
    unknown = (n for n in environ if n.startswith(ENV) and n not in known and not n.endswith("_FILE"))
    problems += (Problem("WX-CFG-03", {"name": name, "hint": _hint(name, known)}) for name in unknown)
    return values


def _settle(
    given: Mapping[str, tuple[str, str]], problems: list[Problem], file: str | None, base: str
) -> Settings:
    values: dict[str, Any] = {}
    sources: dict[str, str] = {}
    for option in OPTIONS:
        text, source = given.get(option.key, (option.default, "default"))
        if not text.strip():  # a line that was left in the file without a value
            text, source = option.default, "default"
        if not text:
            values[option.key], sources[option.key] = "", "default"
            continue
        try:
            values[option.key] = option.read(text)
        except typed.Bad as bad:
            shown = f"({len(text)})" if option.secret else text
            place, line = _place(source)
            values_ = {"name": option.name, "value": shown, "wanted": str(bad), "n": len(text), "reason": bad.reason}
            problems.append(Problem(bad.code, values_, place, line))
            values[option.key] = option.read(option.default) if option.default else ""
        sources[option.key] = source
    # What is missing may stand in a line that cannot be read, or in a section whose name is misspelt.
    if not problems or all(problem.line == 0 or problem.code == "WX-CFG-08" for problem in problems):
        problems += _together(values, sources, file)
    if problems:
        raise ConfigError(problems)
    for key in ("replies", "handlers"):
        values[key] = os.path.join(base, values[key])
    if values["store"].startswith("sqlite:"):
        values["store"] = "sqlite:" + os.path.join(base, values["store"][len("sqlite:") :])
    return Settings(**values, file=file, base=base, sources=sources)


def _together(values: Mapping[str, Any], sources: Mapping[str, str], file: str | None) -> Iterator[Problem]:
    """What each value alone does not show."""
    if not values["token"] and sources["token"] == "default":
        yield Problem("WX-CFG-04", {"name": "token", "reason": "token-missing"}, file or "")
    if values["store"] == "memory:" and values["workers"] > 1:
        yield Problem("WX-CFG-13", {"workers": values["workers"]}, *_place(sources["store"]))
    if values["mode"] != "plain":
        if not values["aes_key"] and sources["aes_key"] == "default":
            yield Problem("WX-CFG-05", {"name": "aes_key", "n": 0}, *_place(sources["mode"]))
        if not values["appid"] and sources["appid"] == "default":
            yield Problem("WX-CFG-06", {"name": "appid"}, *_place(sources["mode"]))


def _place(source: str) -> tuple[str, int]:
    """Split «wxserve.ini:4» into file and line; any other source is its own place."""
    file, colon, line = source.rpartition(":")
    return (file, int(line)) if colon and line.isdecimal() else (source, 0)


def _secret_files(name: str, environ: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    folder = environ.get("CREDENTIALS_DIRECTORY")
    if folder:
        yield "credential", os.path.join(folder, name)
    variable = f"{ENV}{name.upper()}_FILE"
    if environ.get(variable):
        yield variable, environ[variable]


def _read_secret(path: str) -> str:
    """A secret is a file's text without the line end that editors and ``echo`` put behind it."""
    with open(path, "rb") as stream:
        return stream.read(MAX_SECRET).decode("utf-8-sig").rstrip("\r\n")


def _hint(name: str, names: Iterable[str]) -> str:
    import difflib  # for who mistyped something; everybody else starts sooner

    close = difflib.get_close_matches(name, list(names), 1)
    return f" → {close[0]}?" if close else ""
