"""Marked functions of a handlers file that another one hides.

A newcomer copies ``def reply(msg)`` and changes what stands above it; Python keeps the last one only.
"""

from __future__ import annotations

import ast
from types import ModuleType

from .marks import On


def shadowed(module: ModuleType, source: bytes) -> list[tuple[str, int, int]]:
    """Find them in the *source* of a loaded *module*: name, the later line, the earlier line."""
    first: dict[str, int] = {}
    found: list[tuple[str, int, int]] = []
    for node in ast.parse(source).body:
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            continue
        if node.name in first:
            found.append((node.name, node.lineno, first[node.name]))
        if any(_is_ours(decorator, module) for decorator in node.decorator_list):
            first[node.name] = node.lineno
    return found


def _is_ours(decorator: ast.expr, module: ModuleType) -> bool:
    node: ast.AST = decorator
    while isinstance(node, (ast.Call, ast.Attribute)):
        node = node.func if isinstance(node, ast.Call) else node.value
    value = getattr(module, node.id, None) if isinstance(node, ast.Name) else None
    return isinstance(value, On) or isinstance(getattr(value, "on", None), On)
