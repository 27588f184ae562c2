"""What a guarded statement may be made of: kinds of nodes, their clauses, and words, as exact lists.

What is on no list is refused, so that what a new version of the parser or of the engine brings is refused
until somebody has read what it does. A function is listed when its result depends on its arguments alone
(clocks and `rand` apart) and it reads nothing: no table, file, dictionary, setting, user or server. Those
that take another function by its name (`arrayReduce`) or a type (`accurateCast`) in a text are not listed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

# Combinators that may follow the name of a ClickHouse aggregate, one after another: sumIf, avgOrDefaultIf.
COMBINATORS = ("if", "ornull", "ordefault", "distinct", "array", "merge")


def _words(*families: str) -> frozenset[str]:
    return frozenset(word.casefold() for word in _names(*families))


def _names(*families: str) -> frozenset[str]:
    return frozenset(name for family in families for name in family.split())


@dataclass(frozen=True)
class Lexicon:
    """One dialect's words, case folded.

    `functions` are followed by a parenthesis, `keywords` may be, `units` and `types` are written bare too.
    `aggregates` may carry combinators. `higher_order` functions take a lambda first when they have more than
    one argument. `not_names` are read as names by the parser and as something else by the engine.
    """

    functions: frozenset[str]
    aggregates: frozenset[str]
    higher_order: frozenset[str]
    types: frozenset[str]
    keywords: frozenset[str]
    units: frozenset[str]
    not_names: frozenset[str]

    def calls(self, word: str) -> bool:
        """Whether the word may stand before a parenthesis as the name of a function or a type."""
        word = word.casefold()
        if word in self.functions or word in self.higher_order or word in self.types:
            return True
        while word not in self.aggregates:
            suffix = next((one for one in COMBINATORS if self.aggregates and word.endswith(one)), "")
            if not suffix:
                return False
            word = word.removesuffix(suffix)
        return True


_KEYWORDS = """
    SELECT DISTINCT ON AS FROM WHERE GROUP BY HAVING QUALIFY WINDOW ORDER ASC DESC NULLS FIRST LAST LIMIT
    OFFSET WITH UNION ALL EXCEPT INTERSECT REPLACE JOIN LEFT RIGHT FULL INNER OUTER CROSS USING AND OR NOT
    IN LIKE ESCAPE BETWEEN IS NULL TRUE FALSE EXISTS CASE WHEN THEN ELSE END CAST INTERVAL EXTRACT OVER
    PARTITION ROWS RANGE UNBOUNDED PRECEDING FOLLOWING CURRENT ROW IGNORE RESPECT ROLLUP CUBE GROUPING SETS
