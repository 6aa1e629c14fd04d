import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { type ComponentProps, createElement, type FunctionComponent, type ReactElement } from "react";
import { renderToStaticMarkup } from "react-dom/server";
import { readConfig } from "@/lib/config.ts";
import { createSession, SessionProvider } from "@/lib/session.tsx";

/** Takes its children as React's own elements do. */
const Session = SessionProvider as FunctionComponent<
  Omit<ComponentProps<typeof SessionProvider>, "children">
>;

/**
 * What a part of a page shows, as text. It is the epoch's first moment there.
 * @param answers what the service has answered, by the question's key
 */
export function shown(part: ReactElement, answers: readonly [key: string, answer: unknown][] = []): string {
  const client = new QueryClient();
  for (const [key, answer] of answers) client.setQueryData([key], answer);
  const session = { session: createSession(readConfig({})) };
  const page = createElement(QueryClientProvider, { client }, createElement(Session, session, part));
  return renderToStaticMarkup(page)
    .replace(/<[^>]*>/g, " ")
    .replaceAll("&#x27;", "'")
    .replace(/\s+/g, " ");
}
