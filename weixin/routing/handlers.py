"""handlers/*.py -> rules: every file of a folder, in name order, each function by the marks it carries.

The folder becomes a package under a name of its own each time it is loaded, so that loading again begins from nothing
while the old functions still run; ``from ._helper import x`` works, and nothing is compiled into the folder. Files
whose names start with ``_`` or ``.`` answer nothing by themselves. All are tried, so that all errors are known at once.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import re
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from importlib.machinery import ModuleSpec, SourceFileLoader
from types import CodeType, FunctionType, ModuleType
from typing import Any, NamedTuple

from weixin import ini

from .call import ARGUMENTS, ERROR_ARGUMENTS, Function, function
from .errors import LoadError, Misuse, hint
from .marks import ERROR, Mark, marks_of
from .rules import Rule
from .run import said


class Loaded(NamedTuple):
    """What a folder holds. With an error among them the rules are incomplete and must not be used."""

    rules: list[Rule]
    #: The functions of ``on.error``.
    on_error: list[Function]
    errors: list[LoadError]
    #: The files by name, without ``.py``.
    modules: dict[str, ModuleType]
    folder: str
    package: str

    def close(self) -> None:
        """Forget the modules; see `Rules.close`."""
        _forget(self.package)


def load(folder: str | os.PathLike[str], required: bool = True) -> Loaded:
    """Load every file of *folder*; that it is missing is no error unless it is *required*."""
    folder = os.path.abspath(folder)
    # A name nobody else can have: two loads of a folder must not share a module.
    package = f"_wxserve_handlers_{os.urandom(4).hex()}"
    loaded = Loaded([], [], [], {}, folder, package)
    try:
        files = _files(folder)
    except OSError as error:
        if required or not isinstance(error, FileNotFoundError):
            reason = error.strerror or str(error)
            loaded.errors.append(LoadError("WX-HND-01", folder, 0, "unreadable", error=reason))
        return loaded
    root = ModuleType(package)
    root.__path__ = [folder]
    sys.modules[package] = root
    sys.meta_path.insert(0, _Finder(package, folder))
    for name, file in files.items():
        try:
            loaded.modules[name] = importlib.import_module(f"{package}.{name}")
        # A stranger's file may raise anything, SystemExit too, and the next one is to be tried all the same.
        except BaseException as error:
            _report(loaded.errors, _failure(folder, file, error))
    collector = _Collector(loaded)
    for name, module in loaded.modules.items():
        collector.collect(files[name], module)
    return loaded


def _files(folder: str) -> dict[str, str]:
    """The files that answer, by module name, in the order of their names; a link that leads nowhere is one too."""
    names = sorted(name for name in os.listdir(folder) if name.endswith(".py") and name[0] not in "_.")
    paths = {_module_name(name[:-3]): os.path.join(folder, name) for name in names}
    return {name: path for name, path in paths.items() if not os.path.isdir(path)}


def _module_name(stem: str) -> str:
    """A dot in a module's name would make a package of it; U+2024 looks the same, and no two files become one."""
    return stem.replace(".", "\u2024")


class _Finder:
    """Finds the modules of one loaded folder, and of folders in it."""

    def __init__(self, package: str, folder: str) -> None:
        self.package = package
        self._folder = folder

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if not fullname.startswith(self.package + "."):
            return None
        name = fullname[len(self.package) + 1 :]
        file = _files(self._folder).get(name) or os.path.join(self._folder, *name.split(".")) + ".py"
        inside = None
        if os.path.isdir(file[:-3]) and not os.path.exists(file):
            inside = [file[:-3]]
            file = os.path.join(file[:-3], "__init__.py")
        if not os.path.lexists(file):
            return None
        return importlib.util.spec_from_file_location(
            fullname, file, loader=_Source(fullname, file), submodule_search_locations=inside
        )


