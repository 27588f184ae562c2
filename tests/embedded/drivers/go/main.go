// What Grafana and Go programs do through clickhouse-go: main ADDRESS COMPRESSION; prints one line a step.
package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

func say(step string, found ...any) {
	fmt.Println(step + "\t" + strings.ReplaceAll(strings.TrimSpace(fmt.Sprintln(found...)), "\n", " "))
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func open(address, user string, compression *clickhouse.Compression) driver.Conn {
	connection, err := clickhouse.Open(&clickhouse.Options{
		Addr: []string{address}, Protocol: clickhouse.HTTP, Compression: compression,
		Auth: clickhouse.Auth{Database: "ods", Username: user, Password: user},
	})
	must(err)
	must(connection.Ping(context.Background()))
	return connection
}

func main() {
	ctx := context.Background()
	methods := map[string]*clickhouse.Compression{
		"none": nil, "lz4": {Method: clickhouse.CompressionLZ4}, "zstd": {Method: clickhouse.CompressionZSTD},
		"gzip": {Method: clickhouse.CompressionGZIP, Level: 1},
	}
	writer := open(os.Args[1], "tidemark", methods[os.Args[2]])
	reader := open(os.Args[1], "reader", methods[os.Args[2]])
	version, err := reader.ServerVersion()
	must(err)
	say("version", version.Version.Major > 20, version.Timezone)

	must(writer.Exec(ctx, "create or replace table ods.golang (i Int64, s String, at DateTime64(3, 'UTC'), n Nullable(Int32),"+
		" a Array(String), l LowCardinality(String), m Map(String, Int8)) engine = MergeTree order by i"))
	batch, err := writer.PrepareBatch(ctx, "insert into ods.golang")
	must(err)
	at := time.Date(2026, 2, 3, 4, 5, 6, 789000000, time.UTC)
	for row := range 100000 {
		must(batch.Append(int64(row), fmt.Sprintf("é'\n中%d", row), at, nil, []string{"x", "y"}, "low", map[string]int8{"k": 1}))
	}
	must(batch.Send())
	var rows, right uint64
	must(reader.QueryRow(ctx, "select count(), countIf(s = concat('é\\'\\n中', toString(i))) from ods.golang").Scan(&rows, &right))
	say("counted", rows, right)

	var (
		when, where time.Time
		null        *int32
		array       []string
		low         string
		mapped      map[string]int8
	)
	must(reader.QueryRow(ctx, "select at, toDateTime('2026-02-03 04:05:06', 'America/Denver'), n, a, l, m from ods.golang where i = {row:Int64}",
		clickhouse.Named("row", "7")).Scan(&when, &where, &null, &array, &low, &mapped))
	say("types", when.UTC().Format(time.RFC3339Nano), where.Format(time.RFC3339), null, array, low, mapped)

	found, err := reader.Query(ctx, "select number, toString(number) from numbers(500000)")
	must(err)
	var sum, number uint64
	var text string
	for found.Next() {
		must(found.Scan(&number, &text))
		sum += number
	}
	must(found.Err())
	say("large", sum)

	empty, err := reader.Query(ctx, "select i, s from ods.golang where i < 0")
	must(err)
	say("empty", empty.Columns(), empty.Next())

	_, err = reader.Query(ctx, "select * from ods.nope")
	say("missing", err)
	_, err = reader.Query(ctx, "selec 1")
	say("syntax", err != nil && strings.Contains(err.Error(), "Syntax error"), err)
	_, err = reader.Query(ctx, "drop table ods.golang")
	say("refused", err)
	late, err := writer.Query(ctx, "select throwIf(number = 3000000), randomString(9) from numbers(4000000)")
	must(err)
	for late.Next() {
	}
	say("late", late.Err() != nil, strings.Contains(fmt.Sprint(late.Err()), "395"))

	limited, stop := context.WithTimeout(ctx, time.Second)
	defer stop()
	say("cancelled", reader.Exec(limited, "select sum(cityHash64(toString(number))) from numbers(900000000)"))
	for left := uint64(1); left > 0; {
		must(writer.QueryRow(ctx, "select count() from system.processes where startsWith(query, 'SELECT sum(cityHash64')").Scan(&left))
	}
	say("left", 0)
}
