"use client";
import { useQuery } from "@tanstack/react-query";
import { amountText } from "@/lib/format.ts";
import { overviewQuery } from "@/lib/queries.ts";
import { useService } from "@/lib/session.tsx";
import { Figure, Line } from "@/ui/Figure.tsx";
import { Money } from "@/ui/Money.tsx";
import { Section, Skeleton } from "@/ui/Section.tsx";

/** The energy pool: ATP that may be worked with now, and where all of it went. */
export function EnergyCard() {
  const { data } = useQuery(overviewQuery(useService()));
  return (
    <Section title="Energy" flush={!data}>
      {!data && <Skeleton label="Loading energy" />}
      {data && (
        <>
          <dl>
            <Figure
              label="ATP free for work"
              note={
                <>
                  <Money {...data.energy.reserved} /> reserved · {amountText(data.energy.capacityWatts)} W
                  proven
                </>
              }
            >
              <Money {...data.energy.atp} />
            </Figure>
          </dl>
          <dl className="mt-3 border-line border-t pt-1">
            <Line label="Charged">
              <Money {...data.energy.charged} />
            </Line>
            <Line label="Discharged into work">
              <Money {...data.energy.discharged} />
            </Line>
            <Line label="Expired unused">
              <Money {...data.energy.expired} />
            </Line>
            <Line label="Earned back by workers">
              <Money {...data.energy.adp} />
            </Line>
          </dl>
        </>
      )}
    </Section>
  );
}
