"use client";
import dynamic from "next/dynamic";
import { useState } from "react";
import { integerText, rateText } from "@/lib/format.ts";
import { useLiveState, useRatePoints } from "@/lib/live/live.tsx";
import { Button } from "@/ui/Button.tsx";
import { Icon } from "@/ui/Icon.tsx";
import { Section } from "@/ui/Section.tsx";
import { Ago } from "@/ui/Time.tsx";
import { Table } from "@/ui/table/Table.tsx";
import { rateWords } from "./words.ts";

// uPlot weighs more than the rest of this page: it comes when the page already stands.
const RateChart = dynamic(() => import("./RateChart.tsx").then(({ RateChart: Chart }) => Chart), {
  ssr: false,
});

const tableRows = 12;

/** Payments per second as they happen: a line, or the same as a table; may be held still. */
export function LiveRate() {
  const [isPaused, setPaused] = useState(false);
  const [isTable, setTable] = useState(false);
  const points = useRatePoints(isPaused);
  const live = useLiveState();
  const last = points.at(-1);
  return (
    <Section
      title={rateWords.title}
      flush={isTable}
      note={isPaused ? rateWords.paused : rateWords.states[live]}
      aside={
        <>
          <Button look="quiet" aria-pressed={isPaused} onClick={() => setPaused(!isPaused)}>
            <Icon name={isPaused ? "play" : "pause"} />
            {isPaused ? "Resume" : "Pause"}
          </Button>
          <Button look="quiet" aria-pressed={isTable} onClick={() => setTable(!isTable)}>
            <Icon name={isTable ? "chart" : "table"} />
            {isTable ? "Chart" : "Table"}
          </Button>
        </>
      }
    >
      {isTable ? (
        <Table
          caption={rateWords.caption}
          rows={points.slice(-tableRows).reverse()}
          keyOf={({ at }) => String(at)}
          columns={[
            { label: "When", cell: ({ at }) => <Ago at={at} /> },
            { label: "Per second", align: "end", cell: ({ perSecond }) => rateText(perSecond) },
            { label: "Payments", align: "end", cell: ({ count }) => integerText(count) },
          ]}
        />
      ) : (
        <figure className="m-0">
          <div className="h-60">
            {points.length > 1 ? (
              <RateChart points={points} />
            ) : (
              <p className="grid h-full place-items-center text-ink-3 text-sm">
                {live === "live" ? rateWords.noRecent : rateWords.notStarted}
              </p>
            )}
          </div>
          <figcaption className="sr-only">
            {last ? rateWords.now(rateText(last.perSecond)) : rateWords.noneSeen}
          </figcaption>
        </figure>
      )}
    </Section>
  );
}