class _Source(SourceFileLoader):
    """Reads the source each time. Python's cache goes by seconds and size, and an edit may change neither."""

    def get_code(self, fullname: str) -> CodeType:
        self.source = self.get_data(self.path)
        self.code: CodeType = self.source_to_code(self.source, self.path)
        return self.code


def _forget(package: str) -> None:
    sys.meta_path[:] = [
        finder for finder in sys.meta_path if not (isinstance(finder, _Finder) and finder.package == package)
    ]
    for name in [name for name in sys.modules if name == package or name.startswith(package + ".")]:
        del sys.modules[name]


class _Collector:
    """Makes rules of the marks in loaded modules."""

    def __init__(self, loaded: Loaded) -> None:
        self._loaded = loaded
        self._seen: set[int] = set()

    def collect(self, file: str, module: ModuleType) -> None:
        for name, line, first in _shadowed(module):
            self._error("WX-HND-03", file, line, "shadowed", name=name, first=first)
        for name, method in _methods(module):
            self._error("WX-HND-03", file, place(method, file)[1], "method", name=name)
        found = {id(value): value for value in vars(module).values() if marks_of(value)}
        for inner in _covered(module):
            if id(inner) not in found:
                self._error("WX-HND-03", file, place(inner, file)[1], "covered", name=inner.__name__)
        owners = {other.__name__ for other in self._loaded.modules.values()} - {module.__name__}
        # By line, but stable: functions that another module made are where they were assigned.
        for each in sorted(found.values(), key=lambda value: place(value, file)[1]):
            if each.__module__ not in owners and id(each) not in self._seen:
                self._seen.add(id(each))
                self._add(file, module, each)

    def _add(self, file: str, module: ModuleType, target: FunctionType) -> None:
        marks = marks_of(target)
        where, line = place(target, file)
        shown = _shown(self._loaded.folder, where)
        # What also answers messages cannot ask for an error there.
        only_errors = all(mark.kind == ERROR for mark in marks)
        try:
            answer = function(target, ERROR_ARGUMENTS if only_errors else ARGUMENTS)._replace(file=shown)
        except Misuse as misuse:
            self._error("WX-HND-02", where, line, misuse.reason, function=target.__name__, **misuse.values)
            return
        name = f"{module.__name__.rpartition('.')[2]}.{target.__name__}"
        for mark in marks:
            if mark.kind == ERROR:
                self._loaded.on_error.append(answer)
            else:
                self._loaded.rules.append(_rule(mark, answer, name, shown, line))

    def _error(self, code: str, file: str, line: int, reason: str, **values: object) -> None:
        self._loaded.errors.append(LoadError(code, _shown(self._loaded.folder, file), line, reason, **values))


def _rule(mark: Mark, answer: Function, name: str, file: str, line: int) -> Rule:
    level, kind, patterns, priority, hours, budget, busy = mark
    return Rule(level, kind, patterns, answer, name, file, line, priority, hours, budget, busy)


def place(target: Callable[..., object], file: str) -> tuple[str, int]:
    """Where a function stands; *file* and 0 where that cannot be said."""
    while hasattr(target, "__wrapped__"):
        target = target.__wrapped__
    code = getattr(target, "__code__", None)
    return (code.co_filename, code.co_firstlineno) if isinstance(code, CodeType) else (file, 0)


def _shadowed(module: ModuleType) -> list[tuple[str, int, int]]:
    """Marked functions that a later one of the same name hides: name, the later line, the earlier line."""
    loader = module.__loader__
    assert isinstance(loader, _Source)
    names = [each.co_name for each in loader.code.co_consts if isinstance(each, CodeType)]
    if len(names) == len(set(names)):
        return []
    from .shadowed import shadowed  # where names come twice: to read source takes three milliseconds of imports

    return shadowed(module, loader.source)


