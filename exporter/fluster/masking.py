"""What is shown or written down of texts that may hold secrets: variables of the environment, commands, addresses. Pure.

Nobody says which values are secret, so names and shapes are judged; where they leave a doubt, the value is hidden. All patterns are
linear in their input: they use possessive repetition, and begin only where a word begins.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import Final

__all__ = ["LONGEST", "MASK", "masked_command", "masked_start", "masked_text", "masked_value", "whole_words"]

MASK: Final = "***"
LONGEST: Final = 4096
"""Characters of a text that are judged where it is shown: patterns cost a millisecond for each KiB, and nobody reads more of them."""

_WORDS: Final = frozenset(
    [
        "auth",
        "bearer",
        "cert",
        "certs",
        "cred",
        "creds",
        "hmac",
        "jwt",
        "nonce",
        "otp",
        "pat",
        "pem",
        "pin",
        "priv",
        "private",
        "psk",
        "pw",
        "salt",
        "sas",
        "session",
        "sessions",
        "sig",
        "totp",
    ]
)
_ENDS: Final = ("key", "keys", "token", "tokens", "pass", "pwd", "auth", "cookie", "cookies", "dsn")
_PARTS: Final = (
    "passw", "passphrase", "passcode", "secret", "credential", "apikey", "privatekey", "authoriz", "authent", "certificate", "signature", "webhook",
    "connectionstring", "kennwort", "contrasena", "senha", "mnemonic", "seedphrase", "seedwords", "recoveryphrase",
)  # fmt: skip
"""Words of a name that make it a secret's: as a whole, as the end of a longer one (not as its beginning: TOKENIZERS, AUTHOR), anywhere in it."""
_HINT: Final = re.compile(
    "|".join(sorted({*_WORDS, *_ENDS, *_PARTS, "connection", "phrase", "seed"} - {"connectionstring"})), re.IGNORECASE
)
"""What is not in a name without a reason to look closer: most names of a text are none."""
_PLAIN_NAMES: Final = frozenset({"PWD", "OLDPWD"})
_PLAIN_KEYS: Final = frozenset(
    ["cache", "foreign", "group", "hot", "index", "join", "order", "partition", "primary", "row", "shard", "sort"]
)
"""Words before KEY that make it one of data, not of a lock."""
_PLAIN_WORD: Final = re.compile(r"[a-z]{1,12}(?:_[a-z]{1,12}){0,2}\d{0,2}", re.ASCII)
_SWITCH: Final = re.compile(r"true|false|yes|no|on|off|none|\d{1,2}", re.ASCII | re.IGNORECASE)
_TYPED: Final = frozenset(["nonce", "otp", "pin", "psk", "pw", "salt", "totp"])
"""What people type: as the last word of a name they make even a small number a secret."""
_SMALL: Final = 7
_NAME_WORD: Final = re.compile(r"[A-Z]++(?![a-z])|[A-Z]?[a-z]++|[A-Z]", re.ASCII)