"""
_UNITS = "MICROSECOND MILLISECOND SECOND MINUTE HOUR DAY WEEK MONTH QUARTER YEAR"

CLICKHOUSE = Lexicon(
    keywords=_words(
        _KEYWORDS, "ILIKE FILTER FINAL PREWHERE ARRAY ANY SEMI ANTI ASOF GLOBAL FOR BOTH LEADING TRAILING"
    ),
    units=_words(_UNITS, "NANOSECOND"),
    not_names=_words("ALL INF INFINITY NAN"),
    types=_words(
        """Bool String FixedString UUID IPv4 IPv6 Date Date32 DateTime DateTime64 Enum8 Enum16 Int8 Int16
        Int32 Int64 Int128 Int256 UInt8 UInt16 UInt32 UInt64 UInt128 UInt256 Float32 Float64 Decimal
        Decimal32 Decimal64 Decimal128 Decimal256 Nullable LowCardinality Array Tuple Map"""
    ),
    higher_order=_words(
        """arrayAll arrayAvg arrayCompact arrayCount arrayCumSum arrayCumSumNonNegative arrayDifference
        arrayExists arrayFill arrayFilter arrayFirst arrayFirstIndex arrayFirstOrNull arrayFold arrayLast
        arrayLastIndex arrayLastOrNull arrayMap arrayMax arrayMin arrayProduct arrayReverseFill
        arrayReverseSort arrayReverseSplit arraySort arraySplit arraySum mapAll mapApply mapExists
        mapFilter mapReverseSort mapSort"""
    ),
    aggregates=_words(
        """any anyHeavy anyLast any_value argMax argMin avg avgWeighted boundingRatio count corr corrStable
        covarPop covarPopStable covarSamp covarSampStable deltaSum deltaSumTimestamp entropy
        exponentialMovingAverage first_value groupArray groupArrayLast groupArrayMovingAvg
        groupArrayMovingSum groupArraySample groupArraySorted groupBitAnd groupBitOr groupBitXor
        groupConcat groupUniqArray intervalLengthSum kurtPop kurtSamp last_value max maxIntersections
        maxIntersectionsPosition maxMap median medianExact medianTDigest min minMap quantile quantileDD
        quantileDeterministic quantileExact quantileExactExclusive quantileExactHigh
        quantileExactInclusive quantileExactLow quantileExactWeighted quantileInterpolatedWeighted
        quantileTDigest quantileTDigestWeighted quantileTiming quantileTimingWeighted quantiles
        quantilesDD quantilesExact quantilesExactExclusive quantilesExactHigh quantilesExactInclusive
        quantilesExactLow quantilesExactWeighted quantilesTDigest quantilesTDigestWeighted
        quantilesTiming quantilesTimingWeighted rankCorr retention sequenceCount sequenceMatch
        simpleLinearRegression singleValueOrNull skewPop skewSamp stddevPop stddevPopStable stddevSamp
        stddevSampStable stddev_pop stddev_samp stddev studentTTest sum sumCount sumKahan sumMap
        sumWithOverflow topK topKWeighted uniq uniqCombined uniqCombined64 uniqExact uniqHLL12 uniqUpTo
        varPop varPopStable varSamp varSampStable var_pop var_samp welchTTest windowFunnel regr_slope
        regr_intercept regr_r2 regr_count""",
    ),
    functions=_words(
        # windows
        """cume_dist denseRank dense_rank grouping lag lagInFrame lead leadInFrame nth_value ntile
        percentRank percent_rank rank row_number""",
        # logic, comparison, conditions, nulls
        """and or xor not equals notEquals greater greaterOrEquals less lessOrEquals isDistinctFrom
        isNotDistinctFrom if multiIf clamp greatest least assumeNotNull coalesce ifNull isNotNull isNull
        isZeroOrNull nullIf toNullable like notLike ilike notILike""",
        # arithmetic, mathematics, rounding, bits
        """abs avg2 byteSwap divide divideDecimal divideOrNull gcd ifNotFinite intDiv intDivOrNull
        intDivOrZero isFinite isInfinite isNaN lcm max2 min2 minus mod modOrNull modulo moduloOrNull
        moduloOrZero multiply multiplyDecimal negate plus positiveModulo acos acosh asin asinh atan atan2
        atanh cbrt cos cosh degrees e erf erfc exp exp10 exp2 factorial hypot intExp10 intExp2 lgamma ln
        log log10 log1p log2 pi pow power proportionsZTest radians sigmoid sign sin sinh sqrt tan tanh
        tgamma widthBucket rand rand32 rand64 randCanonical ceil ceiling floor round roundAge
        roundBankers roundDown roundDuration roundToExp2 trunc truncate bitAnd bitCount bitNot bitOr
        bitShiftLeft bitShiftRight bitTest bitXor""",
        # dates and times
        """addDate addDays addHours addInterval addMicroseconds addMilliseconds addMinutes addMonths
        addNanoseconds addQuarters addSeconds addWeeks addYears age changeDay changeHour changeMinute
        changeMonth changeSecond changeYear curdate current_date current_timestamp dateAdd date_add
        dateDiff date_diff dateName dateSub date_sub dateTrunc date_trunc day dayOfMonth dayOfWeek
        dayOfYear formatDateTime formatDateTimeInJodaSyntax fromUnixTimestamp fromUnixTimestamp64Micro
        fromUnixTimestamp64Milli fromUnixTimestamp64Nano hour last_day makeDate makeDate32 makeDateTime
        makeDateTime64 minute month monthName now now64 parseDateTime parseDateTime32BestEffort
        parseDateTime32BestEffortOrNull parseDateTime64BestEffort parseDateTime64BestEffortOrNull
        parseDateTimeBestEffort parseDateTimeBestEffortOrNull parseDateTimeBestEffortOrZero
        parseDateTimeInJodaSyntax parseDateTimeOrNull parseDateTimeOrZero quarter second subDate
        subtractDays subtractHours subtractInterval subtractMicroseconds subtractMilliseconds
        subtractMinutes subtractMonths subtractNanoseconds subtractQuarters subtractSeconds subtractWeeks
        subtractYears timeDiff timeSlot timeSlots timestamp timestamp_add timestamp_diff timestamp_sub
        timestampAdd timestampDiff timestampSub toDayOfMonth toDayOfWeek toDayOfYear toDaysInMonth toHour
        toISOWeek toISOYear toIntervalDay toIntervalHour toIntervalMicrosecond toIntervalMillisecond
        toIntervalMinute toIntervalMonth toIntervalNanosecond toIntervalQuarter toIntervalSecond
        toIntervalWeek toIntervalYear toLastDayOfMonth toLastDayOfWeek toMillisecond toMinute toMonday
        toMonth toQuarter toRelativeDayNum toRelativeHourNum toRelativeMinuteNum toRelativeMonthNum
        toRelativeQuarterNum toRelativeSecondNum toRelativeWeekNum toRelativeYearNum toSecond
        toStartOfDay toStartOfFifteenMinutes toStartOfFiveMinute toStartOfFiveMinutes toStartOfHour
        toStartOfISOYear toStartOfInterval toStartOfMicrosecond toStartOfMillisecond toStartOfMinute
        toStartOfMonth toStartOfNanosecond toStartOfQuarter toStartOfSecond toStartOfTenMinutes
        toStartOfWeek toStartOfYear toTime toTimeZone toUnixTimestamp toUnixTimestamp64Micro
        toUnixTimestamp64Milli toUnixTimestamp64Nano toWeek toYYYYMM toYYYYMMDD toYYYYMMDDhhmmss toYear
        toYearWeek today week year yesterday""",
        # conversion
        """toBool toDate toDate32 toDate32OrDefault toDate32OrNull toDate32OrZero toDateOrDefault
        toDateOrNull toDateOrZero toDateTime toDateTime32 toDateTime64 toDateTime64OrDefault
        toDateTime64OrNull toDateTime64OrZero toDateTimeOrDefault toDateTimeOrNull toDateTimeOrZero
        toDecimal128 toDecimal128OrDefault toDecimal128OrNull toDecimal128OrZero toDecimal256
        toDecimal256OrNull toDecimal32 toDecimal32OrDefault toDecimal32OrNull toDecimal32OrZero
        toDecimal64 toDecimal64OrDefault toDecimal64OrNull toDecimal64OrZero toDecimalString
        toFixedString toFloat32 toFloat32OrDefault toFloat32OrNull toFloat32OrZero toFloat64
        toFloat64OrDefault toFloat64OrNull toFloat64OrZero toInt128 toInt128OrNull toInt16
        toInt16OrDefault toInt16OrNull toInt16OrZero toInt256 toInt32 toInt32OrDefault toInt32OrNull
        toInt32OrZero toInt64 toInt64OrDefault toInt64OrNull toInt64OrZero toInt8 toInt8OrDefault
        toInt8OrNull toInt8OrZero toLowCardinality toString toUInt128 toUInt16 toUInt16OrDefault
        toUInt16OrNull toUInt16OrZero toUInt256 toUInt32 toUInt32OrDefault toUInt32OrNull toUInt32OrZero
        toUInt64 toUInt64OrDefault toUInt64OrNull toUInt64OrZero toUInt8 toUInt8OrDefault toUInt8OrNull
        toUInt8OrZero toUUID toUUIDOrNull toUUIDOrZero toIPv4 toIPv6 IPv4NumToString IPv4StringToNum
        reinterpretAsInt64 reinterpretAsString reinterpretAsUInt64""",
        # texts
        """appendTrailingCharIfAbsent ascii base64Decode base64Encode basename char char_length concat
        concatWithSeparator concat_ws convertCharset countMatches countMatchesCaseInsensitive
        countSubstrings countSubstringsCaseInsensitive damerauLevenshteinDistance editDistance
        editDistanceUTF8 empty endsWith extract extractAll extractAllGroupsHorizontal
        extractAllGroupsVertical extractGroups firstLine format formatReadableDecimalSize
        formatReadableQuantity formatReadableSize formatReadableTimeDelta hasSubsequence hasToken
        hasTokenCaseInsensitive hex initcap initcapUTF8 jaroSimilarity jaroWinklerSimilarity lcase left
        leftPad leftPadUTF8 leftUTF8 length lengthUTF8 levenshteinDistance locate lower lowerUTF8 lpad
        ltrim match matchCaseInsensitive multiMatchAny multiMatchAnyIndex multiSearchAllPositions
        multiSearchAny multiSearchAnyCaseInsensitive multiSearchFirstIndex multiSearchFirstPosition
        ngramDistance ngramSearch ngrams normalizeUTF8NFC normalizeUTF8NFKC notEmpty notMatch overlay
        position positionCaseInsensitive positionCaseInsensitiveUTF8 positionUTF8 printf regexpExtract
        regexpQuoteMeta regexp_extract regexp_replace repeat replace replaceAll replaceOne
        replaceRegexpAll replaceRegexpOne reverse reverseUTF8 right rightPad rightPadUTF8 rightUTF8 rpad
        rtrim soundex space splitByChar splitByNonAlpha splitByRegexp splitByString splitByWhitespace
        startsWith substr substring substringIndex substringUTF8 tokens toValidUTF8 transform translate
        translateUTF8 trim trimBoth trimLeft trimRight ucase unhex upper upperUTF8 arrayStringConcat
        isValidUTF8""",
        # addresses
        """cutFragment cutQueryString cutQueryStringAndFragment cutToFirstSignificantSubdomain
        cutURLParameter cutWWW decodeURLComponent domain domainWithoutWWW encodeURLComponent
        extractURLParameter extractURLParameterNames extractURLParameters firstSignificantSubdomain
        fragment path pathFull port protocol queryString queryStringAndFragment topLevelDomain""",
        # JSON
        """JSONExtract JSONExtractArrayRaw JSONExtractBool JSONExtractFloat JSONExtractInt JSONExtractKeys
        JSONExtractKeysAndValues JSONExtractRaw JSONExtractString JSONExtractUInt JSONHas JSONKey
        JSONLength JSONType JSON_EXISTS JSON_QUERY JSON_VALUE isValidJSON simpleJSONExtractBool
        simpleJSONExtractFloat simpleJSONExtractInt simpleJSONExtractRaw simpleJSONExtractString
        simpleJSONExtractUInt simpleJSONHas toJSONString visitParamExtractBool visitParamExtractFloat
        visitParamExtractInt visitParamExtractRaw visitParamExtractString visitParamExtractUInt
        visitParamHas""",
        # arrays, maps, tuples
        """array arrayConcat arrayDistinct arrayDotProduct arrayElement arrayElementOrNull arrayEnumerate
        arrayEnumerateDense arrayEnumerateUniq arrayExcept arrayFlatten arrayIntersect arrayJoin
        arrayPopBack arrayPopFront arrayPushBack arrayPushFront arrayResize arrayReverse arrayRotateLeft
        arrayRotateRight arrayShiftLeft arrayShiftRight arraySlice arrayUnion arrayUniq arrayWithConstant
        arrayZip countEqual emptyArrayString flatten has hasAll hasAny hasSubstr indexOf range map mapAdd
        mapConcat mapContains mapContainsKey mapContainsKeyLike mapContainsValue mapFromArrays mapKeys
        mapSubtract mapUpdate mapValues tuple tupleConcat tupleElement dotProduct L1Distance
        L2Distance cosineDistance""",
        # hashes, bitmaps, places, identifiers
        """MD5 SHA1 SHA224 SHA256 SHA512 cityHash64 farmHash64 halfMD5 intHash32 intHash64 javaHash
        murmurHash2_32 murmurHash2_64 murmurHash3_32 murmurHash3_64 murmurHash3_128 sipHash64 sipHash128
        xxHash32 xxHash64 CRC32 bitmapBuild bitmapCardinality bitmapContains bitmapToArray geoDistance
        greatCircleDistance pointInEllipses geohashEncode geohashDecode bar""",
    ),
)

BIGQUERY = Lexicon(
    keywords=_words(_KEYWORDS, "STRUCT UNNEST AT TIME ZONE BOTH LEADING TRAILING"),
    units=_words(
        _UNITS,
        """DAYOFWEEK DAYOFYEAR ISOWEEK ISOYEAR DATE TIME SUNDAY MONDAY TUESDAY WEDNESDAY THURSDAY FRIDAY
        SATURDAY CURRENT_DATE CURRENT_TIMESTAMP CURRENT_DATETIME""",
    ),
    types=_words(
        """BOOL BYTES DATE DATETIME FLOAT64 INT64 INTERVAL JSON NUMERIC BIGNUMERIC STRING TIME TIMESTAMP
        ARRAY STRUCT"""
    ),
    not_names=frozenset(),
    higher_order=frozenset(),
    aggregates=frozenset(),
    functions=_words(
        # aggregates and windows
        """ANY_VALUE APPROX_COUNT_DISTINCT APPROX_QUANTILES APPROX_TOP_COUNT APPROX_TOP_SUM ARRAY_AGG
        ARRAY_CONCAT_AGG AVG BIT_AND BIT_OR BIT_XOR CORR COUNT COUNTIF COUNT_IF COVAR_POP COVAR_SAMP
        GROUPING LOGICAL_AND LOGICAL_OR MAX MAX_BY MIN MIN_BY STDDEV STDDEV_POP STDDEV_SAMP STRING_AGG
        SUM VARIANCE VAR_POP VAR_SAMP CUME_DIST DENSE_RANK FIRST_VALUE LAG LAST_VALUE LEAD NTH_VALUE
        NTILE PERCENTILE_CONT PERCENTILE_DISC PERCENT_RANK RANK ROW_NUMBER""",
        # conditions, conversion, mathematics
        """COALESCE IF IFNULL NULLIF GREATEST LEAST SAFE_CAST PARSE_NUMERIC PARSE_BIGNUMERIC ABS ACOS ASIN
        ATAN ATAN2 CBRT CEIL CEILING COS DIV EXP FLOOR IEEE_DIVIDE IS_INF IS_NAN LN LOG LOG10 MOD POW
        POWER RAND RANGE_BUCKET ROUND SAFE_ADD SAFE_DIVIDE SAFE_MULTIPLY SAFE_NEGATE SAFE_SUBTRACT SIGN
        SIN SQRT TAN TRUNC""",
        # dates and times
        """CURRENT_DATE CURRENT_DATETIME CURRENT_TIME CURRENT_TIMESTAMP DATE DATETIME DATETIME_ADD
        DATETIME_DIFF DATETIME_SUB DATETIME_TRUNC DATE_ADD DATE_DIFF DATE_FROM_UNIX_DATE DATE_SUB
        DATE_TRUNC FORMAT_DATE FORMAT_DATETIME FORMAT_TIME FORMAT_TIMESTAMP GENERATE_DATE_ARRAY
        GENERATE_TIMESTAMP_ARRAY LAST_DAY PARSE_DATE PARSE_DATETIME PARSE_TIME PARSE_TIMESTAMP TIME
        TIMESTAMP TIMESTAMP_ADD TIMESTAMP_DIFF TIMESTAMP_MICROS TIMESTAMP_MILLIS TIMESTAMP_SECONDS
        TIMESTAMP_SUB TIMESTAMP_TRUNC TIME_ADD TIME_DIFF TIME_SUB TIME_TRUNC UNIX_DATE UNIX_MICROS
        UNIX_MILLIS UNIX_SECONDS WEEK""",
        # texts, JSON, arrays, hashes
        """ASCII BYTE_LENGTH CHAR_LENGTH CONCAT CONTAINS_SUBSTR EDIT_DISTANCE ENDS_WITH FORMAT FROM_BASE64
        INITCAP INSTR LEFT LENGTH LOWER LPAD LTRIM NORMALIZE REGEXP_CONTAINS REGEXP_EXTRACT
        REGEXP_EXTRACT_ALL REGEXP_INSTR REGEXP_REPLACE REPEAT REPLACE REVERSE RIGHT RPAD RTRIM SOUNDEX
        SPLIT STARTS_WITH STRPOS SUBSTR SUBSTRING TO_BASE64 TO_HEX TRANSLATE TRIM UPPER JSON_EXTRACT
        JSON_EXTRACT_ARRAY JSON_EXTRACT_SCALAR JSON_QUERY JSON_QUERY_ARRAY JSON_TYPE JSON_VALUE
        JSON_VALUE_ARRAY PARSE_JSON TO_JSON TO_JSON_STRING ARRAY ARRAY_CONCAT ARRAY_LENGTH ARRAY_REVERSE
        ARRAY_TO_STRING GENERATE_ARRAY OFFSET ORDINAL SAFE_OFFSET SAFE_ORDINAL FARM_FINGERPRINT MD5 SHA1
        SHA256 SHA512 GENERATE_UUID NET.HOST NET.PUBLIC_SUFFIX NET.REG_DOMAIN""",
    ),
)

LEXICONS: Mapping[str, Lexicon] = {"clickhouse": CLICKHOUSE, "bigquery": BIGQUERY}

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