def _methods(module: ModuleType) -> Iterator[tuple[str, Callable[..., object]]]:
    """Marked functions in the module's classes: no message would ever reach them."""
    for name, value in vars(module).items():
        if isinstance(value, type) and value.__module__ == module.__name__:
            yield from ((f"{name}.{each}", function) for each, function in vars(value).items() if marks_of(function))


def _covered(module: ModuleType) -> Iterator[FunctionType]:
    """The module's marked functions that a decorator above their marks has put into something without any."""
    for value in vars(module).values():
        if not marks_of(value):
            yield from (each for each in _inside(value) if marks_of(each) and each.__module__ == module.__name__)


def _inside(value: object) -> Iterator[Any]:
    """What a closure, a ``partial`` or, say, an ``lru_cache`` holds."""
    for cell in (value.__closure__ or ()) if isinstance(value, FunctionType) else ():
        with suppress(ValueError):  # a cell may be empty
            yield cell.cell_contents
    if isinstance(value, partial):
        yield value.func
    with suppress(AttributeError):  # not all have attributes of their own
        yield object.__getattribute__(value, "__dict__").get("__wrapped__")


def _failure(folder: str, file: str, error: BaseException) -> LoadError:
    """Say where in the folder *error* came from: the innermost line that stands there."""
    inside = folder + os.sep
    where, line = file, 0
    for frame, number in traceback.walk_tb(error.__traceback__):
        if frame.f_code.co_filename.startswith(inside):
            where, line = frame.f_code.co_filename, number
    if isinstance(error, SyntaxError) and (error.filename or "").startswith(inside):
        where, line = str(error.filename), error.lineno or 1
    problem = _encoding(where) if isinstance(error, (SyntaxError, ValueError)) else None
    if problem is not None:
        return LoadError("WX-HND-01", _shown(folder, where), problem.line, problem.reason, **problem.values)
    if isinstance(error, Misuse):
        return LoadError("WX-HND-03", _shown(folder, where), line, error.reason, **error.values)
    return LoadError("WX-HND-01", _shown(folder, where), line, "raised", error=said(error))


def _encoding(file: str) -> ini.Problem | None:
    """What is wrong with the bytes of *file*, of which Python says next to nothing."""
    try:
        with open(file, "rb") as stream:
            source = stream.read()
        if not re.match(rb"(.*\n)?.*coding[:=]", source):  # PEP 263: it says what it is in
            source.decode()
    except UnicodeDecodeError as error:
        return ini.in_another_encoding(error)
    except OSError:
        pass
    return None


def _report(errors: list[LoadError], error: LoadError) -> None:
    """Add *error*, unless another file that imports the same one has met it."""
    if str(error) not in map(str, errors):
        errors.append(error)


def _shown(folder: str, file: str) -> str:
    """``handlers/weather.py``, however the folder was given."""
    inside = file.startswith(folder + os.sep)
    return os.path.basename(folder) + file[len(folder) :] if inside else file


def resolve(loaded: Loaded, name: str) -> Function:
    """Find ``module.function``; raise Misuse where there is none (``call``), or where its arguments are wrong."""
    stem, _, attribute = name.rpartition(".")
    module = loaded.modules.get(_module_name(stem))
    target = getattr(module, attribute, None)
    if module is None or not callable(target):
        known = [f"{stem}.{each}" for stem in loaded.modules for each in _functions(loaded.modules[stem])]
        words = f"there is no function {name} in the handlers"
        raise Misuse("call", words, key="call", call=name, hint=hint(name, known))
    file, _ = place(target, str(module.__file__))
    try:
        return function(target)._replace(file=_shown(loaded.folder, file))
    except (TypeError, ValueError) as error:
        if isinstance(error, Misuse):
            raise
        # Of what is written in C, inspect may not know the arguments.
        raise Misuse("call", f"nobody knows the arguments of {name}", key="call", call=name, hint="") from None


def _functions(module: ModuleType) -> list[str]:
    return [name for name, value in vars(module).items() if isinstance(value, FunctionType)]