_KNOWN: Final = re.compile(
    r"(?<![A-Za-z0-9])(?:"
    r"(?:AKIA|ASIA)[A-Z0-9]{12,}|gh[pousr]_[A-Za-z0-9]{10,}|github_pat_\w{10,}|glpat-[\w-]{10,}|xox[a-z]-[\w-]{8,}|xapp-[\w-]{8,}"
    r"|AIza[\w-]{20,}|ya29\.[\w-]{8,}|GOCSPX-[\w-]{8,}|sk-[\w-]{12,}|[spr]k_(?:live|test)_\w{8,}|hf_[A-Za-z0-9]{12,}|npm_[A-Za-z0-9]{12,}"
    r"|pypi-[\w-]{12,}|do[opr]_v1_\w{8,}|SG\.[\w-]{8,}[\w.-]*|shp(?:at|ca|pa|ss)_\w{8,}|hv[sb]\.[\w-]{8,}|eyJ[\w-]{8,}[\w.-]*"
    r"|hooks\.slack\.com/(?:services|workflows)/\S+|discord(?:app)?\.com/api/webhooks/\S+|bot\d{6,}:[\w-]{12,}"
    r"|(?:[Bb]earer|[Bb]asic) +[\w.~+/=-]{6,})",
    re.ASCII,
)
"""What services themselves mark as theirs; JWTs; addresses that are a password."""
_PRIVATE_BLOCK: Final = re.compile(r"-----BEGIN.*?(?:-----END[^-]*+-----|\Z)", re.DOTALL)
_NAME: Final = re.compile(r"(?<![\w.-])(-{0,2})([A-Za-z_][\w.-]*+)", re.ASCII)
_SIGN: Final = re.compile(r"""(\\{0,3}["']?)\s{0,8}(?:=>|:=|={1,2}|:{1,2}(?!//))\s{0,8}""", re.ASCII)
_GAP: Final = re.compile(r"\s{1,8}(?!--)(?=\S)", re.ASCII)
_VALUE: Final = re.compile(
    r"""(?:(?:bearer|basic|digest|token|negotiate|apikey)\s{1,8})?(?:"(?:[^"\\]|\\.)*+(?:"|\\?\Z)|'[^']*+(?:'|\Z)|\\.|\S)++""",
    re.ASCII | re.IGNORECASE | re.DOTALL,
)
"""What stands behind a name: a word with its quotes; one that is open, as in a text that was cut, goes on to the end."""
_LOGIN: Final = re.compile(r"(?<!\S)(-u|--user|--proxy-user)([\s=]{0,8})([^\s:=]++):\S++", re.ASCII)
_PAIR: Final = re.compile(
    r"""(?<![A-Za-z0-9])((?:login|basic)\s?[=:]\s?["']?[^\s:=/@"']++):(?!//)\S++""", re.ASCII | re.IGNORECASE
)
"""A user with a password under a name that has both."""
_RUN: Final = re.compile(r"[A-Za-z0-9+/=_.-]{12,}+", re.ASCII)
_PIECE: Final = re.compile(
    r"[A-Z]{0,12}[a-z]{0,24}(?:[A-Z][a-z]{2,24}){0,8}\d{0,4}|\d{1,20}|[A-Z]{1,24}\d{0,4}", re.ASCII
)
"""A word as people write them between separators."""
_PADDED: Final = re.compile(r"[A-Za-z0-9+/_-]{11,}={1,2}", re.ASCII)
_UUID: Final = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.ASCII | re.IGNORECASE)
_NUMBER: Final = re.compile(r"[+-]?\d{1,20}(?:\.\d{1,20})?(?:e[+-]?\d{1,3})?", re.ASCII | re.IGNORECASE)
_PATHS: Final = re.compile(r"(?:[.~]{0,2}/[a-z.][a-z.]++(?:/[^:\n]*+)?(?::|\Z))++\Z", re.ASCII)
_RANDOM_LENGTH: Final = 16


def masked_value(name: str, value: str) -> str | None:
    """`value` of the variable `name` as it may be shown; None where either of them looks like a secret's."""
    if _is_secret_name(name) and not _is_plain(name, value):
        return None
    if _PAIR.search(f"{name}={value}") or _is_secret_value(value):
        return None
    return value


def masked_text(text: str) -> str:
    """`text` with MASK for the user part of addresses, for what stands under a secret's name, and for known kinds of tokens.

    For bundle addresses and other single texts; a command is masked word by word, by masked_command().
    """
    if "-----BEGIN" in text:
        text = _PRIVATE_BLOCK.sub(MASK, text)
    if "://" in text:
        text = re.sub(r"\S++", lambda word: _without_users(word[0]), text)
    text = _LOGIN.sub(rf"\1\2\3:{MASK}", text)
    text = _PAIR.sub(rf"\1:{MASK}", text)
    text = _without_named(text)
    return _KNOWN.sub(MASK, text)


def masked_start(text: str) -> str:
    """masked_text() of a text that may be long: its first 4 KiB and a word about its length."""
    if len(text) <= LONGEST:
        return masked_text(text)
    return f"{masked_text(whole_words(text[:LONGEST]))}… (cut: {len(text):,} characters in all)"


def whole_words(cut: str) -> str:
    """What was cut anywhere, without the word that may go on behind it: half of an address could show what the whole of it would not."""
    return cut.rsplit(None, 1)[0] if len(cut.split(None, 1)) == 2 else ""


def masked_command(words: Sequence[str]) -> list[str]:
    """A command's words, as many as there are: `--token abc`, `--token=abc`, `TOKEN=abc` and `X-Token: abc` keep their names only."""
    masked = []
    before = ""
    for word in words:
        name, sign, rest = _named(word)
        if before.startswith("-") and "=" not in before and not word.startswith("--") and _is_secret_name(before):
            masked.append(MASK)
        elif before in {"-u", "--user", "--proxy-user"} and ":" in word and "://" not in word:
            masked.append(f"{word.partition(':')[0]}:{MASK}")
        elif rest and not (before == "-c" and re.search(r"\s", rest)) and _is_secret_name(name):
            masked.append(f"{name}{sign}{MASK}")
        else:
            masked.append(masked_text(word))
        before = word
    return masked


