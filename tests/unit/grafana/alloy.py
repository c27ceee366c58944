"""Reads an Alloy configuration: blocks, attributes and the few kinds of expressions that ours has. Anything else is an error."""

import re
from dataclasses import dataclass, field

TOKEN = re.compile(r'\s*(?://[^\n]*\s*)*(?:(?P<string>"(?:[^"\\\n]|\\.)*")|(?P<number>\d+)|(?P<name>[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)|(?P<sign>[{}\[\]()=,+])|(?P<end>\Z))')  # fmt: skip


@dataclass
class Reference:
    """`loki.write.loki.receiver`: an export of a component."""

    component: tuple[str, str]
    export: str


@dataclass
class Block:
    kind: str
    label: str
    values: dict = field(default_factory=dict)
    blocks: list["Block"] = field(default_factory=list)

    def one(self, kind):
        (found,) = (each for each in self.blocks if each.kind == kind)
        return found


class Reader:
    def __init__(self, text, environment, hostname="here"):
        self._tokens = list(self._split(text))
        self._at = 0
        self._environment = environment
        self._hostname = hostname

    def _split(self, text):
        at = 0
        while True:
            match = TOKEN.match(text, at)
            assert match, f"not a token: {text[at : at + 40]!r}"
            yield match.lastgroup, match[match.lastgroup]
            if match.lastgroup == "end":
                return
            at = match.end()

    def _next(self, *wanted):
        kind, text = self._tokens[self._at]
        assert not wanted or kind in wanted or text in wanted, f"{text!r} where {wanted} belongs"
        self._at += 1
        return text

    def _is(self, text):
        return self._tokens[self._at][1] == text

    def body(self, block, end=""):
        while not self._is(end):
            name = self._next("name")
            if self._is("="):
                self._next()
                assert name not in block.values, f"{name} twice"
                block.values[name] = self.expression()
                continue
            label = self._string() if self._tokens[self._at][0] == "string" else ""
            self._next("{")
            block.blocks.append(self.body(Block(name, label), "}"))
        self._next()
        return block

    def expression(self):
        value = self._term()
        while self._is("+"):
            self._next()
            value += self._term()
        return value

    def _string(self):
        return self._next("string")[1:-1].replace('\\"', '"')

    def _term(self):
        kind, text = self._tokens[self._at]
        if kind == "string":
            return self._string()
        self._next("number", "name", "[", "{")
        if kind == "number":
            return int(text)
        if text == "[":
            return self._list("]", self.expression)
        if text == "{":
            return dict(self._list("}", self._pair))
        if self._is("("):
            self._next()
            return self._call(text, self._list(")", self.expression))
        return self._named(text)

    def _pair(self):
        key = self._string() if self._tokens[self._at][0] == "string" else self._next("name")
        self._next("=")
        return key, self.expression()

    def _list(self, end, item):
        found = []
        while not self._is(end):
            found.append(item())
            if not self._is(end):
                self._next(",")
        self._next()
        return found

    def _call(self, function, arguments):
        if function == "sys.env":
            return self._environment.get(*arguments, "")
        assert function == "coalesce", function
        return next((each for each in arguments if each), arguments[-1])

    def _named(self, name):
        known = {"true": True, "false": False, "constants.hostname": self._hostname}
        if name in known:
            return known[name]
        component, label, export = name.rsplit(".", 2)
        return Reference((component, label), export)


def read_alloy(text, environment):
    """The components by kind and label. A reference to what does not exist is an error."""
    root = Reader(text, environment).body(Block("", ""))
    components = {(each.kind, each.label): each for each in root.blocks}
    assert len(components) == len(root.blocks), "a component twice"
    exports = {"local.file_match": "targets", "loki.process": "receiver", "loki.write": "receiver"}
    for block in root.blocks:
        for value in block.values.values():
            for each in value if isinstance(value, list) else [value]:
                if isinstance(each, Reference):
                    assert each.component in components, each
                    assert each.export == exports[each.component[0]], each
    return components
