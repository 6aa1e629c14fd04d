"use client";
import { useQuery } from "@tanstack/react-query";
import { amountText } from "@/lib/format.ts";
import { overviewQuery } from "@/lib/queries.ts";
import { useService } from "@/lib/session.tsx";
import { Figure, Line } from "@/ui/Figure.tsx";
import { Money } from "@/ui/Money.tsx";
import { Section, Skeleton } from "@/ui/Section.tsx";
import { energyWords } from "./words.ts";

/** The energy pool: ATP that may be worked with now, and where all of it went. */
export function EnergyCard() {
  const { data } = useQuery(overviewQuery(useService()));
  return (
    <Section title="Energy" flush={!data}>
      {!data && <Skeleton label={energyWords.loading} />}
      {data && (
        <>
          <dl>
            <Figure
              label={energyWords.free}
              note={
                <>
                  <Money {...data.energy.reserved} /> {energyWords.reserved} ·{" "}
                  {energyWords.proven(amountText(data.energy.capacityWatts))}
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
            <Line label={energyWords.discharged}>
              <Money {...data.energy.discharged} />
            </Line>
            <Line label={energyWords.expired}>
              <Money {...data.energy.expired} />
            </Line>
            <Line label={energyWords.chargeable}>
              <Money {...data.energy.adp} />
            </Line>
          </dl>
        </>
      )}
    </Section>
  );
}
