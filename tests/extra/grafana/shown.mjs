/*
 * node shown.mjs ANSWERS.json
 *
 * What Grafana's own data library makes of answers of Prometheus: it transforms them, applies the options of
 * fields, and formats values. ANSWERS has {"panel": ..., "answers": [{"refId", "format", "legendFormat", "expr",
 * "result"}, ...]} of each panel. Prints a line of JSON for each: the names of what it shows, the texts below
 * these, and its faults.
 */

import fs from "node:fs";
import { createRequire } from "node:module";
import { JSDOM } from "jsdom";

const dom = new JSDOM("");
globalThis.window = dom.window;
globalThis.document = dom.window.document;
globalThis.navigator ??= dom.window.navigator;
const grafana = createRequire(import.meta.url)("@grafana/data");

const theme = grafana.createTheme();
const same = (text) => text;
const identity = grafana.identityOverrideProcessor;

/* Which options of fields there are is in Grafana's pages, outside of the library; what each does, in it. */
const PROPERTIES = {
  unit: grafana.unitOverrideProcessor,
  min: grafana.numberOverrideProcessor,
  max: grafana.numberOverrideProcessor,
  decimals: grafana.numberOverrideProcessor,
  displayName: grafana.displayNameOverrideProcessor,
  noValue: grafana.stringOverrideProcessor,
  thresholds: grafana.thresholdsOverrideProcessor,
  mappings: grafana.valueMappingsOverrideProcessor,
  color: identity,
  links: grafana.dataLinksOverrideProcessor,
  description: grafana.stringOverrideProcessor,
};
grafana.standardFieldConfigEditorRegistry.setInit(() => Object.entries(PROPERTIES).map(
  ([id, process]) => ({ id, path: id, name: id, process, shouldApply: () => true })));
/* By their ids: one of them is there under two names. */
const TRANSFORMERS = new Map(Object.values(grafana.standardTransformers).map((one) => [one.id, one]));
grafana.standardTransformersRegistry.setInit(() => [...TRANSFORMERS].map(
  ([id, one]) => ({ id, name: id, transformation: async () => one })));
const UNITS = new Set(grafana.getValueFormats().flatMap(
  ({ submenu }) => submenu.map(({ value }) => value)));

/* ---- Answers as frames, as Grafana's data source has them ---- */

function legendOf(answer, metric) {
  return answer.legendFormat === "__auto" || !answer.legendFormat ? undefined
    : answer.legendFormat.replace(/\{\{\s*(\w+)\s*\}\}/g, (_, label) => metric[label] ?? "");
}

function numbers(samples) {
  return samples.map(([, value]) => Number(value.replace("Inf", "Infinity")));
}

function times(samples) {
  return samples.map(([time]) => time * 1000);
}

function seriesOf(answer) {
  return answer.result.map(({ metric, value, values = [value] }) => grafana.toDataFrame({
    refId: answer.refId,
    fields: [
      { name: "Time", type: "time", values: times(values), config: {} },
      { name: "Value", type: "number", values: numbers(values), labels: metric,
        config: { displayNameFromDS: legendOf(answer, metric) } },
    ],
  }));
}

/* One frame with a column for each label. */
function tableOf(answer, only) {
  const labels = [...new Set(answer.result.flatMap(({ metric }) => Object.keys(metric)))].sort();
  const samples = answer.result.map(({ value }) => value);
  return grafana.toDataFrame({
    refId: answer.refId,
    fields: [
      { name: "Time", type: "time", values: times(samples), config: {} },
      ...labels.map((label) => ({ name: label, type: "string", config: { filterable: true },
        values: answer.result.map(({ metric }) => metric[label] ?? "") })),
      { name: only ? "Value" : `Value #${answer.refId}`, type: "number", values: numbers(samples), config: {} },
    ],
  });
}

function framesOf(answers) {
  const tables = answers.filter(({ format }) => format === "table");
  return [...answers.filter(({ format }) => format !== "table").flatMap(seriesOf),
    ...tables.map((answer) => tableOf(answer, tables.length === 1))];
}

/* ---- Faults that Grafana passes over in silence ---- */

