"""What a guarded statement may be made of: kinds of nodes, their clauses, and words, as exact lists.

What is on no list is refused, so that what a new version of the parser or of the engine brings is refused
until somebody has read what it does. A function is listed when its result depends on its arguments alone
(clocks and `rand` apart) and it reads nothing: no table, file, dictionary, setting, user or server. Those
that take another function by its name (`arrayReduce`) or a type (`accurateCast`) in a text are not listed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


def words(*families: str) -> frozenset[str]:
    """The words of some texts, case folded."""
    return frozenset(word.casefold() for word in _names(*families))


def _names(*families: str) -> frozenset[str]:
    return frozenset(name for family in families for name in family.split())


@dataclass(frozen=True)
class Lexicon:
    """One engine's words, case folded.

    `functions` are followed by a parenthesis, `keywords` may be, `units` and `types` are written bare too.
    The names of `aggregates` may be followed by `combinators`, one after another. `higher_order` functions
    take a lambda first when they have more than one argument. `not_names` are read as names by the parser and
    as something else by the engine.
    """

    functions: frozenset[str]
    types: frozenset[str]
    keywords: frozenset[str]
    units: frozenset[str]
    aggregates: frozenset[str] = frozenset()
    combinators: tuple[str, ...] = ()
    higher_order: frozenset[str] = frozenset()
    not_names: frozenset[str] = frozenset()

    def calls(self, word: str) -> bool:
        """Whether the word may stand before a parenthesis as the name of a function or a type."""
        word = word.casefold()
        if word in self.functions or word in self.higher_order or word in self.types:
            return True
        while word not in self.aggregates:
            suffix = next((one for one in self.combinators if word.endswith(one)), "")
            if not suffix:
                return False
            word = word.removesuffix(suffix)
        return True


KEYWORDS = """
    SELECT DISTINCT ON AS FROM WHERE GROUP BY HAVING QUALIFY WINDOW ORDER ASC DESC NULLS FIRST LAST LIMIT
    OFFSET WITH UNION ALL EXCEPT INTERSECT REPLACE JOIN LEFT RIGHT FULL INNER OUTER CROSS USING AND OR NOT
    IN LIKE ESCAPE BETWEEN IS NULL TRUE FALSE EXISTS CASE WHEN THEN ELSE END CAST INTERVAL EXTRACT OVER
    PARTITION ROWS RANGE UNBOUNDED PRECEDING FOLLOWING CURRENT ROW IGNORE RESPECT ROLLUP CUBE GROUPING SETS
