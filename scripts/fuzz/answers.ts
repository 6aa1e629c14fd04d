import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import { actions } from "#offchain/app/features.ts";
import { openApiDocument } from "#offchain/doors/http/documents/openapi.ts";
import { routeOf } from "#offchain/doors/http/routes.ts";

/** What is wrong with an answer, in words; null when it is as the API's description says. */
export type Judge = (action: string, isDone: boolean, body: unknown) => string | null;

/** Judges answers by `/openapi.json`: what is done by its action's own schema, what is refused by the one of all errors. */
export function openJudge(): Judge {
  const ajv = new Ajv2020({ strict: false, validateFormats: false });
  ajv.addSchema({ $id: "bursar", ...openApiDocument(actions) });
  const byAction = new Map<string, ValidateFunction>();
  const isError = ajv.compile({ $ref: "bursar#/components/schemas/Error" });
  const outputOf = (name: string): ValidateFunction => {
    const known = byAction.get(name);
    if (known) return known;
    const action = actions.get(name)?.action;
    if (!action) throw new Error(`there is no action ${name}`);
    const { method, path } = routeOf(action);
    const place = [
      "paths",
      path,
      method.toLowerCase(),
      "responses",
      "200",
      "content",
      "application/json",
      "schema",
    ]
      .map((part) => encodeURIComponent(part.replaceAll("~", "~0").replaceAll("/", "~1")))
      .join("/");
    const made = ajv.compile({ $ref: `bursar#/${place}` });
    byAction.set(name, made);
    return made;
  };
  return (action, isDone, body) => {
    const judge = isDone ? outputOf(action) : isError;
    return judge(body) ? null : `the answer breaks its schema: ${ajv.errorsText(judge.errors)}`;
  };
}
