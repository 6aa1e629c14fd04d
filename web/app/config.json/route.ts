import { readConfig } from "@/lib/config.ts";

export const dynamic = "force-dynamic";

/** The dashboard's run-time configuration, as the pages themselves were given it. */
export function GET(): Response {
  return Response.json(readConfig(process.env), { headers: { "cache-control": "no-store" } });
}
