# SPDX-License-Identifier: MIT
"""Hold what --probe --json prints against the schema in doc/."""

import json
import pathlib
import re

DOCUMENT = (pathlib.Path(__file__).resolve().parents[3] / "doc" /
            "probe-schema.md")
SCHEMA = json.loads(re.search(
    r"```json\n(.*?)```", DOCUMENT.read_text(), re.DOTALL).group(1))

# The members of other_port, by their place in the schema.
_names = list(SCHEMA["properties"])
_endpoint = _names[_names.index("server"):_names.index("authenticated") + 1]
SCHEMA["properties"]["other_port"]["properties"] = {
    name: SCHEMA["properties"][name] for name in _endpoint}

TYPES = {"object": dict, "array": list, "string": str, "integer": int,
         "boolean": bool, "null": type(None)}


def errors(value, schema=SCHEMA, where="$"):
    """What is wrong, a sentence each."""
    if "enum" in schema:
        return [] if value in schema["enum"] else [f"{where} is {value!r}"]
    kinds = schema["type"]
    kinds = kinds if isinstance(kinds, list) else [kinds]
    if type(value) not in [TYPES[kind] for kind in kinds]:
        return [f"{where} is a {type(value).__name__}"]
    found = []
    if isinstance(value, list):
        for i, item in enumerate(value):
            found += errors(item, schema["items"], f"{where}[{i}]")
    if isinstance(value, dict):
        for name in value.keys() ^ schema["properties"].keys():
            found.append(f"{where}.{name} is on one side only")
        for name in value.keys() & schema["properties"].keys():
            found += errors(value[name], schema["properties"][name],
                            f"{where}.{name}")
    return found