def _named(word: str) -> tuple[str, str, str]:
    """(name, sign, rest) of a word like `name=rest` or `Name: rest`; without a name all are empty."""
    found = re.match(r"(-{0,2}[A-Za-z_][\w.-]*+)(=|: ?(?!//))", word, re.ASCII)
    return (found[1], found[2], word[found.end() :]) if found else ("", "", "")


def _is_secret_name(name: str) -> bool:
    if not name.isascii():
        name = unicodedata.normalize("NFKC", name)
    if name in _PLAIN_NAMES or not _HINT.search(name):
        return False
    words = _words(name)
    joined = "".join(words)
    return (
        not _WORDS.isdisjoint(words)
        or any(word.endswith(_ENDS) for word in words)
        or any(part in joined for part in _PARTS)
    )


def _words(name: str) -> list[str]:
    return [word.lower() for word in _NAME_WORD.findall(name)]


def _is_plain(name: str, value: str) -> bool:
    """Is `value` none, whatever the secret's name promises: PIN_MEMORY=1, MAX_TOKENS=4096, SORT_KEY=name?"""
    words = _words(name)
    joined, last = "".join(words), words[-1] if words else ""
    if last in _TYPED or not name.isascii() or any(part in joined for part in _PARTS):
        return False
    if any(word == "pw" or word.endswith(("pass", "pwd")) for word in words):
        return False
    if _SWITCH.fullmatch(value):
        return True
    if len(value) <= _SMALL and _NUMBER.fullmatch(value):
        # Counts and sizes of them: TOKENS, KEY_SIZE, SESSION_TIMEOUT; not the thing itself.
        return last != "id" and (last.endswith(("tokens", "keys")) or not _is_secret_name(last))
    if len(words) < 2 or last != "key" or words[-2] not in _PLAIN_KEYS:
        return False
    return not _is_secret_name("_".join(words[:-2])) and bool(_PLAIN_WORD.fullmatch(value))


def _is_secret_value(value: str) -> bool:
    if _NUMBER.fullmatch(value):
        return False
    if masked_text(value) != value or _PADDED.fullmatch(value) or _UUID.search(value):
        return True
    # Below a plain first folder stand names of any kind: caches and stores are full of hashes.
    return not _PATHS.match(value) and any(map(_is_random, _RUN.findall(value)))


def _is_random(run: str) -> bool:
    """Has it so many characters in pieces that nobody writes, as keys and hashes do?"""
    odd = sum(len(piece) for piece in re.split(r"[+/=_.-]++", run) if not _PIECE.fullmatch(piece))
    return odd >= _RANDOM_LENGTH


def _without_named(text: str) -> str:
    """`text` without what stands under a secret's name: `name=value`, `"name": "value"`, `--name value`, `'Name: some value'`."""
    kept = []
    begin = at = 0
    while found := _NAME.search(text, at):
        at = found.end()
        if not _is_secret_name(found[2]):
            continue
        sign = _SIGN.match(text, at)
        gap = _GAP.match(text, at) if sign is None and found[1] else None
        if value := _value(text, found, sign, gap):
            kept += [text[begin : value[0]], MASK]
            begin = at = value[1]
    return "".join([*kept, text[begin:]]) if kept else text


def _value(
    text: str, name: re.Match[str], sign: re.Match[str] | None, gap: re.Match[str] | None
) -> tuple[int, int] | None:
    """Where the value of `name` begins and ends; None where it has none."""
    before = text[name.start() - 1 : name.start()]
    if sign is not None and before in {"'", '"'} and not sign[1]:
        end = text.find(before, sign.end())  # the name is quoted together with its value
        return sign.end(), len(text) if end < 0 else end
    if sign is not None and before in {"?", "&"}:
        end = sign.end()
        while end < len(text) and text[end] != "&" and not text[end].isspace():
            end += 1
        return sign.end(), end
    told = sign or gap
    found = _VALUE.match(text, told.end()) if told else None
    return (found.start(), found.end()) if found else None


def _without_users(word: str) -> str:
    """A word with addresses in it, without what stands before their @; a user alone is no secret to ssh."""
    scheme, *addresses = word.split("://")
    parts = [scheme]
    for address in addresses:
        authority = re.split("[/?#]", address, maxsplit=1)[0]
        # A password with a raw slash goes on behind what looks like a port.
        end = (address if ":" in authority else authority).rfind("@")
        plain = parts[-1].endswith(("ssh", "sftp", "rsync")) and ":" not in address[: max(end, 0)]
        parts.append(address if end < 0 or plain else f"{MASK}{address[end:]}")
    return "://".join(parts)
