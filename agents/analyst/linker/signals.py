"""The words of a question that are no names: grain, rank, order, change, comparison, negation, filler."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from agents.analyst.grammar.text import NUMBER_EN, NUMBER_ZH, number, stem

SignalKind = Literal[
    "grain", "number", "order", "change", "versus", "previous", "year_ago", "mark", "not", "and", "of",
    "stop", "refuse", "share", "average", "threshold",
]  # fmt: skip


@dataclass(frozen=True)
class Signal:
    """`text` refines the kind: a unit, high/low, abs/up/down, why/predict/write. `superlative`: of an order.

    A threshold's `text` is its comparison, `value` and `unit` (ratio, USD, days, ms or empty) its figure.
    """

    kind: SignalKind
    text: str = ""
    number: int | None = None
    superlative: bool = False
    value: float = 0.0
    unit: str = ""


@dataclass(frozen=True)
class SignalMatch:
    start: int
    end: int
    signal: Signal


_UNITS_EN = r"(second|minute|hour|day|week|month|quarter|year)"
_UNITS_ZH = {
    "秒": "second", "分钟": "minute", "小时": "hour", "日": "day", "天": "day", "周": "week", "星期": "week",
    "月": "month", "月份": "month", "月度": "month", "季度": "quarter", "季": "quarter",
    "年": "year", "年度": "year",
    "年份": "year", "日期": "day",
}  # fmt: skip
_ZH = "(" + "|".join(sorted(_UNITS_ZH, key=len, reverse=True)) + ")"
_ADVERBS = {
    "hourly": "hour", "daily": "day", "weekly": "week", "monthly": "month", "quarterly": "quarter",
    "yearly": "year", "annual": "year", "annually": "year", "date": "day", "time": "auto",
}  # fmt: skip
_HIGH = r"most|highest|largest|biggest|greatest|maximum|max|best|top|leading|peak"
_LOW = r"least|lowest|smallest|fewest|minimum|min|worst|bottom"

_FIXED: tuple[tuple[str, Signal], ...] = (
    (r"\b(?:(?:what |the )?(?:share|proportion|percentage|percent|fraction)s?(?: of(?: (?:the )?total)?)?|"
     r"as an? (?:share|percentage|proportion) of(?: (?:the )?total)?|contributions?(?: to)?)\b",
     Signal("share")),
    (r"占比(?:情况)?|所占(?:的)?(?:比例|比重|份额|百分比)|比重|份额|百分比|百分之(?:多少|几)|占|的?比例",
     Signal("share")),
    (r"\b(?:on average|average|avg|mean)\b|平均", Signal("average")),
    (r"\b(?:up or down|increas(?:e|ed|ing) or decreas(?:e|ed|ing)|better or worse)\b|涨还是跌|增还是减",
     Signal("change", "abs")),
    (r"\b(?:trends?|trending|over time|time series|evolution|evolve[ds]?|develop(?:ed|ment))\b",
     Signal("grain", "auto")),
    (r"(?:变化)?(?:趋势|走势)图?|随时间(?:的?变化)?", Signal("grain", "auto")),
    (rf"\b(?:{_HIGH})\b", Signal("order", "high", superlative=True)),
    (rf"\b(?:{_LOW})\b", Signal("order", "low", superlative=True)),
    (r"最(?:高|大|多|好|强|佳|贵)|第一名?|居首", Signal("order", "high", superlative=True)),
    (r"最(?:低|小|少|差|弱)|垫底|倒数第一", Signal("order", "low", superlative=True)),
    (r"\b(?:rank(?:ed|ing|ings)?|desc(?:ending)?|order(?:ed)? by|sort(?:ed)? by|sort(?:ed)?)\b",
     Signal("order", "high")),
    (r"排名|排行榜?|排序|降序|从高到低|由高到低|从大到小|从多到少", Signal("order", "high")),
    (r"\b(?:highest|largest|biggest|most) first\b", Signal("order", "high")),
    (r"\b(?:lowest|smallest|least|fewest) first\b", Signal("order", "low")),
    (r"\basc(?:ending)?\b|升序|从低到高|由低到高|从小到大", Signal("order", "low")),
    (r"\b(?:chang(?:e|es|ed|ing)|differences?|differ(?:s|ed)?|delta)\b", Signal("change", "abs")),
    (r"变化|变动|波动|差异|差别|差距", Signal("change", "abs")),
    (r"\b(?:change rate|percent(?:age)? change)\b|变化率|变化幅度|变动幅度", Signal("change", "abs_rate")),
    (r"\b(?:grew|grow|grows|grown|growing|growth|increas(?:e|es|ed|ing)|rose|rise|rises|risen|"
     r"gain(?:ed|s)?)\b",
     Signal("change", "up")),
    (r"增长|上升|增加|上涨|提升|增幅|涨幅", Signal("change", "up")),
    (r"\b(?:growth rate|(?:grew|growing|grown) (?:the )?fastest|fastest[ -]growing|"
     r"percent(?:age)? (?:growth|increase))\b",
     Signal("change", "up_rate", superlative=True)),
    (r"增长率|增速|增长最快|增长幅度", Signal("change", "up_rate", superlative=True)),
    (r"\b(?:declin(?:e|es|ed|ing)|fell|falls?|fallen|drop(?:ped|s)?|decreas(?:e|es|ed|ing)|shrank|shrunk)\b",
     Signal("change", "down")),
    (r"下降|减少|下滑|下跌|降低|跌幅|降幅", Signal("change", "down")),
    (r"\b(?:versus|vs\.?|compared? (?:to|with|against|between)|compared?|comparison(?: of| between)?|"
     r"comparing|against"
     r"|relative to|than|difference between)\b", Signal("versus")),
    (r"相比(?:较|于)?(?:之下)?|相较于?|对比|比较|比|较(?=上|去|前|昨)", Signal("versus")),
    (r"\b(?:(?:compared (?:to|with)|versus|vs\.?|from|over|against|than) )?(?:the )?"
     r"(?:previous|prior|preceding) "
     r"(?:period|one)\b|\bperiod[- ]over[- ]period\b", Signal("previous")),
    (r"\b(?:month[- ](?:over|on)[- ]month|mom)\b|\bthe month before\b", Signal("previous", "month")),
    (r"\b(?:quarter[- ](?:over|on)[- ]quarter|qoq)\b|\bthe quarter before\b", Signal("previous", "quarter")),
    (r"\b(?:week[- ](?:over|on)[- ]week|wow)\b|\bthe week before\b", Signal("previous", "week")),
    (r"\b(?:day[- ](?:over|on)[- ]day|dod)\b|\bthe day before\b(?! yesterday)", Signal("previous", "day")),
    (r"环比|(?:与|和|较|比)?(?:上期|上一期|上个周期|前一期)(?:相比)?", Signal("previous")),
    (r"\b(?:(?:compared (?:to|with)|versus|vs\.?|against|than) )?"
     r"(?:year[- ](?:over|on)[- ]year|yoy|(?:the )?same "
     r"(?:period|month|quarter|week|day|time)(?: of)?(?: the)? (?:last|previous) year|"
     r"a year (?:ago|earlier|before))\b",
     Signal("year_ago")),
    (r"同比|(?:与|和|较|比)?(?:去年|上年)同期(?:相比)?", Signal("year_ago")),
    (r"\b(?:split by|broken down by|break(?:down|ing down)? by|grouped by|group by|for each|for every|"
     r"in each|by each|"
     r"by|per|each|every|which|what|across|among|different|individual|breakdown)\b", Signal("mark")),
    (r"按照?|每一?(?:个|种|家|款|位|类)?|各(?:个|种|家|类)?|哪(?:些|一?个|种|几个|家|款|位|类|"
     r"一)?|不同|分(?=[^销])",
     Signal("mark")),
    (r"\b(?:not(?: in| from)?|excluding|exclude|except(?: for)?|without|other than|"
     r"outside(?: of)?|apart from)\b",
     Signal("not")),
    (r"除去?了?|不含|不包括|不包含|排除|剔除|非", Signal("not")),
    (r"\b(?:and|or|plus|as well as|along with|both)\b|以及|及其|并且|和|与|及|跟|或者?|还有", Signal("and")),
    (r"\bof\b|的", Signal("of")),
    (r"\bwhy\b|\breasons?\b|\bcauses?\b|\bexplain\b|为什么|为何|原因", Signal("refuse", "why")),
    (r"\b(?:days? of (?:the )?week|weekdays?|(?:hours?|time) of (?:the )?day|months? of (?:the )?year)\b"
     r"|星期几|周几|几点钟?|哪个时段", Signal("refuse", "weekday")),
    (r"\b(?:medians?|percentiles?|quantiles?|variance|deviation|ratio|minus|subtract\w*|divided by|"
     r"multipl\w+|less(?! than\b))\b|中位数|中值|分位数?|百分位|方差|标准差|比值|减去|加上|除以|乘以",
     Signal("refuse", "computed")),
    (r"\b(?:running|rolling|moving|cumulative)\b|累计|累积|滚动|移动平均", Signal("refuse", "window")),
    (r"^\s*how (?:do|can|should|could) i\b|^\s*how to\b|^如何", Signal("refuse", "howto")),
    (r"\b(?:forecast\w*|predict\w*|project(?:ed|ion|ions)|expected|will)\b|预测|预计|预期|展望",
     Signal("refuse", "predict")),
    (r"^\s*(?:please )?(?:drop(?! in)|delete|truncate|insert|update(?! me)|alter|grant|revoke|"
     r"rename|remove)\b",
     Signal("refuse", "write")),
    (r"\b(?:drop|truncate|alter|create) (?:the )?(?:table|view|database|user)s?\b|\bdelete from\b"
     r"|\binsert into\b"
     r"|\bdrop all\b|删除|清空|修改|更新|插入|写入|删掉|改成", Signal("refuse", "write")),
)  # fmt: skip

_STOP_EN = frozenset(
    """
    a an the is are was were be been being am do does did doing done have has had having i we us our
    ours you your it its they their them there this that these those me my please show shows give gives
    list tell display get got find see view want wants know would could can should like need needs
    report reports figure figures number numbers total totals overall amount amounts count sum value
    values in on at for from to with within during over as how many much who when where whole entire all
    full company business data stats statistics current currently so far up now then here also just only
    what's whats let lets look looking take takes took taking go goes going happen happens happened come
    comes came coming make makes made making place placed places between chart plot graph draw visualize
    visualise summary summarize summarise overview break down split breakdown per respectively hello hi
    hey thanks thank okay ok any some into across through out level levels performance perform performed
    performs according terms detail details result results question answer really exactly roughly about
    something kind kinds type types group groups grouped period periods range s t m re ve if at's had
    using use uses used earn earns earned saw seen sees stand stands each own compute calculate
    calculated measured measure generated generate generates bring brought brings platform store shop
    site system ones one's been other's recorded record calendar utc pls u mind telling table tabular pie bar
    dashboard
    """.replace('"', "").split()
)
_STOP_ZH = frozenset(
    re.findall(
        r"\w+",
        """
        请问 请 帮我 帮忙 帮 麻烦 告诉我 告诉 给我 给出 我们的 我们 咱们 我 想要 想 要
        知道 了解 查询 查看 查一下 查 看看 看一下 看 显示 展示 列出 统计 计算 一下 是多少
        有多少 多少 是什么 什么 是哪 是 有 了 呢 吗 吧 啊 呀 在 中 里面 里 内 被 情况
        数据 数值 一共 总共 总计 合计 总 共 怎么样 怎样 如何 怎么 分别 各自 它们 他们
        公司 平台 对于 对 于 从 来自 由 为 以 时候 期间 时间 时间段 分析 来看 来 都 还
        也 就 那 这 个 名 位 及其 过 发生 出现 使用 用 所有 全部 整体 整个 目前 当前
        现在 进行 按时间 之间 间 所 者 将 图表 图 画 报告 报表 一 几 谁 拆分 划分 分组
        分布 细分 维度 角度 排在 位于 到 其中 其 最近的 最近 前面 方面 的话 结果 大概
        大约 具体 哪里 产生 带来 贡献 实现 达到 为止 每 各 以来 之外 以外 除外 外 而言
        说 汇总 明细 总体 累计到现在 有关 关于 水平 表现 数字 花费了 花了 用了 有哪些 哪些
        时 性 度 量 数 消耗 耗费 发展 柱状图 条形图 饼图 折线图 表格
        """,
    )
)
_PATTERNS = tuple((re.compile(pattern), signal) for pattern, signal in _FIXED)
_BUILT: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], Signal | None]], ...] = (
    (re.compile(rf"\b(?:by|per|each|every|for each|in each|a|which|what|"
                rf"group(?:ed)? by) (?:the )?(?:calendar )?{_UNITS_EN}s?\b"),
     lambda m: Signal("grain", m[1])),
    (re.compile(rf"\b{_UNITS_EN} by \1\b"), lambda m: Signal("grain", m[1])),
    (re.compile(rf"\b{_UNITS_EN}s?\b"), lambda m: Signal("grain", m[1])),
    (re.compile(r"\b(?:by |on a |per )?(hourly|daily|weekly|monthly|quarterly|yearly|annually|"
                r"annual)\b(?: basis)?"),
     lambda m: Signal("grain", _ADVERBS[m[1]])),
    (re.compile(r"\bby (date|time)\b"), lambda m: Signal("grain", _ADVERBS[m[1]])),
    (re.compile(rf"(?:按照?|每一?个?|各个?|逐|分|以|哪一?个?|哪些|按每个?){_ZH}(?:来看|统计|汇总|划分|分组|"
                rf"为单位)?"),
     lambda m: Signal("grain", _UNITS_ZH[m[1]])),
    (re.compile(r"(日|天|周|月|季|年)均"), lambda m: Signal("average", _UNITS_ZH[m[1]])),
    (re.compile(rf"平均每个?{_ZH}|每个?{_ZH}平均"), lambda m: Signal("average", _UNITS_ZH[m[1] or m[2]])),
    (re.compile(r"\b(?:average|avg|mean) (hourly|daily|weekly|monthly|quarterly|yearly|annual)\b"),
     lambda m: Signal("average", _ADVERBS[m[1]])),
    (re.compile(r"逐?(小时|日|周|月|季|年)度"), lambda m: Signal("grain", _UNITS_ZH[m[1]])),
    (re.compile(r"(月份|日期|年份)"), lambda m: Signal("grain", _UNITS_ZH[m[1]])),
    (re.compile(rf"\b(?:the )?(?:top|best|leading|highest|largest|biggest)[ -]+({NUMBER_EN})\b"),
     lambda m: _ranked("high", m[1])),
    (re.compile(rf"\b(?:the )?(?:bottom|worst|lowest|smallest)[ -]+({NUMBER_EN})\b"),
     lambda m: _ranked("low", m[1])),
    (re.compile(rf"\b({NUMBER_EN}) (?:{_HIGH})\b"),
     lambda m: _ranked("high", m[1])),
    (re.compile(rf"\b({NUMBER_EN}) (?:{_LOW})\b"),
     lambda m: _ranked("low", m[1])),
    (re.compile(rf"(?:排名|排行)?(?:前|top ?)({NUMBER_ZH})(?:个|名|位|大|家|种|款)?"),
     lambda m: _ranked("high", m[1])),
    (re.compile(rf"(?:排名|排行)?(?:后|倒数第?|末|最后)({NUMBER_ZH})(?:个|名|位|家|种|款)?"),
     lambda m: _ranked("low", m[1])),
    (re.compile(rf"({NUMBER_ZH})(?:个|名|位|家|种|款|大)"), lambda m: _counted(m[1])),
    (re.compile(rf"\b({NUMBER_EN})\b"), lambda m: _counted(m[1])),
)  # fmt: skip


def find(folded: str) -> list[SignalMatch]:
    """Every signal of a folded text; they may overlap."""
    found = [
        SignalMatch(match.start(), match.end(), signal)
        for pattern, signal in _PATTERNS
        for match in pattern.finditer(folded)
    ]
    found += [
        SignalMatch(match.start(), match.end(), signal)
        for pattern, build in _BUILT
        for match in pattern.finditer(folded)
        if (signal := build(match))
    ]
    return found


def _ranked(way: str, said: str) -> Signal | None:
    count = number(said)
    return Signal("order", way, count, superlative=True) if count else None


def _counted(said: str) -> Signal | None:
    count = number(said)
    return None if count is None else Signal("number", number=count)


def is_stop(text: str) -> bool:
    """Whether an English word says nothing about what is asked."""
    return text in _STOP_EN


def is_function_word(text: str) -> bool:
    """Whether an English word has a use of its own in a question, so that a value so named must stand out."""
    return text in _STOP_EN or text in (
        "plus",
        "other",
        "others",
        "both",
        "most",
        "best",
        "top",
        "will",
        "may",
    )


def chinese_stops(folded: str) -> list[tuple[int, int]]:
    """Offsets of Chinese filler, at every position where one begins."""
    longest = max(map(len, _STOP_ZH))
    return [
        (start, end)
        for start in range(len(folded))
        for end in range(start + 1, min(len(folded), start + longest) + 1)
        if folded[start:end] in _STOP_ZH
    ]


def quality_forms(word: str) -> tuple[str, ...]:
    """The ways in which a metric's word for high or low is said: slow, slower, slowest; 慢, 最慢, 慢的."""
    if not word.isascii():
        return (f"最{word}", word)
    shorter = word.removesuffix("e")
    forms = [word, f"{shorter}est", f"{shorter}er", f"{word}{word[-1]}est", f"{word}{word[-1]}er"]
    if word.endswith("y"):
        forms += [f"{word[:-1]}iest", f"{word[:-1]}ier"]
    return tuple(forms)


def is_said(words: Iterable[str], said: str) -> bool:
    """Whether what was said (slowest) is a form of one of a metric's words for high or low (slow)."""
    return any(said in quality_forms(word) for word in words)


def is_superlative(form: str) -> bool:
    return form.startswith("最") or form.endswith("est") or stem(form) == "most"
