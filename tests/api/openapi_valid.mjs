// SPDX-License-Identifier: Apache-2.0
// Is it OpenAPI 3.1?  By the published schema.  openapi_valid.mjs FILE
import { Validator } from "@seriousme/openapi-schema-validator";

const validator = new Validator();
const result = await validator.validate(process.argv[2]);
if (!result.valid || validator.version !== "3.1") {
  console.log("  FAULT:", validator.version, result.errors);
  process.exitCode = 1;
}