"""
UNITS = "MICROSECOND MILLISECOND SECOND MINUTE HOUR DAY WEEK MONTH QUARTER YEAR"

# The parser's classes of nodes, for all dialects: what each prints as is judged by the words above.
NODES = _names(
    """
    Select Subquery Union Except Intersect With CTE From Table TableAlias Join Unnest Final PreWhere Where
    Group Having Qualify Order Ordered Limit Offset Distinct Rollup Cube GroupingSets Window WindowSpec
    Filter IgnoreNulls RespectNulls

    Alias Boolean Bracket Cast Column DataType DataTypeParam Dot Identifier Interval JSONPath JSONPathKey
    JSONPathRoot JSONPathSubscript Lambda Literal Null Paren PropertyEQ RawString Star TryCast Tuple Var Add
    And Between Case DPipe Div EQ Escape Exists GT GTE ILike If In IntDiv Is LT LTE Like Mod Mul NEQ Neg Not
    NullSafeEQ Or RegexpLike Sub Xor

    Anonymous AnonymousAggFunc CombinedAggFunc CombinedParameterizedAgg NetFunc ParameterizedAgg SafeFunc

    AnyValue ApproxDistinct ApproxQuantiles ApproxTopK ApproxTopSum ArgMax ArgMin ArrayAgg ArrayConcatAgg
    Avg BitwiseAndAgg BitwiseOrAgg BitwiseXorAgg Corr Count CountIf CovarPop CovarSamp CumeDist DenseRank
    FirstValue GroupConcat Grouping Lag LastValue Lead LogicalAnd LogicalOr Max Min NthValue Ntile
    PercentRank PercentileCont PercentileDisc Quantile Rank RegrCount RegrIntercept RegrR2 RegrSlope
    RowNumber Stddev StddevPop StddevSamp Sum Variance VariancePop

    Abs Acos Acosh Asin Asinh Atan Atan2 Atanh Cbrt Ceil Coalesce Cos Cosh CosineDistance Degrees Exp
    Factorial Floor Greatest IsInf IsNan Least Ln Log Nullif ParseBignumeric ParseNumeric Pi Pow Radians
    Rand RangeBucket Round SafeAdd SafeDivide SafeMultiply SafeNegate SafeSubtract Sign Sin Sinh Sqrt Tan
    Tanh Trunc Uuid

    CurrentDate CurrentDatetime CurrentTime CurrentTimestamp Date DateAdd DateDiff DateFromParts
    DateFromUnixDate DateSub DateTrunc Datetime DatetimeAdd DatetimeDiff DatetimeSub DatetimeTrunc Day
    DayOfMonth DayOfWeek DayOfWeekIso DayOfYear Extract GenerateDateArray GenerateTimestampArray Hour
    LastDay Minute Month Monthname ParseDatetime ParseTime Quarter Second StrToDate StrToTime Time TimeAdd
    TimeDiff TimeFromParts TimeSub TimeToStr TimeTrunc Timestamp TimestampAdd TimestampDiff
    TimestampFromParts TimestampSub TimestampTrunc TsOrDsToDate TsOrDsToDatetime TsOrDsToTime
    TsOrDsToTimestamp UnixDate UnixMicros UnixMillis UnixSeconds UnixToTime Week WeekOfYear WeekStart Year
    YearOfWeekIso

    Ascii ByteLength Chr CityHash64 Concat ConcatWs Contains EndsWith FarmFingerprint Format FromBase64 Hex
    Host Initcap JSONExtract JSONExtractArray JSONExtractScalar JSONFormat JSONType JSONValueArray
    JarowinklerSimilarity Left Length Levenshtein Lower LowerHex MD5Digest Normalize Overlay Pad ParseJSON
    RegDomain RegexpCount RegexpExtract RegexpExtractAll RegexpInstr RegexpReplace RegexpSplit Repeat
    Replace Reverse Right SHA SHA1Digest SHA2 SHA2Digest Soundex Space Split StartsWith StrPosition
    Substring SubstringIndex ToBase64 Translate Trim Unhex Upper

    Array ArrayCompact ArrayConcat ArrayContains ArrayDistinct ArrayExcept ArrayFilter ArrayMax ArrayMin
    ArrayReverse ArraySize ArraySlice ArraySum ArrayToString Explode Flatten GenerateSeries Struct Transform
    VarMap
    """
)

# The clauses that a node may have; those of the other kinds of nodes are their operands and arguments.
CLAUSES: Mapping[str, frozenset[str]] = {
    kind: frozenset(clauses.split())
    for kind, clauses in {
        "Select": "with_ expressions distinct from_ joins prewhere where group having qualify windows order"
        " limit offset",
        "Subquery": "this alias with_",
        "Union": "with_ this expression distinct order limit offset",
        "Except": "with_ this expression distinct order limit offset",
        "Intersect": "with_ this expression distinct order limit offset",
        "With": "expressions",
        "CTE": "this alias scalar",
        "From": "this",
        "Table": "this db catalog alias",
        "TableAlias": "this columns",
        "Final": "this",
        "Join": "this on side kind method global_ using expressions",
        "PreWhere": "this",
        "Where": "this",
        "Group": "expressions grouping_sets cube rollup all",
        "Having": "this",
        "Qualify": "this",
        "Order": "this expressions",
        "Ordered": "this desc nulls_first",
        "Limit": "this expression expressions",
        "Offset": "expression",
        "Distinct": "expressions on",
        "Window": "this partition_by order spec alias over",
        "WindowSpec": "kind start start_side end end_side",
        "Filter": "this expression",
        "Star": "except_ replace",
        "In": "this expressions query unnest is_global",
        "Exists": "this",
        "Cast": "this to",
        "Identifier": "this quoted",
    }.items()
}
