"use client";
import { useQuery } from "@tanstack/react-query";
import { amountText, co2Text, energyText, scaled } from "@/lib/format.ts";
import { overviewQuery } from "@/lib/queries.ts";
import { useService } from "@/lib/session.tsx";
import { Figure, Line } from "@/ui/Figure.tsx";
import { Section, Skeleton } from "@/ui/Section.tsx";

/** What the paid work emitted, in all and per payment. */
export function CarbonCard() {
  const { data } = useQuery(overviewQuery(useService()));
  if (!data)
    return (
      <Section title="Carbon" flush>
        <Skeleton label="Loading carbon" />
      </Section>
    );
  const co2 = co2Text(data.carbon.co2Micrograms);
  const energy = energyText(data.carbon.energyMillijoules);
  const { total } = data.payments;
  return (
    <Section title="Carbon">
      <dl>
        <Figure label="Emitted by paid work" note="Every receipt carries its share">
          {co2.value} <span className="font-normal text-ink-3 text-sm">{co2.unit}</span>
        </Figure>
      </dl>
      <dl className="mt-3 border-line border-t pt-1">
        <Line label="Energy used">
          {energy.value} {energy.unit}
        </Line>
        <Line label="Average per payment">
          {total === 0 ? "no payment yet" : `≈ ${perPayment(data.carbon.co2Micrograms, total)} µg CO₂e`}
        </Line>
        <Line label="Average intensity">
          {intensity(data.carbon.co2Micrograms, data.carbon.energyMillijoules)}
        </Line>
      </dl>
    </Section>
  );
}

/** Rounded down to a tenth; the page says "≈". */
const perPayment = (micrograms: string, total: number): string =>
  amountText(scaled((BigInt(micrograms) * 10n) / BigInt(total), 1));

/** g/kWh from µg and mJ: 1 µg/mJ = 3,600 g/kWh. */
function intensity(micrograms: string, millijoules: string): string {
  if (BigInt(millijoules) === 0n) return "no energy yet";
  return `≈ ${amountText(scaled((BigInt(micrograms) * 36_000n) / BigInt(millijoules), 1))} g/kWh`;
}