function* unknown(what, names, isKnown) {
  for (const name of names) {
    if (name !== undefined && !isKnown(name)) {
      yield `there is no ${what} ${JSON.stringify(name)}`;
    }
  }
}

function propertiesOf({ defaults = {}, overrides = [] }, id) {
  const changed = overrides.flatMap(({ properties }) => properties).filter((property) => property.id === id);
  return [defaults[id], ...changed.map(({ value }) => value)];
}

function* optionFaults({ fieldConfig = {}, options = {}, transformations = [] }) {
  yield* unknown("transformation", transformations.map(({ id }) => id), (id) => TRANSFORMERS.has(id));
  yield* unknown("unit", propertiesOf(fieldConfig, "unit"), (unit) => UNITS.has(unit));
  yield* unknown("mode of colours", propertiesOf(fieldConfig, "color").map((color) => color?.mode),
    (mode) => grafana.fieldColorModeRegistry.getIfExists(mode));
  yield* unknown("way to make one value of many", [...options.reduceOptions?.calcs ?? [],
    ...options.legend?.calcs ?? []], (calc) => grafana.fieldReducers.getIfExists(calc));
  const properties = (fieldConfig.overrides ?? []).flatMap((override) => override.properties);
  yield* unknown("option of fields", properties.map(({ id }) => id),
    (id) => id in PROPERTIES || id.startsWith("custom."));
}

function namesIn(frames) {
  return frames.flatMap((frame) => frame.fields.map(
    (field) => grafana.getFieldDisplayName(field, frame, frames)));
}

function* renameFaults({ transformations = [] }, frames) {
  const there = namesIn(frames);
  for (const { options } of transformations) {
    yield* unknown("column to rename:", Object.keys(options.renameByName ?? {}), (name) => there.includes(name));
  }
}

function* fieldFaults({ fieldConfig = {}, options = {} }, frames) {
  const there = namesIn(frames);
  for (const { matcher } of fieldConfig.overrides ?? []) {
    const matches = grafana.getFieldMatcher(matcher);
    if (!frames.some((frame) => frame.fields.some((field) => matches(field, frame, frames)))) {
      yield `an override is for no field: ${JSON.stringify(matcher)}`;
    }
  }
  yield* unknown("column to sort by:", (options.sortBy ?? []).map(({ displayName }) => displayName),
    (name) => there.includes(name));
}

/* ---- What is shown ---- */

function transformed(transformations, frames) {
  return new Promise((resolve, reject) => {
    grafana.transformDataFrame(transformations ?? [], frames, { interpolate: same })
      .subscribe({ next: resolve, error: reject });
  });
}

function textOf({ prefix = "", text, suffix = "" }) {
  return prefix + text + suffix;
}

function bigValues(panel, data) {
  return grafana.getFieldDisplayValues({
    data, theme, fieldConfig: panel.fieldConfig, reduceOptions: panel.options.reduceOptions, replaceVariables: same,
  }).map(({ display }) => [display.title, [textOf(display)]]);
}

/* Columns of a table, or series: their times are the axis below them. */
function fields(panel, data) {
  return data.flatMap((frame) => frame.fields
    .filter((field) => panel.type === "table" || field.name !== "Time")
    .map((field) => [grafana.getFieldDisplayName(field, frame, data),
      field.values.map((value) => textOf(field.display(value)))]));
}

async function shown({ panel, answers }) {
  const faults = [...optionFaults(panel)];
  const frames = framesOf(answers);
  faults.push(...renameFaults(panel, frames));
  const data = grafana.applyFieldOverrides({
    data: await transformed(panel.transformations, frames), fieldConfig: panel.fieldConfig, theme,
    replaceVariables: same, fieldConfigRegistry: grafana.createFieldConfigRegistry(),
  });
  faults.push(...fieldFaults(panel, data));
  return { shown: panel.type === "stat" ? bigValues(panel, data) : fields(panel, data), faults };
}

for (const asked of JSON.parse(fs.readFileSync(process.argv[2], "utf8"))) {
  console.log(JSON.stringify(await shown(asked).catch((error) => ({ shown: [], faults: [error.message] }))));
}
