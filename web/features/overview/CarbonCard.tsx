"use client";
import { useQuery } from "@tanstack/react-query";
import { amountText, co2Text, energyText, scaled } from "@/lib/format.ts";
import type { Overview } from "@/lib/model.ts";
import { overviewQuery } from "@/lib/queries.ts";
import { useService } from "@/lib/session.tsx";
import { Figure, Line } from "@/ui/Figure.tsx";
import { Section, Skeleton } from "@/ui/Section.tsx";
import { carbonWords } from "./words.ts";

/** What the paid work emitted, in all and per piece of work. */
export function CarbonCard() {
  const { data } = useQuery(overviewQuery(useService()));
  if (!data)
    return (
      <Section title="Carbon" flush>
        <Skeleton label={carbonWords.loading} />
      </Section>
    );
  const co2 = co2Text(data.carbon.co2Micrograms);
  const energy = energyText(data.carbon.energyMillijoules);
  return (
    <Section title="Carbon">
      <dl>
        <Figure label={carbonWords.emitted} note={carbonWords.emittedNote}>
          {co2.value} <span className="font-normal text-ink-3 text-sm">{co2.unit}</span>
        </Figure>
      </dl>
      <dl className="mt-3 border-line border-t pt-1">
        <Line label="Energy used">
          {energy.value} {energy.unit}
        </Line>
        <Line label={carbonWords.perTicket}>{perTicket(data.carbon)}</Line>
        <Line label={carbonWords.intensity}>
          {intensity(data.carbon.co2Micrograms, data.carbon.energyMillijoules)}
        </Line>
      </dl>
    </Section>
  );
}

/** Rounded down to a tenth; the page says "≈". */
function perTicket({ co2Micrograms, tickets }: Overview["carbon"]): string {
  if (BigInt(tickets) === 0n) return carbonWords.noTicket;
  return carbonWords.average(amountText(scaled((BigInt(co2Micrograms) * 10n) / BigInt(tickets), 1)));
}

/** g/kWh from µg and mJ: 1 µg/mJ = 3,600 g/kWh. */
function intensity(micrograms: string, millijoules: string): string {
  if (BigInt(millijoules) === 0n) return carbonWords.noEnergy;
  return `≈ ${amountText(scaled((BigInt(micrograms) * 36_000n) / BigInt(millijoules), 1))} g/kWh`;
}
