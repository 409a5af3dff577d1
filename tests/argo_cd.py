"""Argo CD's side of `examples/gitops/argo-cd`: Lua 5.1, with nothing but the functions that are always there."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import yaml
from lupa import lua51

_FILE = Path(__file__).parent.parent / "examples" / "gitops" / "argo-cd" / "argocd-cm.yaml"
_CALL = """
function(code, obj)
  local script = assert(loadstring(code))
  setfenv(script, {obj = obj, ipairs = ipairs, pairs = pairs, type = type, tostring = tostring})
  return script()
end
"""

Json = dict[str, Any]


def health(found: Json) -> tuple[str, str]:
    """The health of an object as Argo CD shows it, and its message."""
    said = _run(_data()[f"resource.customizations.health.firelift.dev_{found['kind']}"], found)
    return said["status"], said["message"]


def actions(found: Json) -> dict[str, bool]:
    """Which actions there are, and whether they can be chosen."""
    discovered = _run(_actions(found)["discovery.lua"], found)
    return {name: not action.get("disabled", False) for name, action in discovered.items()}


def act(found: Json, name: str) -> Json:
    """The object as the action leaves it."""
    (definition,) = (each for each in _actions(found)["definitions"] if each["name"] == name)
    changed: Json = _lists_again(_run(definition["action.lua"], found), found)
    return changed


def kinds() -> set[str]:
    """Those that have a health."""
    return {key.rpartition("_")[2] for key in _data() if ".health." in key}


def _actions(found: Json) -> Json:
    parsed: Json = yaml.safe_load(_data()[f"resource.customizations.actions.firelift.dev_{found['kind']}"])
    return parsed


@cache
def _data() -> dict[str, str]:
    data: dict[str, str] = yaml.safe_load(_FILE.read_text())["data"]
    return data


def _run(code: str, found: Json) -> Any:
    lua = lua51.LuaRuntime(unpack_returned_tuples=True)
    call: Any = lua.eval(_CALL)
    return _python(call(code, _table(lua, found)))


def _table(lua: lua51.LuaRuntime, value: Any) -> Any:
    if isinstance(value, dict):
        return lua.table_from({key: _table(lua, each) for key, each in value.items() if each is not None})
    return lua.table_from([_table(lua, each) for each in value]) if isinstance(value, list | tuple) else value


def _python(value: Any) -> Any:
    if lua51.lua_type(value) != "table":
        return value
    found = {key: _python(each) for key, each in value.items()}
    return list(found.values()) if found and all(isinstance(key, int) for key in found) else found


def _lists_again(changed: Any, before: Any) -> Any:
    """What Argo CD does with a script's answer: Lua has one empty table, which was a list where the object had one."""
    if isinstance(changed, dict) and isinstance(before, list) and not changed:
        return []
    if isinstance(changed, dict) and isinstance(before, dict):
        return {name: _lists_again(each, before.get(name)) for name, each in changed.items()}
    if isinstance(changed, list) and isinstance(before, list):
        known = before[: len(changed)] + [None] * (len(changed) - len(before))
        return [_lists_again(*pair) for pair in zip(changed, known, strict=True)]
    return changed
