/*
 * node schema.mjs DASHBOARD.json ...
 *
 * Holds dashboards, and the options of their panels, to the types that Grafana publishes. Prints what
 * does not fit, a line each. What is missing is not told: Grafana fills it in.
 */

import fs from "node:fs";
import Ajv from "ajv";
import { createGenerator } from "ts-json-schema-generator";

const TYPES = "node_modules/@grafana/schema/dist/types/raw/";

function validatorOf(path, type) {
  const schema = createGenerator({
    path: TYPES + path, type, skipTypeCheck: true, additionalProperties: false, tsconfig: "tsconfig.json",
  }).createSchema(type);
  return new Ajv({ strict: false, allErrors: true, allowUnionTypes: true }).compile(schema);
}

function faults(validate, value) {
  return validate(value) ? [] : validate.errors
    .filter((error) => error.keyword !== "required" && error.keyword !== "anyOf")
    .map((error) => `${error.instancePath} ${error.message} ${JSON.stringify(error.params)}`);
}

const validators = new Map();

/* Of the panels that Grafana brings along; null of others. */
function panelValidator(panel, type) {
  const path = `composable/${panel.replaceAll("-", "")}/panelcfg/x/types.gen.d.ts`;
  const key = `${path} ${type}`;
  if (!validators.has(key)) {
    validators.set(key, fs.existsSync(TYPES + path) && fs.readFileSync(TYPES + path, "utf8")
      .includes(`interface ${type} `) ? validatorOf(path, type) : null);
  }
  return validators.get(key);
}

function panelFaults(panel) {
  const parts = { Options: panel.options, FieldConfig: panel.fieldConfig?.defaults?.custom };
  return Object.entries(parts).flatMap(([type, value]) => {
    const validate = value === undefined || panel.type === "row" ? null : panelValidator(panel.type, type);
    return validate === null ? [] : faults(validate, value).map((fault) => `${panel.title}: ${type}: ${fault}`);
  });
}

fs.writeFileSync("tsconfig.json", JSON.stringify({
  compilerOptions: { module: "esnext", moduleResolution: "bundler", target: "es2022", skipLibCheck: true, strict: true },
}));
const dashboard = validatorOf("dashboard/x/types.gen.d.ts", "Dashboard");
for (const path of process.argv.slice(2)) {
  const document = JSON.parse(fs.readFileSync(path, "utf8"));
  for (const fault of [...faults(dashboard, document), ...document.panels.flatMap(panelFaults)]) {
    console.log(`${path}: ${fault}`);
  }
}
