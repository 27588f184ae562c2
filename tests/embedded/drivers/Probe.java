import java.sql.*;
import java.time.*;
import java.util.*;

/** What DBeaver and Metabase do through the JDBC driver: java Probe URL TABLE; prints one line a step. */
public class Probe {
    static void say(String step, Object found) { System.out.println(step + "\t" + found); }

    static String failure(Statement statement, String sql) {
        try { statement.execute(sql); return "no error"; }
        catch (SQLException error) { return error.getErrorCode() + " " + error.getMessage().replace("\n", " "); }
    }

    public static void main(String[] args) throws Exception {
        try (Connection writer = DriverManager.getConnection(args[0], "tidemark", "tidemark");
             Connection reader = DriverManager.getConnection(args[0], "reader", "reader");
             Statement write = writer.createStatement(); Statement read = reader.createStatement()) {
            say("version", writer.getMetaData().getDatabaseProductVersion());
            write.execute("create or replace table ods.jdbc (i Int64, s String, at DateTime64(3, 'UTC'), d Decimal(18, 2),"
                + " n Nullable(Int32), a Array(String), b Bool, l LowCardinality(String), u UUID) engine = MergeTree order by i");
            try (PreparedStatement batch = writer.prepareStatement("insert into ods.jdbc (i, s, d) values (?, ?, ?)")) {
                for (int row = 0; row < 1000; row++) {
                    batch.setLong(1, row); batch.setString(2, "é'\n中" + row); batch.setBigDecimal(3, new java.math.BigDecimal("1.25"));
                    batch.addBatch();
                }
                say("batch", Arrays.stream(batch.executeBatch()).filter(n -> n != Statement.EXECUTE_FAILED).count());
            }
            try (ResultSet rows = read.executeQuery("select count(), sum(d), countIf(s = concat('é\\'\\n中', toString(i))) from ods.jdbc")) {
                rows.next();
                say("counted", rows.getLong(1) + " " + rows.getBigDecimal(2).stripTrailingZeros().toPlainString() + " " + rows.getLong(3));
            }
            try (ResultSet rows = read.executeQuery("select toDateTime64('2026-02-03 04:05:06.789', 3, 'UTC') t, toDecimal64(12.34, 2) d, "
                + "toNullable(toInt32(null)) n, ['x', 'y'] a, true b, toLowCardinality('low') l, toUUID('61f0c404-5cb3-11e7-907b-a6006ad3dba0') u, "
                + "toDate('2026-02-03') e, 1.5 f, toUInt64(18446744073709551615) g, map('k', 1) m")) {
                rows.next();
                say("types", rows.getTimestamp("t").toInstant().toString().substring(14) + " " + rows.getBigDecimal("d") + " " + rows.getObject("n") + " "
                    + Arrays.toString((Object[]) rows.getArray("a").getArray()) + " " + rows.getBoolean("b") + " " + rows.getString("l") + " "
                    + rows.getString("u") + " " + rows.getString("e") + " " + rows.getDouble("f") + " " + rows.getString("g"));
            }
            try (PreparedStatement asked = reader.prepareStatement("select s from ods.jdbc where i = ? and s like ?")) {
                asked.setInt(1, 7); asked.setString(2, "é'%");
                try (ResultSet rows = asked.executeQuery()) { rows.next(); say("parameter", rows.getString(1).endsWith("7")); }
            }
            long sum = 0;
            try (ResultSet rows = read.executeQuery("select number, toString(number) from numbers(500000)")) {
                while (rows.next()) sum += rows.getLong(1);
            }
            say("large", sum);
            try (ResultSet tables = reader.getMetaData().getTables(null, "ods", "jdbc", null)) { say("tables", tables.next() ? tables.getString("TABLE_NAME") : "none"); }
            try (ResultSet columns = reader.getMetaData().getColumns(null, "ods", "jdbc", null)) {
                StringBuilder names = new StringBuilder();
                while (columns.next()) names.append(columns.getString("COLUMN_NAME")).append(' ');
                say("columns", names.toString().trim());
            }
            say("missing", failure(read, "select * from ods.nope"));
            say("syntax", failure(read, "selec 1"));
            say("refused", failure(read, "drop table ods.jdbc"));
            say("alive", failure(read, "select 1"));
            Statement slow = reader.createStatement();
            Thread cancel = new Thread(() -> {
                try { Thread.sleep(1500); slow.cancel(); } catch (Exception error) { say("cancel", error); }
            });
            cancel.start();
            say("cancelled", failure(slow, "select sum(cityHash64(toString(number))) from numbers(900000000)"));
            cancel.join();
            try (ResultSet left = write.executeQuery("select count() from system.processes where startsWith(query, 'SELECT sum(cityHash64')")) {
                left.next(); say("left", left.getLong(1));
            }
        }
    }
}
