"""What the linker says to the asker, in the question's language."""

from __future__ import annotations

from datetime import datetime, timedelta

_TEXTS: dict[str, tuple[str, str]] = {
    "empty": ("The question is empty.", "问题是空的。"),
    "long": (
        "The question is {0} characters long; at most {1} are read. Say it shorter.",
        "问题有 {0} 个字符，最多读取 {1} 个，请缩短。",
    ),
    "language": (
        "The question is in a language that is not understood here; ask in English or Chinese.",
        "无法识别问题的语言，请用英文或中文提问。",
    ),
    "write": (
        "Only questions can be asked here: nothing is ever written, changed or deleted.",
        "这里只能提问：不会写入、修改或删除任何数据。",
    ),
    "why": (
        "Causes cannot be measured from this data; the figures themselves can be asked for.",
        "原因无法从这些数据中得出，但可以查询相关数字。",
    ),
    "predict": (
        "The future cannot be measured: only what has happened is in the data.",
        "无法预测未来：数据只包含已经发生的事情。",
    ),
    "future": ("The time asked for ({0}) lies in the future.", "所问的时间（{0}）在未来。"),
    "no_metric": ("No metric matches the question.", "没有与问题匹配的指标。"),
    "unlinked": ("Not understood: {0}.", "无法理解：{0}。"),
    "ambiguous_dimension": ("“{0}” may mean several things: {1}.", "“{0}”可能指多个维度：{1}。"),
    "ambiguous": ("“{0}” may mean several metrics: {1}.", "“{0}”可能指多个指标：{1}。"),
    "not_by": ("{0} cannot be split or filtered by {1}.", "{0}不能按{1}拆分或筛选。"),
    "no_common": ("{0} cannot be shown together.", "{0}不能放在一起查询。"),
    "grain": ("{0} is not known by {1}; the finest is by {2}.", "{0}没有按{1}的数据，最细到{2}。"),
    "periods": (
        "A change needs two periods: say which, for example this month and last month.",
        "变化需要两个时间段：请说明，例如本月与上月。",
    ),
    "three_periods": ("More than two periods were named.", "问题中的时间段多于两个。"),
    "top_per_period": (
        "The top {0} within each period cannot be asked at once; ask without “by {1}”.",
        "不能一次查询每个时间段的前{0}名，请去掉“按{1}”。",
    ),
    "weekday": (
        "Figures are not kept by the day of the week or hour of the day; days and weeks can be asked for.",
        "没有按星期几或一天中的时段统计的数据，可以按日或按周查询。",
    ),
    "window": (
        "Running totals are known of these only: {0}; rolling and moving figures are not known.",
        "只有以下指标有累计值：{0}；没有滚动和移动的数字。",
    ),
    "no_window": (
        "Running totals, rolling and moving figures are not known here.",
        "这里没有累计值、滚动和移动的数字。",
    ),
    "computed": (
        "Medians, percentiles, ratios, sums and differences are known only where one is a metric itself.",
        "中位数、分位数、比值和指标之间的加减只有本身是指标时才能查询。",
    ),
    "two_orders": (
        "Only one end can be ranked at once: ask for the highest and for the lowest one by one.",
        "一次只能按一端排名：请分别询问最高的和最低的。",
    ),
    "ranked_by": (
        "What is ranked or selected by {0} cannot be shown with another figure at once: ask for {0}.",
        "不能按{0}排名或筛选而显示另一个指标，请直接询问{0}。",
    ),
    "howto": (
        "Only figures can be asked for here, not how something is done.",
        "这里只能查询数字，不能询问操作方法。",
    ),
    "rank_what": (
        "Say what is to be ranked: for example countries, brands or categories.",
        "请说明对什么排名，例如国家、品牌或品类。",
    ),
    "count_values": (
        "How many different values of {0} there are is not a metric here.",
        "{0}有多少个不是这里的指标。",
    ),
    "per": ("{0} per {1} is not a metric here.", "这里没有每个{1}的{0}这一指标。"),
    "two_shapes": (
        "Only one of these can be asked at once: a share, an average per period, growth, a threshold, "
        "a comparison of two periods.",
        "占比、按时间段平均、增长、阈值、两个时间段的对比，一次只能问其中一项。",
    ),
    "threshold_group": (
        "A threshold needs something to list: say for example which countries or brands.",
        "阈值需要说明列出什么，例如哪些国家或品牌。",
    ),
    "threshold_unit": ("“{0}” is not in the unit of {1}.", "“{0}”与{1}的单位不一致。"),
    "share_of_none": (
        "{0} does not add up: the parts make no whole, so there are no shares of it.",
        "{0}不可相加，各部分合不成整体，没有占比。",
    ),
    "share_of_distinct": (
        "{0} counts each one once, and one may be in several parts: the parts need not add up to the whole, "
        "so there are no shares of it.",
        "{0}是去重计数，同一个可能属于多个部分，各部分之和不一定等于整体，没有占比。",
    ),
    "share_of_semi-additive": (
        "{0} does not add up over time, so there are no shares by time of it.",
        "{0}不可按时间相加，没有按时间的占比。",
    ),
    "share_group": (
        "Say of what the share is: by country, by category, or of one value such as China.",
        "请说明按什么计算占比：例如按国家、按品类，或某一个值（如中国）。",
    ),
    "average": (
        "Say over what to average a sum or a count: per hour, day, week, month or year.",
        "请说明按什么时间单位平均：每小时、每天、每周、每月或每年。",
    ),
    "average_over": (
        "the mean over each {0} for which there is data",
        "按有数据的每{0}平均",
    ),
    "growth_split": (
        "Growth from one period to the next can be shown for the whole only, not split.",
        "逐期增长只能查询整体，不能再拆分或排名。",
    ),
    "default_period": ("no period named: {0}", "未指明时间段：按{0}"),
    "range": ("{0} = {1} UTC", "{0} = {1}（UTC）"),
    "compare": ("compared with {0} UTC", "对比时间段：{0}（UTC）"),
    "all_time": ("no time named: all the data", "未指明时间：使用全部数据"),
    "begins": (
        "the data begins on {0}, so the earlier period is not whole",
        "数据始于 {0}，对比期不完整",
    ),
    "half": (
        "there is data up to {0}: a period that is not whole is compared with the one before",
        "数据截至 {0}：以不完整的时间段与前一时间段相比",
    ),
    "more": ("the first {0} are shown, there are more", "只显示前 {0} 项，还有更多"),
    "part": ("not whole: {0}", "不完整的时间段：{0}"),
    "part_from": ("{0} (from {1})", "{0}（自 {1} 起）"),
    "part_to": ("{0} (up to {1})", "{0}（截至 {1}）"),
    "part_between": ("{0} ({1} to {2})", "{0}（{1} 至 {2}）"),
    "part_now": ("{0} (so far)", "{0}（截至目前）"),
    "join": (", ", "、"),
    "of_whole": ("Of the whole {0}, ", "完整的{0}中，"),
    "of_any": ("Of those that have any, ", "在有记录的之中，"),
    "since": ("there is data from {0} on", "数据始于 {0}"),
    "running": ("there is data up to {0}", "数据截至 {0}"),
    "context": ("“{0}” was read as context, not as a figure asked for", "“{0}”被视为背景，不作为所问的指标"),
    "spelling": ("“{0}” was read as “{1}”", "“{0}”理解为“{1}”"),
    "ignored": ("left out, as it names nothing in the data: {0}", "已忽略无对应含义的词：{0}"),
    "value": ("“{0}” = {1} {2}", "“{0}” = {1} 为 {2}"),
    "chosen": ("“{0}” was read as {1}", "“{0}”理解为{1}"),
    "default_previous": ("compared with the period right before", "与紧邻的前一时间段相比"),
    "default_limit": ("ranked, the first {0} shown", "按大小排序，显示前 {0} 项"),
}
_GRAINS_ZH = {
    "second": "秒", "minute": "分钟", "hour": "小时", "day": "日", "week": "周", "month": "月",
    "quarter": "季度", "year": "年",
}  # fmt: skip


def say(key: str, language: str, *values: str) -> str:
    english, chinese = _TEXTS[key]
    return (chinese if language == "zh" else english).format(*values)


def grain_name(grain: str, language: str) -> str:
    return _GRAINS_ZH[grain] if language == "zh" else grain


def grains_name(grain: str, language: str) -> str:
    """The periods of a grain: months, 月份."""
    if language == "en":
        return f"{grain or 'period'}s"
    return {"month": "月份", "year": "年份", "day": "日期"}.get(grain) or _GRAINS_ZH.get(grain, "时间段")


def show_range(start: datetime, end: datetime) -> str:
    """A half-open range: dates where both ends are midnights, else minutes."""
    midnight = all(moment.hour == moment.minute == moment.second == 0 for moment in (start, end))
    pattern = "%Y-%m-%d" if midnight else "%Y-%m-%d %H:%M"
    if midnight and end - start == timedelta(days=1):
        return f"{start:%Y-%m-%d}"
    return f"{start.strftime(pattern)} .. {end.strftime(pattern)}"
