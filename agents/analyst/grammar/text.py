"""Questions as units that can be matched: words in Latin script, single characters in Chinese."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cache, lru_cache

from cn2an import cn2an
from opencc import OpenCC

CJK = "\u3400-\u4dbf\u4e00-\u9fff"
SYMBOLS = "%$€£¥,、;"
_WORDS = rf"[{CJK}]|[a-zÀ-ɏ]+|\d+(?:[.,]\d+)*|[{SYMBOLS}]"
_UNIT = re.compile(_WORDS)
# What only parts or quotes words is a pause. A minus before a number, a dash between two, a letter of another
# script and every other sign say something.
_PAUSES = r"""\s.!?。:'"“”‘’‚„«»‹›「」『』《》〈〉()\[\]【】〔〕…—–―·・`_¿¡~\\-"""
_MARKED = re.compile(rf"{_WORDS}|[^\W\d_]+|(?<![a-z{CJK}])[-~](?=\d)|[^\w{_PAUSES}]")
_UNKNOWN = re.compile(r"[^\W\d_]")
_CHINESE = re.compile("[的是呢吗多少几哪各每按和与比从到不有了最月周]")
_ENGLISH = re.compile(
    r"\b(?:the|of|from|for|in|by|with|how|what|which|each|was|were|did|does)\b", re.IGNORECASE
)
_SMALL = (
    "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen twenty"
)
_TENS = "thirty forty fifty sixty seventy eighty ninety hundred"
_NUMBERS_EN = {word: number for number, word in enumerate(_SMALL.split(), 1)} | {
    word: 10 * number for number, word in enumerate(_TENS.split(), 3)
}
# Two digits side by side are two numbers: 一二月 are two months, 三五天 is three to five days. cn2an would
# read 12, 35 and, of 三四百五, 750.
_NO_NUMBER_ZH = re.compile("[一二两三四五六七八九]{2}|^[零〇].")

NUMBER_EN = rf"(?:\d+|{'|'.join(_NUMBERS_EN)})"
# All of its characters or none: 三分之一 holds no three, 一半 no one, 几百 no hundred and 1.5万 no five.
NUMBER_ZH = (
    r"(?:(?<![\d.几数])(?>\d+|[零〇一二两三四五六七八九十百千万亿]+)(?!分之|[千万亿几余半]|\.\d|多(?!的)))"
)


@dataclass(frozen=True)
class Unit:
    """A word or a character; `key` is what is compared, `start` and `end` are offsets in the folded text."""

    key: str
    text: str
    start: int
    end: int

    @property
    def chinese(self) -> bool:
        return "\u3400" <= self.text[:1] <= "\u9fff"


def fold(text: str) -> str:
    """Half-width, lower case, simplified, with joined names (`tool_failures`) as words; offsets stay."""
    normal = "".join(
        folded if len(folded := unicodedata.normalize("NFKC", char)) == 1 else char for char in text
    )
    normal = normal.translate(_simplified())
    lowered = "".join(char.lower() if len(char.lower()) == 1 else char for char in normal)
    return re.sub(r"(?<=[a-z0-9])_(?=[a-z0-9])", " ", lowered).replace("’", "'")


@cache
def _simplified() -> dict[int, str]:
    """Traditional characters, one for one: what a word is does not depend on who writes it."""
    converter = OpenCC("t2s")
    shown = (
        (ord(char), converter.convert(char))
        for char in map(chr, (*range(0x3400, 0x4DC0), *range(0x4E00, 0xA000)))
    )
    return {at: char for at, char in shown if len(char) == 1 and at != ord(char)}


def units(folded: str, *, marked: bool = False) -> list[Unit]:
    """The units of a folded text, in order; `marked`: with every sign that is no pause."""
    spaced = re.sub(r"'s(?![a-z])", "  ", folded)
    return [
        Unit(stem(unaccented(match.group())), match.group(), match.start(), match.end())
        for match in (_MARKED if marked else _UNIT).finditer(spaced)
        # Accents on their own and what joins emoji belong to what is before them.
        if unicodedata.category(match.group()[0]) not in ("Mn", "Me", "Cf")
    ]


def written_as(phrase: str) -> list[list[Unit]]:
    """The units of a name, with its signs and without: Tops & Tees, tops tees."""
    folded = fold(phrase)
    plain, marked = units(folded), units(folded, marked=True)
    return [plain] if len(plain) == len(marked) or not plain else [plain, marked]


@lru_cache(maxsize=20_000)
def unaccented(word: str) -> str:
    """São as Sao."""
    if word.isascii():
        return word
    return "".join(char for char in unicodedata.normalize("NFKD", word) if not unicodedata.combining(char))


@lru_cache(maxsize=50_000)
def keys(phrase: str) -> tuple[str, ...]:
    """A phrase as the keys of its units; the possessive 的 is left out, as it may be in a question."""
    return tuple(unit.key for unit in units(fold(phrase)) if unit.key != "的")


@lru_cache(maxsize=20_000)
def stem(word: str) -> str:
    """A light English stem (plurals, -ed, -ing, failure → fail), alike on both sides of a match."""
    if len(word) <= 3 or not word.isascii() or not word.isalpha():
        return word
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("sses", "shes", "ches", "xes")):
        return word[:-2]
    if word.endswith("s") and not word.endswith(("ss", "us", "is")):
        word = word[:-1]
    if word.endswith("ure") and len(word) >= 7:
        return word[:-3]
    for suffix in ("ing", "ed"):
        root = word.removesuffix(suffix)
        if root != word and len(root) >= 4:
            return root[:-1] if root[-1] == root[-2] and root[-1] not in "ls" else root.rstrip("e")
    return word.rstrip("e") if len(word) > 4 else word


def number(text: str) -> int | None:
    """A whole number in digits, English words or Chinese characters; None for what is no number or two."""
    if text.isdigit():
        return int(text)
    if text in _NUMBERS_EN:
        return _NUMBERS_EN[text]
    if _NO_NUMBER_ZH.search(text):
        return None
    try:
        # 百 alone is a hundred where it is counted by: 前百名.
        return int(cn2an(f"一{text}" if text.startswith(("百", "千", "万", "亿")) else text, "normal"))
    except (ValueError, KeyError):
        return None


def language(text: str) -> str:
    """`en` or `zh` by script, empty for a text that is neither (another script, or no letters at all)."""
    chinese = len(re.findall(f"[{CJK}]", text))
    latin = len(re.findall(r"[A-Za-z]+", text))
    others = [char for char in _UNKNOWN.findall(text) if not re.match(rf"[{CJK}A-Za-zÀ-ɏ]", char)]
    if len(others) > (chinese + sum(len(word) for word in re.findall(r"[A-Za-z]+", text))) / 4:
        return ""
    if not chinese and not latin:
        return ""
    # A name or two are written in the other script: revenue of 上海青浦仓, North 站的 rides.
    if chinese >= 2 * latin or not chinese:
        return "zh" if chinese else "en"
    return "zh" if not _ENGLISH.search(text) and (chinese > 4 or _CHINESE.search(text)) else "en"
