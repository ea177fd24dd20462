#!/usr/bin/env node
// Replaces DuckDB's command line, which no package registry has. It runs the same engine, from the npm package @duckdb/node-api,
// and prints rows as tools/shell/shell_renderer.cpp does in the modes json and jsonlines: text, unsigned 64-bit numbers, huge
// numbers and decimals in quotes; other numbers, booleans, lists, structs, maps and JSON as JSON.
//
//	duckdb [-json|-jsonlines] [FILE] -c SQL
const { DuckDBInstance } = require("@duckdb/node-api");

async function main(args) {
  let mode = "", file = ":memory:", sql = "";
  for (let i = 0; i < args.length; i++) {
    if (args[i] === "-c") sql = args[++i];
    else if (args[i].startsWith("-")) mode = args[i].slice(1);
    else file = args[i];
  }
  const connection = await (await DuckDBInstance.create(file)).connect();
  const statements = await connection.extractStatements(sql);
  for (let i = 0; i < statements.count; i++) {
    const result = await (await statements.prepare(i)).runAndReadAll();
    if (mode && result.columnCount > 0 && !/^\s*(copy|create|insert)/i.test(sql)) await print(connection, sql, result, mode === "json");
  }
}

async function print(connection, sql, result, array) {
  const columns = result.columnNames().map((name, i) => {
    const type = result.columnType(i).toString();
    const nested = /^(STRUCT|MAP|JSON)|\]$/.test(type);
    const cast = nested || /^(FLOAT|DOUBLE)$/.test(type) ? `cast("${name}" as json)` : `"${name}"`;
    const bare = nested || /^(BOOLEAN|U?(TINY|SMALL)INT|U?INTEGER|BIGINT|FLOAT|DOUBLE)$/.test(type);
    return { name, cast: `cast(${cast} as varchar) as "${name}"`, bare };
  });
  const texts = await connection.runAndReadAll(`select ${columns.map((c) => c.cast).join(", ")} from (${sql})`);
  const rows = texts.getRows().map((row) => "{" + row.map((text, i) => {
    const value = text === null ? "null" : columns[i].bare ? text : JSON.stringify(text);
    return JSON.stringify(columns[i].name) + ":" + value;
  }).join(",") + "}");
  process.stdout.write(array ? "[" + rows.join(",\n") + "]\n" : rows.join("\n") + "\n");
}

main(process.argv.slice(2)).catch((error) => {
  console.error(error.message);
  process.exit(1);
});
