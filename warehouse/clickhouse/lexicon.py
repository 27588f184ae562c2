"""ClickHouse's words that a guarded statement may be made of; see `warehouse.guard_lexicon`."""

from __future__ import annotations

from warehouse.guard_lexicon import KEYWORDS, UNITS, Lexicon, words

CLICKHOUSE = Lexicon(
    keywords=words(
        KEYWORDS, "ILIKE FILTER FINAL PREWHERE ARRAY ANY SEMI ANTI ASOF GLOBAL FOR BOTH LEADING TRAILING"
    ),
    units=words(UNITS, "NANOSECOND"),
    not_names=words("ALL INF INFINITY NAN"),
    types=words(
        """Bool String FixedString UUID IPv4 IPv6 Date Date32 DateTime DateTime64 Enum8 Enum16 Int8 Int16
        Int32 Int64 Int128 Int256 UInt8 UInt16 UInt32 UInt64 UInt128 UInt256 Float32 Float64 Decimal
        Decimal32 Decimal64 Decimal128 Decimal256 Nullable LowCardinality Array Tuple Map"""
    ),
    higher_order=words(
        """arrayAll arrayAvg arrayCompact arrayCount arrayCumSum arrayCumSumNonNegative arrayDifference
        arrayExists arrayFill arrayFilter arrayFirst arrayFirstIndex arrayFirstOrNull arrayFold arrayLast
        arrayLastIndex arrayLastOrNull arrayMap arrayMax arrayMin arrayProduct arrayReverseFill
        arrayReverseSort arrayReverseSplit arraySort arraySplit arraySum mapAll mapApply mapExists
        mapFilter mapReverseSort mapSort"""
    ),
    # Such as sumIf and avgOrDefaultIf.
    combinators=("if", "ornull", "ordefault", "distinct", "array", "merge"),
    aggregates=words(
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
    functions=words(
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
